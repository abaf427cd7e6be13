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

/* Takes everything off the VIF of an interface, which loses its number; the VIF itself stays in the kernel. */
void vif_leave(struct router *r, enum fam fam, struct iface *i);

/* Has the kernel be told again of the entries with that output: its threshold changed. */
void vif_refresh(struct router *r, enum fam fam, int vif);

/* Releases the numbers of interfaces that nothing wants; true when there was one. */
bool vif_release_unwanted(struct router *r, enum fam fam);

#endif
