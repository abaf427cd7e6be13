/* SPDX-License-Identifier: ISC
 *
 * The commands that edit rules and memberships.  Each is a `run` of struct command: it returns the exit status of the
 * client.
 */
#ifndef APPLETS_CONTROL_EDIT_H
#define APPLETS_CONTROL_EDIT_H

#include "applets/control/call.h"

int edit_add(struct call *call);
int edit_replace(struct call *call);
int edit_remove(struct call *call);
int edit_join(struct call *call);
int edit_leave(struct call *call);

/* Checks the words behind call->argv[0] as those of a rule, or else of a membership, without doing anything: only argc
 * and argv of *call are used.  0, or the exit status, and call->error says why. */
int edit_check(struct call *call, bool is_rule);

#endif
