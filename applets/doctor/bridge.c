/* SPDX-License-Identifier: ISC */
#include "applets/doctor/bridge.h"

#include <string.h>

#include "conf/match.h"

/* The VLAN of frames that this host sends into a bridge without a tag. */
static uint16_t bridge_untagged(const struct host *h, const struct probe_link *bridge)
{
	for (const struct probe_vlan *v = h->links.vlans; v < h->links.vlans + h->links.nvlans; v++)
		if (v->port == bridge->ifindex && v->is_untagged && bridge->bridge.filters_vlans == 1)
			return v->last;
	return 0;
}

bool bridge_has_vlan(const struct host *h, const struct probe_link *bridge, int port, uint16_t vlan)
{
	if (bridge->bridge.filters_vlans != 1)
		return true;
	for (const struct probe_vlan *v = h->links.vlans; v < h->links.vlans + h->links.nvlans; v++)
		if (v->port == port && v->first <= vlan && vlan <= v->last)
			return true;
	return false;
}

const struct probe_link *bridge_below(const struct host *h, int ifindex, uint16_t *vlan)
{
	const struct probe_link *l = host_link(h, ifindex);

	*vlan = 0;
	/* A VLAN may stand on a macvlan; more than these nobody has. */
	for (unsigned i = 0; l && i < 4; i++) {
		if (!strcmp(l->kind, "bridge")) {
			if (!*vlan || l->bridge.filters_vlans != 1)
				*vlan = bridge_untagged(h, l);
			return l;
		}
		if (strcmp(l->kind, "vlan") && strcmp(l->kind, "macvlan"))
			return NULL;
		if (!strcmp(l->kind, "vlan"))
			*vlan = l->vlan;
		l = host_link(h, l->lower);
	}
	return NULL;
}

/* Of a bridge that looks at sources, an entry for the source decides alone, where there is one
 * (br_mdb_entry_skb_get()); of any source, only ports count that want others than those (br_multicast_flood()). */
static enum bridge_wish bridge_member(const struct sample_mdb *m, const struct probe_link *bridge, uint16_t vlan,
				      int port, const struct flow *flow)
{
	bool by_source = bridge->bridge.by_source[flow_fam(flow)], has_own = false, own = false, any = false;
	bool others = false;

	for (const struct probe_mdb *e = m->v; e < m->v + m->n; e++) {
		if (e->is_router || e->bridge != bridge->ifindex || !addr_eq(&e->flow.group, &flow->group) ||
		    (bridge->bridge.filters_vlans == 1 && e->vlan != vlan))
			continue;
		others |= e->port == port;
		if (flow_any_source(&e->flow)) {
			any |= e->port == port && !(by_source && e->is_include);
		} else if (by_source && (addr_eq(&e->flow.source, &flow->source) || flow_any_source(flow))) {
			has_own |= !flow_any_source(flow);
			own |= e->port == port && !e->is_blocked;
		}
	}
	return own || (any && !has_own) ? BRIDGE_MEMBER : others ? BRIDGE_OTHERS : BRIDGE_NOBODY;
}

static bool bridge_is_router(const struct sample_mdb *m, enum fam fam, int port)
{
	for (const struct probe_mdb *e = m->v; e < m->v + m->n; e++)
		if (e->is_router && e->port == port && e->routes[fam])
			return true;
	return false;
}

static enum bridge_wish bridge_wish_at(const struct sample_mdb *m, const struct probe_link *bridge, uint16_t vlan,
				       int port, const struct flow *flow)
{
	const struct probe_bridge *b = &bridge->bridge;
	enum bridge_wish wish;

	/* Without a querier nobody knows who has members (br_multicast_querier_exists()). */
	if (b->snoops == 0 || b->querier[flow_fam(flow)] == 0)
		return BRIDGE_FLOODED;
	if (b->snoops < 0 || b->snoops_vlans != 0 || m->is_unseen)
		return BRIDGE_UNKNOWN;
	wish = bridge_member(m, bridge, vlan, port, flow);
	if (wish == BRIDGE_MEMBER)
		return wish;
	if (bridge_is_router(m, flow_fam(flow), port))
		return BRIDGE_ROUTER;
	return b->querier[flow_fam(flow)] < 0 ? BRIDGE_UNKNOWN : wish;
}

enum bridge_wish bridge_wish(const struct doctor *d, const struct probe_link *bridge, uint16_t vlan, int port,
			     const struct flow *flow)
{
	enum bridge_wish before = bridge_wish_at(&d->before.mdb, bridge, vlan, port, flow);

	return bridge_wish_at(&d->after.mdb, bridge, vlan, port, flow) == before ? before : BRIDGE_UNKNOWN;
}

const struct probe_link *bridge_port(const struct host *h, const struct probe_link *bridge,
				     const struct probe_link *last)
{
	const struct probe_link *end = h->links.v + h->links.n;

	for (const struct probe_link *at = last ? last + 1 : h->links.v; at < end; at++)
		if (at->master == bridge->ifindex && at->port.state != PORT_NONE)
			return at;
	return NULL;
}

bool bridge_keeps(const struct host *h, const struct probe_link *bridge, const struct probe_link *l, enum fam fam)
{
	/* A router that announces itself (mrdisc) gets all: br_ip4_multicast_mrd_rcv(). */
	return !h->links.heeds_allmulti && bridge->bridge.snoops == 1 && bridge->bridge.querier[fam] == 1 &&
	       bridge->bridge.takes_all != 1 &&
	       !match_phyint(h->conf->phyints, h->conf->nphyints, l->name).has_mrdisc;
}
