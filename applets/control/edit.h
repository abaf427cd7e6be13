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

#endif
