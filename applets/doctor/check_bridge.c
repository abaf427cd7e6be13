/* SPDX-License-Identifier: ISC */
#include "applets/doctor/check_bridge.h"

#include "applets/doctor/bridge.h"
#include "applets/doctor/remedy.h"
#include "conf/match.h"

/* Nobody asks for members. */
static void check_bridge_quiet(struct host *h, const struct host_fam *k, const struct probe_link *bridge,
			       const struct probe_link *l, bool is_input)
{
	struct phyint_match line = match_phyint(h->conf->phyints, h->conf->nphyints, l->name);

	if (line.refresh || (line.has_mrdisc && !is_input))
		return;
	finding_add(&h->found, is_input ? FINDING_WARNING : FINDING_NOTE, "%s snoops and nobody on it asks for %s "
		    "members: it passes groups to all ports then, but switches behind it may forget who wants a group",
		    bridge->name, k->name);
	remedy_link(&h->found, bridge->name, "type bridge mcast_querier 1");
	finding_or(&h->found);
	remedy_link(&h->found, bridge->name, "type bridge mcast_snooping 0");
}

void check_bridges(struct host *h, const struct host_fam *k)
{
	for (const struct probe_link *l = h->links.v; l < h->links.v + h->links.n; l++) {
		const struct probe_link *bridge;
		bool in = false, join = false;
		uint16_t vlan;

		bridge = host_uses(h, l, k->fam) ? bridge_below(h, l->ifindex, &vlan) : NULL;
		if (!bridge)
			continue;
		for (uint32_t i = 0; i < h->conf->nnames; i++) {
			if (!host_means(h, i, l))
				continue;
			in |= h->use[i].in && h->use[i].fam[k->fam];
			join |= h->use[i].joins[k->fam];
		}
		if (bridge->bridge.snoops == 1 && bridge->bridge.querier[k->fam] == 0)
			check_bridge_quiet(h, k, bridge, l, in || join);
		if (!in || join || !bridge_keeps(h, bridge, l, k->fam))
			continue;
		finding_add(&h->found, FINDING_WARNING, "%s snoops, and hands a group to this host only when it is a "
			    "member of it: rules from %s get no %s packet without mgroup lines for their groups, or "
			    "phyint %s mrdisc", bridge->name, l->name, k->name, l->name);
		remedy_link(&h->found, bridge->name, "type bridge mcast_router 2");
	}
}
