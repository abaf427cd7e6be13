/* SPDX-License-Identifier: ISC
 *
 * `show config`: what is in force, as a config file that gives the same state.
 */
#ifndef APPLETS_CONTROL_SHOW_CONFIG_H
#define APPLETS_CONTROL_SHOW_CONFIG_H

#include "applets/control/show_table.h"

/* Writes what is due in a turn: true when that was all. */
bool show_config(struct show *s);

#endif
