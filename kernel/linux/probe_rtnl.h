/* SPDX-License-Identifier: ISC
 *
 * rtnetlink messages of what only looks: interfaces in detail, their settings, VIFs, forwarding entries with their
 * outputs, routes.  Pure, as rtnl.h.  Each function reads one message of an answer, and does nothing with one that is
 * none of the kind.  Private to this room.
 */
#ifndef KERNEL_LINUX_PROBE_RTNL_H
#define KERNEL_LINUX_PROBE_RTNL_H

#include "kernel/linux/rtnl.h"
#include "kernel/probe.h"

/* Fills in an interface, all but addresses and settings; false when it is none. */
bool probe_rtnl_link(const struct rtnl_msg *m, struct probe_link *l);

/* Sets what an address, or the settings of an interface or of all, say of those in a struct probe_links.  0, or -1 with
 * ENOMEM. */
int probe_rtnl_addr(void *links, const struct rtnl_msg *m);
int probe_rtnl_qdisc(void *links, const struct rtnl_msg *m);
int probe_rtnl_netconf(void *links, const struct rtnl_msg *m);

/* Fills in a forwarding entry; false when it is none. */
bool probe_rtnl_mfc(const struct rtnl_msg *m, struct probe_mfc *e);

/* Fills v[max] with the VIFs of a table; their number. */
int probe_rtnl_vifs(const struct rtnl_msg *m, struct probe_vif *v, int max);

/* Fills in a struct probe_route; 0. */
int probe_rtnl_route(void *route, const struct rtnl_msg *m);

#endif
