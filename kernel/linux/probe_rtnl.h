/* SPDX-License-Identifier: ISC
 *
 * rtnetlink messages of what only looks: interfaces in detail, their settings, VIFs, forwarding entries with their
 * outputs, routes.  Pure, as rtnl.h.  Each function reads one message of a dump; false when it is none of the kind.
 * Private to this room.
 */
#ifndef KERNEL_LINUX_PROBE_RTNL_H
#define KERNEL_LINUX_PROBE_RTNL_H

#include "kernel/linux/rtnl.h"
#include "kernel/probe.h"

/* Fills in an interface, all but addresses and settings. */
bool probe_rtnl_link(const struct rtnl_msg *m, struct probe_link *l);

/* The interface and family of an address. */
bool probe_rtnl_addr(const struct rtnl_msg *m, int *ifindex, enum fam *fam);

struct probe_netconf {
	int ifindex;			/* NETCONFA_IFINDEX_ALL is -1 */
	enum fam fam;
	int8_t rp_filter;		/* -1 = not said */
	tristate mc_forwarding;
};
bool probe_rtnl_netconf(const struct rtnl_msg *m, struct probe_netconf *c);

bool probe_rtnl_mfc(const struct rtnl_msg *m, struct probe_mfc *e);

/* Fills v[max] with the VIFs of a table; their number. */
int probe_rtnl_vifs(const struct rtnl_msg *m, struct probe_vif *v, int max);

bool probe_rtnl_route(const struct rtnl_msg *m, struct probe_route *r);

#endif
