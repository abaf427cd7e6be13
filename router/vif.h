/* SPDX-License-Identifier: ISC
 *
 * Which interfaces get a VIF or MIF, in the order in which the configuration refers
 * to them, and which give theirs back.
 */
#ifndef ROUTER_VIF_H
#define ROUTER_VIF_H

#include "router/state.h"

/* Gives numbers of a family, when it is up, to the interfaces that rules refer to. */
void vif_assign(struct router *r, enum fam fam);

/* Takes the number of an interface, and has the entries that have it looked at.  No other gets the number before they
 * let go of it; and when the VIF stays in the kernel, not until vif_remove_left() has removed it. */
void vif_leave(struct router *r, enum fam fam, struct iface *i, bool stays);

/* Has the kernel be told again of the entries with that output: its threshold changed. */
void vif_refresh(struct router *r, enum fam fam, int vif);

/* Takes the numbers of interfaces that nothing wants. */
void vif_release_unwanted(struct router *r, enum fam fam);

/* Frees the numbers that nobody has and no entry has any more, and removes their VIFs from the kernel: true when there
 * was one. */
bool vif_remove_left(struct router *r, enum fam fam);

#endif
