/* SPDX-License-Identifier: ISC
 *
 * What the parts of the router that change its state ask of each other.  For
 * router.c, link.c, flow.c, sync.c, vif.c and bind.c alone.
 */
#ifndef ROUTER_SYNC_H
#define ROUTER_SYNC_H

#include "router/router.h"

/* Marks what a rule wants to be looked at. */
void sync_touch_rule(struct router *r, uint32_t id);

/* Brings one entry in line with the rules; prefer: VIF that shall be the iif when it is covered, -1 =
 * as it is.  True when the kernel has it afterwards. */
bool sync_entry(struct router *r, uint32_t at, int prefer);

/* Takes an entry out of the kernel and out of the mirror. */
void sync_drop(struct router *r, uint32_t at);

/* Takes everything off a VIF that leaves, in the mirror and in the kernel.  When it stays, has the kernel be
 * told again of entries with that output. */
void sync_vif(struct router *r, enum fam fam, int vif, bool leaves);

/* Counts a refusal by the kernel or of memory, with the errno of now. */
void sync_failed(struct router *r);

/* Gives numbers of a family, when it is up, to the interfaces that the conf refers to. */
void vif_assign(struct router *r, enum fam fam);

/* Takes everything off the VIF of an interface, which loses its number; the VIF itself stays in the kernel. */
void vif_leave(struct router *r, enum fam fam, struct iface *i);

/* Releases the numbers of interfaces that nothing wants; true when there was one. */
bool vif_release_unwanted(struct router *r, enum fam fam);

/* Computes what names and lists mean anew and marks the rules that see a difference. */
void bind_names(struct router *r);

/* Takes over what phyint lines say of the interface. */
void link_configure(struct router *r, struct iface *i);

#endif
