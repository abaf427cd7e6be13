/* SPDX-License-Identifier: ISC
 *
 * What the names of rules mean on this machine now: VIF bits.
 */
#ifndef ROUTER_BIND_H
#define ROUTER_BIND_H

#include "router/state.h"

/* Finds out what names and lists of outputs mean now.  Marks the entries of routes that see a difference, and reports
 * of those that begin or cease to wait. */
void bind_names(struct router *r);

#endif
