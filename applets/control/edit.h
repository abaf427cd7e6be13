/* SPDX-License-Identifier: ISC
 *
 * The commands that edit rules and memberships.  Each is a `run` of struct
 * command: returns the exit status of the client.
 */
#ifndef APPLETS_CONTROL_EDIT_H
#define APPLETS_CONTROL_EDIT_H

#include "applets/control/command.h"
#include "router/router.h"

int edit_add(struct router *r, struct cmd *c);
int edit_replace(struct router *r, struct cmd *c);
int edit_remove(struct router *r, struct cmd *c);
int edit_join(struct router *r, struct cmd *c);
int edit_leave(struct router *r, struct cmd *c);

#endif
