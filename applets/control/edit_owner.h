/* SPDX-License-Identifier: ISC
 *
 * In whose name a command edits rules and memberships, and who else asks for them.
 */
#ifndef APPLETS_CONTROL_EDIT_OWNER_H
#define APPLETS_CONTROL_EDIT_OWNER_H

#include "applets/control/call.h"

/* Holds the owner that a call names, who asks for more: its number, or HASH_NONE with ENOMEM, ENOSPC or, when no more
 * can be kept, EFBIG. */
uint32_t edit_owner_hold(const struct call *call);

/* Fails as edit_owner_hold() did. */
int edit_owner_refused(struct call *call);

/* The number of that owner, HASH_NONE when nothing is asked for in that name. */
uint32_t edit_owner_find(const struct call *call);

/* Finds one who asks for a rule or join beside that owner: its name, NULL when there is none. */
const char *edit_owner_other(const struct call *call, const struct rules *t, uint32_t id, uint32_t owner);

/* Fails as the owner asks for no such rule or membership; id: the one of others, HASH_NONE = there is none at all. */
int edit_owner_not_there(struct call *call, const struct flow_range *range, const struct rules *t, uint32_t id);

/* Says that what was taken back is still asked for by somebody else. */
void edit_owner_note_others(struct call *call, const struct rules *t, uint32_t id, const char *what);

/* Takes back all that an owner asks for, as a command: see edit.h. */
int edit_owner_disown(struct call *call);

#endif
