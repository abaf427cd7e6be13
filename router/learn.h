/* SPDX-License-Identifier: ISC
 *
 * Answers the kernel's reports (upcalls): of packets of a flow that it has no entry
 * for, and of packets that come in on another interface than the entry says.
 */
#ifndef ROUTER_LEARN_H
#define ROUTER_LEARN_H

#include "router/state.h"

/* Answers a report at once; now in ms.  router_due() may be nearer afterwards. */
void router_upcall(struct router *r, const struct upcall *up, int64_t now);

/* Lets go of the packets that wait for an entry that is not to be, by one for a moment: the kernel would keep them for
 * 10 s and look through all such sources for each packet of any of them (net/ipv4/ipmr.c, ipmr_cache_unresolved). */
void learn_let_go(struct router *r, const struct upcall *up, uint32_t oifs);

#endif
