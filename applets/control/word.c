/* SPDX-License-Identifier: ISC
 *
 * Words against names and aliases.
 */
#include "applets/control/word.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/near.h"

static void word_add_candidate(struct word_miss *miss, const char *name)
{
	size_t at = strlen(miss->candidates);

	snprintf(miss->candidates + at, sizeof miss->candidates - at, "%s%s", at ? " " : "", name);
}

/* True when a word is one of a list that blanks part. */
static bool word_is_in(const char *word, const char *list)
{
	size_t len = strlen(word), n;

	for (; list && *list; list += n + (list[n] == ' ')) {
		n = strcspn(list, " ");
		if (n == len && !strncasecmp(list, word, n))
			return true;
	}
	return false;
}

/* Notes the name that a word was probably meant to be, and the names of all rows. */
static void word_guess(const char *word, word_row *names_of, struct word_miss *miss)
{
	unsigned nearest = NEAR_FAR;
	struct word_names names;

	for (int row = 0; names_of(row, &names); row++) {
		char text[128], *rest = text;

		word_add_candidate(miss, names.name);
		if (word_is_in(word, names.tried)) {
			nearest = 0;
			snprintf(miss->near, sizeof miss->near, "%s", names.name);
		}
		snprintf(text, sizeof text, "%s %s", names.name, names.aliases);
		for (char *name; (name = strtok_r(rest, " ", &rest)); ) {
			unsigned slips = near_slips(word, strlen(word), name);

			if (slips >= nearest)
				continue;
			nearest = slips;
			snprintf(miss->near, sizeof miss->near, "%s", name);
		}
	}
}

int word_find(const char *word, word_row *names_of, struct word_miss *miss)
{
	struct word_names names;
	int found = -1;

	*miss = (struct word_miss){ 0 };
	for (int row = 0; names_of(row, &names); row++) {
		char text[128], *rest = text;

		snprintf(text, sizeof text, "%s %s", names.name, names.aliases);
		for (char *name; (name = strtok_r(rest, " ", &rest)); ) {
			if (!strcmp(name, word))
				return row;
			if (!*word || strncmp(name, word, strlen(word)) != 0)
				continue;
			word_add_candidate(miss, name);
			miss->is_ambiguous |= found >= 0 && found != row;
			found = row;
		}
	}
	if (found < 0)
		word_guess(word, names_of, miss);
	return miss->is_ambiguous ? -1 : found;
}
