/* SPDX-License-Identifier: ISC */
#include "applets/doctor/evidence_bridge.h"

#include <string.h>

#include "applets/doctor/bridge.h"

#define BRIDGES 16		/* that are looked at, each once: they may be a ring */

struct evidence_walk {
	const struct doctor *d;
	const struct watched *w;
	bool is_seen;
	struct evidence_out *o;
	int been[BRIDGES];		/* ifindex */
	unsigned nbeen;
};

/* True for the first time that a bridge is come to. */
static bool evidence_bridge_is_new(struct evidence_walk *k, const struct probe_link *bridge)
{
	for (unsigned i = 0; i < k->nbeen; i++)
		if (k->been[i] == bridge->ifindex)
			return false;
	if (k->nbeen == BRIDGES)
		return false;
	k->been[k->nbeen++] = bridge->ifindex;
	return true;
}

/* The bridge at the other end of a port that is a veth pair; NULL when there is none. */
static const struct probe_link *evidence_bridge_next(const struct host *h, const struct probe_link *port)
{
	const struct probe_link *peer = strcmp(port->kind, "veth") ? NULL : host_link(h, port->lower);

	return peer && peer->port.state != PORT_NONE ? host_link(h, peer->master) : NULL;
}

/* The ports of a bridge, and of those that it leads to. */
static void evidence_bridge_walk(struct evidence_walk *k, int ifindex)
{
	const struct host *h = &k->d->host;
	const struct probe_link *bridge, *next, *port = NULL;
	uint16_t vlan;

	bridge = bridge_below(h, ifindex, &vlan);
	if (!bridge || !evidence_bridge_is_new(k, bridge))
		return;
	k->o->bridge = bridge->ifindex;
	while ((port = bridge_port(h, bridge, port))) {
		enum bridge_wish wish = bridge_wish(k->d, bridge, vlan, port->ifindex, &k->w->flow);
		bool is_unwanted = wish == BRIDGE_NOBODY;
		const struct sighting *s = flows_on(&k->d->flows, k->w, port->ifindex);
		uint64_t got = !k->is_seen ? sample_sent(k->d, port) : s ? s->n[SNIFF_OUT] : 0;

		next = evidence_bridge_next(h, port);
		if (next && !is_unwanted) {
			evidence_bridge_walk(k, next->ifindex);
			continue;
		}
		k->o->most = got > k->o->most && !next ? got : k->o->most;
		k->o->is_unwanted &= is_unwanted;
		if ((wish != BRIDGE_MEMBER && wish != BRIDGE_ROUTER) || (k->o->port && got >= k->o->port_got))
			continue;
		k->o->port = port->ifindex;
		k->o->port_got = got;
	}
}

void evidence_bridge_out(const struct doctor *d, const struct watched *w, bool is_seen, struct evidence_out *o)
{
	struct evidence_walk k = { .d = d, .w = w, .is_seen = is_seen, .o = o };

	o->is_unwanted = true;
	evidence_bridge_walk(&k, o->ifindex);
}

/* True when frames of an interface with the tag of a VLAN, 0 = none, are for one above it. */
static bool evidence_bridge_is_above(const struct host *h, const struct probe_link *l, const struct probe_link *below,
				     uint16_t tag)
{
	const struct probe_link *bridge;
	uint16_t vlan;

	if (!below->master)
		return l->lower == below->ifindex &&
		       (!strcmp(l->kind, "macvlan") || (!strcmp(l->kind, "vlan") && tag && l->vlan == tag));
	bridge = l->lower ? bridge_below(h, l->ifindex, &vlan) : NULL;
	return bridge && bridge->ifindex == below->master;
}

int evidence_bridge_above(const struct doctor *d, const struct probe_link *below, uint16_t tag)
{
	const struct host *h = &d->host;
	int above = below->master ? below->master : below->ifindex;

	if (host_vif(&h->of[d->fam].vifs, above, 0))
		return above;
	for (const struct probe_link *l = h->links.v; l < h->links.v + h->links.n; l++)
		if (evidence_bridge_is_above(h, l, below, tag) && host_vif(&h->of[d->fam].vifs, l->ifindex, 0))
			return l->ifindex;
	return above;
}

void evidence_bridge_in(const struct doctor *d, const struct watched *w, int port, int in, struct evidence *e)
{
	const struct probe_link *l = host_link(&d->host, port), *bridge;
	enum bridge_wish wish;
	uint16_t vlan;

	bridge = bridge_below(&d->host, in, &vlan);
	if (!l || !bridge || l->port.state == PORT_NONE || port == in)
		return;
	e->port_stops = l->port.state != PORT_FORWARDING || l->port.is_locked ||
			!bridge_has_vlan(&d->host, bridge, port, vlan) ||
			!bridge_has_vlan(&d->host, bridge, bridge->ifindex, vlan);
	/* Since 6.16 a bridge that takes in all multicast, as one that routes does, gets it all the same. */
	wish = bridge_wish(d, bridge, vlan, bridge->ifindex, &w->flow);
	e->is_kept = wish == BRIDGE_NOBODY && bridge->bridge.takes_all != 1;
	/* Queriers and routers of single VLANs are not read: it does where nothing else is left. */
	e->is_kept |= wish == BRIDGE_UNKNOWN && bridge->bridge.snoops_vlans == 1 && !e->port_stops &&
		      e->ingress == FILTER_PASSES;
	e->is_kept &= !(d->host.links.heeds_allmulti && bridge->allmulti == 1);
}
