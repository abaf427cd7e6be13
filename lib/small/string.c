/* SPDX-License-Identifier: ISC
 *
 * strstr(3) of the small build, for short texts.
 */
#include <string.h>

char *strstr(const char *text, const char *part)
{
	size_t n = strlen(part);

	for (; strncmp(text, part, n); text++)
		if (!*text)
			return NULL;
	return (char *)(size_t)text;
}
