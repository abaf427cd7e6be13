/* SPDX-License-Identifier: ISC
 *
 * `show groups`: lines of memberships, and what they came to in the kernel.
 */
#ifndef APPLETS_CONTROL_SHOW_GROUPS_H
#define APPLETS_CONTROL_SHOW_GROUPS_H

#include "applets/control/show_table.h"

/* Writes what is due in a turn: true when that was all. */
bool show_groups(struct show *s);

#endif
