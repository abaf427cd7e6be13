/* SPDX-License-Identifier: ISC
 *
 * rtnetlink's messages about bridges: what a bridge and a port do with multicast, and the database of members.  Pure,
 * as probe_rtnl.h.  Private to this room.
 */
#ifndef KERNEL_LINUX_PROBE_BRIDGE_H
#define KERNEL_LINUX_PROBE_BRIDGE_H

#include "kernel/linux/rtnl.h"
#include "kernel/probe.h"

/* Fills in l->bridge and l->port by an interface's IFLA_LINKINFO; l->kind is set. */
void probe_bridge_link(const struct rtnl_attr *info, struct probe_link *l);

/* Calls fn for each entry of the database of one bridge; does nothing with another message. */
void probe_bridge_mdb(const struct rtnl_msg *m, probe_mdb_fn *fn, void *ctx);

/* Appends to a struct probe_links the VLANs of a port, or of a bridge itself, by a message of a dump of AF_BRIDGE with
 * RTEXT_FILTER_BRVLAN_COMPRESSED.  0, or -1 with ENOMEM. */
int probe_bridge_vlans(void *links, const struct rtnl_msg *m);

#endif
