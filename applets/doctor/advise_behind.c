/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_behind.h"

#include <string.h>

#include "applets/doctor/advise_bridge.h"
#include "applets/doctor/bridge.h"

/* True when a bridge itself passes packets from the port where they come in to another one. */
static bool advise_behind_doubles(const struct advice *r, const struct probe_link *bridge)
{
	const struct probe_link *from = advise_bridge_from(r), *port = NULL;
	unsigned n = 0, isolated = 0;

	while ((port = bridge_port(&r->d->host, bridge, port))) {
		n++;
		isolated += port->port.is_isolated;
	}
	return n > 1 && !(isolated == n || (from && from->port.is_isolated && isolated > 1));
}

/* Appends the ports of a bridge behind which such is known of the flow. */
static void advise_behind_wishes(const struct advice *r, const struct probe_link *bridge, uint16_t vlan,
				 enum bridge_wish wish, struct buf *names)
{
	const struct probe_link *port = NULL;

	while ((port = bridge_port(&r->d->host, bridge, port)))
		if (bridge_wish(r->d, bridge, vlan, port->ifindex, &r->x->w->flow) == wish)
			buf_printf(names, "%s%s", names->len ? ", " : "", port->name);
}

/* The command that shows which groups are asked for behind which port. */
static void advise_behind_ports(struct advice *r, const struct probe_link *bridge)
{
	char word[REMEDY_WORD];

	finding_fix(r->f, "bridge -d mdb show dev %s", text_shell_word(word, sizeof word, bridge->name));
}

static void advise_behind_bridge(struct advice *r, const struct evidence_out *o, const struct probe_link *bridge)
{
	const char *name = host_name(&r->d->host, o->ifindex);
	struct buf members = { 0 }, routers = { 0 }, asked = { 0 };
	uint16_t vlan;
	bool is_asked;

	bridge_below(&r->d->host, o->ifindex, &vlan);
	is_asked = advise_bridge_asked(r, bridge, vlan, &asked);
	advise_behind_wishes(r, bridge, vlan, BRIDGE_MEMBER, &members);
	advise_behind_wishes(r, bridge, vlan, BRIDGE_ROUTER, &routers);
	r->f->what = "hairpin";
	if (bridge == r->in && o->ifindex == r->x->in && advise_behind_doubles(r, bridge)) {
		finding_add(r->f, FINDING_NOTE, "%s is input and output of %s: the bridge itself passes it on between "
			    "its ports, so that receivers there get each packet twice; without that output they get "
			    "it once", name, r->flow);
		advise_behind_ports(r, bridge);
	}
	r->f->what = "snooping";
	if (bridge->bridge.snoops == 1 && bridge->bridge.querier[r->fam] == 0)
		finding_add(r->f, FINDING_NOTE, "%s snoops and nobody on it asks for %s members: it passes all groups "
			    "to all ports, but switches behind it may forget who wants them", bridge->name,
			    fam_str(r->fam));
	else if (bridge->bridge.snoops == 1 && !o->port && !r->x->e.is_seen)
		finding_add(r->f, FINDING_UNSEEN, "to which ports %s passes them: it snoops, and who asks for members "
			    "on it does not show; `bridge mdb show dev %s` lists those", bridge->name, bridge->name);
	else if (routers.len && !members.len)
		finding_add(r->f, FINDING_NOTE, is_asked ?
			    "who joined on %s asked for other sources of %s%s: it passes them only to %s, where "
			    "another router or a querier is; a receiver behind another port must join for this source" :
			    "nobody on %s joined %s%s: it passes them only to %s, where another router or a querier "
			    "is; a receiver behind another port must join", bridge->name, r->group, buf_cstr(&asked),
			    buf_cstr(&routers));
	buf_free(&members);
	buf_free(&routers);
	buf_free(&asked);
}

/* An output that is a port of a bridge: what leaves there does not pass the bridge. */
static void advise_behind_port(struct advice *r, const struct probe_link *port)
{
	const char *bridge = host_name(&r->d->host, port->master);

	r->f->what = "port";
	if (port->master == r->x->in)
		finding_add(r->f, FINDING_NOTE, "%s is a port of %s, where %s comes in: the bridge itself passes it on "
			    "there, so that receivers may get each packet twice", port->name, bridge, r->flow);
	else
		finding_add(r->f, FINDING_NOTE, "%s is a port of %s: what is sent there leaves by this port alone; "
			    "name %s for receivers behind its other ports", port->name, bridge, bridge);
}

void advise_behind(struct advice *r, uint32_t outs)
{
	const struct evidence *e = &r->x->e;
	struct buf far = { 0 };

	for (unsigned i = 0; i < e->nouts; i++) {
		const struct probe_link *l = host_link(&r->d->host, e->out[i].ifindex);
		const struct probe_link *bridge = host_link(&r->d->host, e->out[i].bridge);

		if (!(outs >> i & 1))
			continue;
		if (l && !strcmp(l->kind, "wireguard")) {
			r->f->what = "wireguard";
			finding_add(r->f, FINDING_NOTE, "the peer on %s gets them only when its AllowedIPs hold %s",
				    l->name, r->group);
		}
		if (bridge)
			advise_behind_bridge(r, &e->out[i], bridge);
		else if (l && l->port.state != PORT_NONE)
			advise_behind_port(r, l);
		else if (l)
			buf_printf(&far, "%s%s", far.len ? ", " : "", l->name);
	}
	r->f->what = "behind";
	if (far.len)
		finding_add(r->f, FINDING_UNSEEN, "what becomes of %s behind %s: a switch there that snoops passes the "
			    "group only to ports where somebody joined; its list of members tells", r->group,
			    buf_cstr(&far));
	buf_free(&far);
}

void advise_behind_bridged(struct advice *r)
{
	const struct probe_link *bridge, *port = NULL, *from = advise_bridge_from(r);
	struct buf members = { 0 }, isolated = { 0 };
	uint16_t vlan;

	bridge = bridge_below(&r->d->host, r->x->in, &vlan);
	while (bridge && (port = bridge_port(&r->d->host, bridge, port)))
		if (port != from &&
		    bridge_wish(r->d, bridge, vlan, port->ifindex, &r->x->w->flow) == BRIDGE_MEMBER) {
			struct buf *b = from && from->port.is_isolated && port->port.is_isolated ? &isolated : &members;

			buf_printf(b, "%s%s", b->len ? ", " : "", port->name);
		}
	r->f->what = "hairpin";
	if (members.len) {
		finding_add(r->f, FINDING_NOTE, "receivers behind %s, on %s itself, get %s by the bridge: they need no "
			    "rule", buf_cstr(&members), bridge->name, r->flow);
		advise_behind_ports(r, bridge);
	}
	if (isolated.len) {
		finding_add(r->f, FINDING_NOTE, "receivers behind %s get nothing of %s by the bridge: that port and "
			    "%s, where it comes in, are isolated from each other; a rule from %s to %s sends it there",
			    buf_cstr(&isolated), r->flow, from->name, r->in_name, r->in_name);
		advise_behind_ports(r, bridge);
	}
	buf_free(&members);
	buf_free(&isolated);
}
