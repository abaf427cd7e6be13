/* SPDX-License-Identifier: ISC
 *
 * `show interfaces`: all that the machine has, with their VIF and MIF numbers.
 */
#ifndef APPLETS_CONTROL_SHOW_INTERFACES_H
#define APPLETS_CONTROL_SHOW_INTERFACES_H

#include "applets/control/show_table.h"

/* Writes what is due in a turn: true when that was all. */
bool show_interfaces(struct show *s);

#endif
