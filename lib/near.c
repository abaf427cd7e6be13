/* SPDX-License-Identifier: ISC
 * See near.h. */
#include "lib/near.h"

#include <string.h>

#define NEAR_LETTERS 20u	/* a longer word is far from every keyword */

static unsigned near_min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edit distance with swaps of neighbours (optimal string alignment), letter case aside. */
static unsigned near_distance(const char *a, size_t an, const char *b, size_t bn)
{
	unsigned d[NEAR_LETTERS + 1][NEAR_LETTERS + 1];

	for (size_t i = 0; i <= an; i++)
		for (size_t j = 0; j <= bn; j++) {
			unsigned *least = &d[i][j];

			*least = (unsigned)(i + j);
			if (!i || !j)
				continue;
			const char *x = a + i - 1, *y = b + j - 1;

			*least = near_min(d[i - 1][j] + 1, d[i][j - 1] + 1);
			*least = near_min(*least, d[i - 1][j - 1] + ((*x | 0x20) != *y));
			if (i > 1 && j > 1 && (*x | 0x20) == y[-1] && (x[-1] | 0x20) == *y)
				*least = near_min(*least, d[i - 2][j - 2] + 1);
		}
	return d[an][bn];
}

unsigned near_slips(const char *word, size_t n, const char *keyword)
{
	size_t len = strlen(keyword);
	unsigned slips;

	if (len >= 4 && n > len && !memcmp(word, keyword, len))
		return 0;
	if (n >= 3 && n < len && !memcmp(word, keyword, n))
		return 0;
	if (n > NEAR_LETTERS || len > NEAR_LETTERS)
		return NEAR_FAR;
	slips = near_distance(word, n, keyword, len);
	return slips <= len / 3 ? slips : NEAR_FAR;
}

int near_find(const char *word, size_t n, const char *const *list, int count)
{
	unsigned nearest = NEAR_FAR;
	int best = -1;

	for (int k = 0; k < count; k++) {
		unsigned slips = near_slips(word, n, list[k]);

		if (slips < nearest) {
			nearest = slips;
			best = k;
		}
	}
	return best;
}
