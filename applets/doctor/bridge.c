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

/* True for an entry of that bridge and VLAN. */
static bool bridge_is_of(const struct probe_mdb *e, const struct probe_link *bridge, uint16_t vlan)
{
	return !e->is_router && e->bridge == bridge->ifindex && (bridge->bridge.filters_vlans != 1 || e->vlan == vlan);
}

/* Of a bridge that looks at sources, an entry for the source decides alone, where there is one
 * (br_mdb_entry_skb_get()); of any source, only ports count that want others than those (br_multicast_flood()). */
static bool bridge_is_member(const struct sample_mdb *m, const struct probe_link *bridge, uint16_t vlan, int port,
			     const struct flow *flow)
{
	bool by_source = bridge->bridge.by_source[flow_fam(flow)], has_own = false;
	struct flow any = *flow;
	uint32_t i;

	for (i = sample_mdb_find(m, flow); by_source && i < m->n && flow_eq(&m->v[i].flow, flow); i++) {
		if (!bridge_is_of(&m->v[i], bridge, vlan) || flow_any_source(flow))
			continue;
		has_own = true;
		if (m->v[i].port == port && !m->v[i].is_blocked)
			return true;
	}
	addr_any(flow_fam(flow), &any.source, &(uint8_t){ 0 });
	for (i = sample_mdb_find(m, &any); !has_own && i < m->n && flow_eq(&m->v[i].flow, &any); i++)
		if (bridge_is_of(&m->v[i], bridge, vlan) && m->v[i].port == port &&
		    !(by_source && m->v[i].is_include))
			return true;
	/* A flow that stands for all sources: any of them. */
	for (i = sample_mdb_find(m, &any); flow_any_source(flow) && i < m->n &&
					   addr_eq(&m->v[i].flow.group, &flow->group); i++)
		if (bridge_is_of(&m->v[i], bridge, vlan) && m->v[i].port == port && !m->v[i].is_blocked)
			return true;
	return false;
}

const struct probe_mdb *bridge_member(const struct doctor *d, const struct probe_link *bridge, uint16_t vlan,
				      const struct flow *flow, const struct probe_mdb *last)
{
	const struct sample_mdb *m = &d->after.mdb;
	const struct probe_mdb *at = last ? last + 1 : NULL;
	struct flow any = *flow;

	addr_any(flow_fam(flow), &any.source, &(uint8_t){ 0 });
	if (!last && m->n)
		at = m->v + sample_mdb_find(m, &any);
	for (; at && at < m->v + m->n && addr_eq(&at->flow.group, &flow->group); at++)
		if (bridge_is_of(at, bridge, vlan))
			return at;
	return NULL;
}

/* Entries of routers name no flow, so they come first. */
static bool bridge_is_router(const struct sample_mdb *m, const struct probe_link *bridge, uint16_t vlan, enum fam fam,
			     int port)
{
	for (const struct probe_mdb *e = m->v; e < m->v + m->n && e->is_router; e++)
		if (e->port == port && e->routes[fam] && (bridge->bridge.snoops_vlans != 1 || e->vlan == vlan))
			return true;
	return false;
}

static enum bridge_wish bridge_wish_at(const struct sample_mdb *m, const struct probe_link *bridge, uint16_t vlan,
				       int port, const struct flow *flow)
{
	const struct probe_bridge *b = &bridge->bridge;

	/* Without a querier nobody knows who has members (br_multicast_querier_exists()). */
	if (b->snoops == 0 || (b->querier[flow_fam(flow)] == 0 && b->snoops_vlans != 1))
		return BRIDGE_FLOODED;
	if (b->snoops < 0 || b->snoops_vlans < 0 || m->is_unseen)
		return BRIDGE_UNKNOWN;
	if (bridge_is_member(m, bridge, vlan, port, flow))
		return BRIDGE_MEMBER;
	if (bridge_is_router(m, bridge, vlan, flow_fam(flow), port))
		return BRIDGE_ROUTER;
	/* Each VLAN then has queriers of its own, which are not read. */
	return b->querier[flow_fam(flow)] < 0 || b->snoops_vlans ? BRIDGE_UNKNOWN : BRIDGE_NOBODY;
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
