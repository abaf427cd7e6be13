/* SPDX-License-Identifier: ISC
 *
 * Entries that go out where they come in, as relays on a mesh want it.  Where this host is a member of the group on
 * that interface the kernel would give what leaves there to the router again, and each packet would go out as often as
 * its TTL lasts (see kernel_members_loop()): that one output is held back meanwhile.  FreeBSD's does so whoever is a
 * member (sys/netinet/ip_mroute.c, phyint_send): there no entry ever has its iif as output.
 */
#ifndef ROUTER_REFLECT_H
#define ROUTER_REFLECT_H

#include "router/state.h"

/* The outputs, of VIF bits that the rules give an entry with that iif, that are to be held back now.  Notes whether the
 * entry is one of those that this is about, and logs what is news. */
uint32_t reflect_held(struct router *r, uint32_t at, int iif, uint32_t oifs);

/* True when the output of an entry that the rules would have go out where it comes in is held back. */
bool reflect_holds(const struct mfc *e);

/* Why an output of a rule is held back, for any of its flows, and *which that is, valid until the next edit; NULL when
 * none is. */
const char *reflect_reason(const struct router *r, const struct rule *rule, const char **which);

/* An interface where a join, which is among the rules, has the output of an entry or of a rule for its first group held
 * back; NULL when none is known. */
const char *reflect_of_join(const struct router *r, const struct ifname *iif, const struct flow_range *range);

/* Marks the entries that this is about: the joins among the rules changed. */
void reflect_mark(struct router *r);

/* Reads the memberships again where r->reflect.is_stale says that they changed, and marks the entries that this is
 * about; true when it did. */
bool reflect_look(struct router *r);

/* When reflect_tick() is to be called next, in ms; 0 = no need, as long as no entry goes out where it comes in, or none
 * ever does. */
int64_t reflect_due(const struct router *r);

/* True when it is time to look at the memberships: by router_sync(). */
bool reflect_tick(struct router *r);

#endif
