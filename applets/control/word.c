/* SPDX-License-Identifier: ISC
 *
 * Words against names and aliases.
 */
#include "applets/control/word.h"

#include <stdio.h>
#include <string.h>

static void word_add_candidate(struct word_miss *miss, const char *name)
{
	size_t at = strlen(miss->candidates);

	snprintf(miss->candidates + at, sizeof miss->candidates - at, "%s%s", at ? " " : "", name);
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
	for (int row = 0; found < 0 && names_of(row, &names); row++)
		word_add_candidate(miss, names.name);
	return miss->is_ambiguous ? -1 : found;
}
