/* SPDX-License-Identifier: ISC */
#include "applets/doctor/evidence_bridge.h"

#include "applets/doctor/bridge.h"

void evidence_bridge_out(const struct doctor *d, const struct watched *w, bool is_seen, struct evidence_out *o)
{
	const struct probe_link *bridge, *port = NULL;
	uint16_t vlan;

	bridge = bridge_below(&d->host, o->ifindex, &vlan);
	if (!bridge)
		return;
	o->bridge = bridge->ifindex;
	o->is_unwanted = true;
	while ((port = bridge_port(&d->host, bridge, port))) {
		enum bridge_wish wish = bridge_wish(d, bridge, vlan, port->ifindex, &w->flow);
		const struct sighting *s = flows_on(&d->flows, w, port->ifindex);
		uint64_t got = !is_seen ? sample_sent(d, port) : s ? s->n[SNIFF_OUT] : 0;

		o->most = got > o->most ? got : o->most;
		o->is_unwanted &= wish == BRIDGE_NOBODY || wish == BRIDGE_OTHERS;
		if ((wish != BRIDGE_MEMBER && wish != BRIDGE_ROUTER) || (o->port && got >= o->port_got))
			continue;
		o->port = port->ifindex;
		o->port_got = got;
	}
}

int evidence_bridge_above(const struct doctor *d, const struct probe_link *port)
{
	const struct host *h = &d->host;
	int above = port->master;
	uint16_t vlan;

	if (!above || host_vif(&h->of[d->fam].vifs, above, 0))
		return above;
	for (const struct probe_link *l = h->links.v; l < h->links.v + h->links.n; l++) {
		const struct probe_link *bridge = l->lower ? bridge_below(h, l->ifindex, &vlan) : NULL;

		if (bridge && bridge->ifindex == port->master && host_vif(&h->of[d->fam].vifs, l->ifindex, 0))
			return l->ifindex;
	}
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
			!bridge_has_vlan(&d->host, bridge, port, vlan);
	/* Since 6.9 a bridge that takes all multicast (IFF_ALLMULTI), as a VIF does, gets it all the same. */
	wish = bridge_wish(d, bridge, vlan, bridge->ifindex, &w->flow);
	e->is_kept = (wish == BRIDGE_NOBODY || wish == BRIDGE_OTHERS) && bridge->bridge.takes_all != 1;
}
