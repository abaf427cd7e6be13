/* SPDX-License-Identifier: ISC
 *
 * What a bridge of this host does with a flow: which of its ports should get what is sent into it, and whether what
 * comes in on a port gets to this host.  By what it has learned of members (net/bridge/br_multicast.c), and by the
 * state of its ports.  Nothing is said here.
 */
#ifndef APPLETS_DOCTOR_BRIDGE_H
#define APPLETS_DOCTOR_BRIDGE_H

#include "applets/doctor/sample.h"

/* The bridge that an interface sends into: it itself, or what it stands on as a VLAN or macvlan; NULL when there is
 * none.  *vlan: the one that its frames have in there, 0 = none. */
const struct probe_link *bridge_below(const struct host *h, int ifindex, uint16_t *vlan);

/* Who is behind a port of a bridge. */
enum bridge_wish {
	BRIDGE_NOBODY,			/* it gets nothing of the group */
	BRIDGE_FLOODED,			/* it gets it as all ports do */
	BRIDGE_ROUTER,			/* routers, and no member: they get all */
	BRIDGE_MEMBER,
	BRIDGE_UNKNOWN
};

/* Who is behind a port, or with port = the bridge itself on this host, that wants a flow, in one sample and in both:
 * those that say the same, else BRIDGE_UNKNOWN. */
enum bridge_wish bridge_wish(const struct doctor *d, const struct probe_link *bridge, uint16_t vlan, int port,
			     const struct flow *flow);

/* Walks what is known of members of a flow's group, whatever source they want: the next after `last`, the first with
 * NULL; NULL at the end. */
const struct probe_mdb *bridge_member(const struct doctor *d, const struct probe_link *bridge, uint16_t vlan,
				      const struct flow *flow, const struct probe_mdb *last);

/* True when the frames of a VLAN may pass a port, or with port = the bridge get to this host. */
bool bridge_has_vlan(const struct host *h, const struct probe_link *bridge, int port, uint16_t vlan);

/* True when a bridge keeps groups of a family from this host unless it is a member, though an interface that stands on
 * it routes. */
bool bridge_keeps(const struct host *h, const struct probe_link *bridge, const struct probe_link *l, enum fam fam);

/* Walks the ports of a bridge: the next after `last`, the first with NULL; NULL at the end. */
const struct probe_link *bridge_port(const struct host *h, const struct probe_link *bridge,
				     const struct probe_link *last);

#endif
