/* SPDX-License-Identifier: ISC
 *
 * The words of the commands that edit, taken through the same field parsers as the config file.  What returns an int
 * returns 0, or the exit status after call_fail().
 */
#ifndef APPLETS_CONTROL_EDIT_WORDS_H
#define APPLETS_CONTROL_EDIT_WORDS_H

#include "applets/control/call.h"
#include "lib/wire.h"

/* A rule or a membership in the words of a client. */
struct edit_words {
	struct change_rule rule;
	struct ifname oifs[CHANGE_OUTPUTS];	/* those of the rule */
	int end;				/* number of the word behind source and group */
};

/* Reads IIF [SOURCE[/LEN]] GROUP[/LEN]. */
int edit_words_range(struct call *call, struct edit_words *w);

/* Fails as errno says: with what a change was refused, too much of something or no memory.  The exit status. */
int edit_words_refused(struct call *call);

/* Reads IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...]. */
int edit_words_rule(struct call *call, struct edit_words *w);

/* Notes what a rule waits for: each name of the command that is of no use now; where all are, `which`, another name of
 * the rule, and the reason of that. */
void edit_words_note_waits(struct call *call, const struct edit_words *w, const char *which, const char *reason);

/* Checks the words behind call->argv[0] as those of a rule, or else of a membership: only argc and argv of *call are
 * used.  0, or the exit status, and call->error says why. */
int edit_words_check(struct call *call, bool is_rule);

#endif
