/* SPDX-License-Identifier: ISC
 *
 * `show routes`: templates, (S,G) rules, and the entries of the kernel.
 */
#ifndef APPLETS_CONTROL_SHOW_ROUTES_H
#define APPLETS_CONTROL_SHOW_ROUTES_H

#include "applets/control/show_table.h"

/* Writes what is due in a turn: true when that was all. */
bool show_routes(struct show *s);

#endif
