/* SPDX-License-Identifier: ISC
 *
 * `show pending`: rules and memberships that cannot work yet.
 */
#ifndef APPLETS_CONTROL_SHOW_PENDING_H
#define APPLETS_CONTROL_SHOW_PENDING_H

#include "applets/control/show_table.h"

/* Writes what is due in a turn: true when that was all. */
bool show_pending(struct show *s);

/* A stage that only counts the rules of a kind that wait, in s->pending. */
void show_pending_count(struct show *s, int stage, struct rules *t);

#endif
