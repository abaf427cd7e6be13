/* SPDX-License-Identifier: ISC
 *
 * The client with a daemon of SMCRoute 2.4 to 2.6: at an upgrade the old one still runs, and is to be asked, changed
 * and ended.  It is spoken to in its own protocol (lib/wire.h has the frames), a connection for each command.
 */
#ifndef APPLETS_CTL_LEGACY_H
#define APPLETS_CTL_LEGACY_H

#include "applets/ctl_connection.h"
#include "applets/ctl_conversation.h"

enum { CTL_LEGACY = -1 };

/* Asks the daemon at the other end of *fd, or of a new connection where that is -1, what it speaks; no daemon does
 * anything at that.  Returns 0 when it is ours, and *fd is a connection for the commands; CTL_LEGACY when it is
 * SMCRoute's; or the exit status, then it has been said what is wrong.  But for 0 *fd is closed. */
int ctl_legacy_recognise(const struct ctl_place *place, int *fd);

/* Has a command done by the daemon at place, as ctl_conversation_run() does with ours; words are checked first.  For a
 * batch the commands are read from standard input, each is answered before the next one. */
int ctl_legacy_run(const struct ctl_place *place, const struct ctl_options *options, struct ctl_printer *printer,
		   struct ctl_words *w);

#endif
