/* SPDX-License-Identifier: ISC
 *
 * Rules of the kernel: the word `kernel` on a rule of any source and one group.  Each VIF of its iif gets an entry of
 * any source in the mirror and, where that may be, in the kernel.
 *
 * The kernel finds an entry of the packet's source first, then the newest (*,G) entry that has the packet's interface
 * as its iif or as an output, and asks nobody then (net/ipv4/ipmr_base.c, mr_mfc_find_any).  So such an entry would
 * hide sources from other rules, and it steps aside (MFC_ASIDE) while
 * - a template takes a part of the sources on its iif,
 * - a rule takes packets of the group in on one of its outputs, as the rules of a relay in both directions do,
 * - its iif is one of its outputs: the kernel never sends them back there.
 * Its sources are learned meanwhile, as for any template.
 */
#ifndef ROUTER_INKERNEL_H
#define ROUTER_INKERNEL_H

#include "lib/buf.h"
#include "router/state.h"

/* What entries that are looked at one after the other, while no rule changes, remember together.  All zero at first. */
struct inkernel_pass {
	struct inkernel_part {
		uint32_t group;			/* hash of the group and its length */
		uint32_t id;
	} *parts;			/* rules for a part of the sources, in order; NULL: not gathered */
	uint32_t n;
	unsigned searches;
};

/* Brings the entry of any source at a place of the mirror in line with the rules, or drops it.  When it comes into the
 * kernel the entries of its group are marked: those that were learned in its stead are to go. */
void inkernel_sync(struct router *r, uint32_t at, struct inkernel_pass *pass);
void inkernel_end(struct inkernel_pass *pass);

/* True when a rule of the kernel is kept out of it on one of its VIFs. */
bool inkernel_is_aside(const struct router *r, const struct rule *rule);

/* Appends why a rule of the kernel is not in the kernel, for people; false, and nothing, when it is or is none. */
bool inkernel_reason(const struct router *r, const struct rule *rule, struct buf *out);

#endif
