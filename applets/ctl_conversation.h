/* SPDX-License-Identifier: ISC
 *
 * What smcroutectl and the daemon say to each other over one connection: one command, or a batch of them.
 */
#ifndef APPLETS_CTL_CONVERSATION_H
#define APPLETS_CTL_CONVERSATION_H

#include <stdbool.h>

#include "applets/ctl_print.h"
#include "applets/ctl_words.h"

struct ctl_options {
	unsigned detail;		/* how many -d, sent with each command */
	bool json;			/* -j, too */
	bool batch;			/* commands come from standard input, one a line */
};

/* The daemon ended the connection without a record of ours, or said something else. */
enum { CTL_NOT_OURS = -1 };

/* Sends a command, checked by ctl_words_check(), over fd and shows the reply: the exit status.  For a batch the words
 * are not sent but overwritten, and the status is that of the first line that failed.  Where the answer to a single
 * command does not begin with a record it is CTL_NOT_OURS, and nothing has been said.  fd stays open. */
int ctl_conversation_run(int fd, const struct ctl_options *options, struct ctl_printer *printer, struct ctl_words *w);

#endif
