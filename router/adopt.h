/* SPDX-License-Identifier: ISC
 *
 * A routing table that another process left, taken over as it is.
 */
#ifndef ROUTER_ADOPT_H
#define ROUTER_ADOPT_H

#include "router/state.h"

/* Takes the VIFs and entries that the kernel has in the table of a family, whose socket was handed over, in the place
 * of what is known of that family; the interfaces must be known.  router_apply() is to be called next, or router_sync()
 * where rules are in force already: it changes what differs from what they want.  Entries are learned, or blocked when
 * they have no output, until a rule says otherwise, with their age.  0; or -1 with errno when the table could not be
 * read: then it is empty, as if it had been opened just now, or, where not even that can be done, kernel_mroute_fd() is
 * -1. */
int router_adopt(struct router *r, enum fam fam, int64_t now);

/* Asks for an entry in the place of a predecessor that heard of a flow and ended before it gave the answer: the kernel
 * asks once in 10 s (net/ipv4/ipmr.c, ipmr_cache_unresolved).  When that is due, in ms; 0 = never, or not before there
 * are rules. */
static inline int64_t adopt_due(const struct router *r)
{
	return r->has_rules ? r->unresolved.due : 0;
}
void adopt_tick(struct router *r);
void adopt_free(struct router *r);

/* Puts the learned and blocked entries in the order of their age, and has those beyond r->max_dynamic give way. */
void adopt_trim(struct router *r);

#endif
