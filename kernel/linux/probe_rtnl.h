/* SPDX-License-Identifier: ISC
 *
 * rtnetlink messages of what only looks: interfaces in detail, their settings,
 * VIFs, forwarding entries with their outputs and routes.  Pure, as
 * rtnl.h.  Private to this room.
 */
#ifndef KERNEL_LINUX_PROBE_RTNL_H
#define KERNEL_LINUX_PROBE_RTNL_H

#include "kernel/linux/rtnl.h"

/* Each reads one message of a dump; false when it is none of the kind. */

/* Fills in an interface, all but addresses and settings. */
bool rtnl_look_link(const struct rtnl_msg *m, struct look_link *l);

/* The interface and family of an address. */
bool rtnl_look_addr(const struct rtnl_msg *m, int *ifindex, enum fam *fam);

struct rtnl_netconf {
	int ifindex;			/* NETCONFA_IFINDEX_ALL is -1 */
	enum fam fam;
	int8_t rp_filter;		/* -1 = not said */
	seen_t mc_forwarding;
};
bool rtnl_look_netconf(const struct rtnl_msg *m, struct rtnl_netconf *c);

bool rtnl_look_mfc(const struct rtnl_msg *m, struct look_mfc *e);

/* Fills v[max] with the VIFs of a table; their number. */
int rtnl_look_vifs(const struct rtnl_msg *m, struct look_vif *v, int max);

bool rtnl_look_route(const struct rtnl_msg *m, struct look_route *r);

#endif
