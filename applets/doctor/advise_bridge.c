/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_bridge.h"

#include <stdio.h>
#include <string.h>

#include "applets/doctor/advise_filter.h"
#include "applets/doctor/advise_link.h"
#include "applets/doctor/advise_rule.h"
#include "applets/doctor/bridge.h"
#include "conf/match.h"

#define PORTS_NAMED 4		/* so many get a command each */
#define ASKED_NAMED 4		/* sources that members asked for */

/* ---- on the way out ---- */

bool advise_bridge_asked(const struct advice *r, const struct probe_link *bridge, uint16_t vlan, struct buf *text)
{
	const struct probe_mdb *e = NULL;
	bool any = false;
	char src[ADDR_STRLEN];
	unsigned n = 0;

	while ((e = bridge_member(r->d, bridge, vlan, &r->x->w->flow, e))) {
		if (e->port == bridge->ifindex)
			continue;
		any = true;
		if (flow_any_source(&e->flow) || n++ >= ASKED_NAMED)
			continue;
		buf_printf(text, "%s%s%s behind %s", n > 1 ? ", " : " (", e->is_blocked ? "all but " : "",
			   addr_str(&e->flow.source, src), host_name(&r->d->host, e->port));
	}
	if (n > ASKED_NAMED)
		buf_printf(text, " and %u more", n - ASKED_NAMED);
	buf_str(text, n ? ")" : "");
	return any;
}

/* What is known of the group behind a port: whether somebody joined it, and whether there is an entry of this source,
 * which another one would not get past. */
static bool advise_bridge_joined(const struct advice *r, const struct probe_link *bridge, uint16_t vlan, int port,
				 bool *has_own)
{
	const struct probe_mdb *e = NULL;
	bool any = false;

	*has_own = false;
	while ((e = bridge_member(r->d, bridge, vlan, &r->x->w->flow, e))) {
		any |= e->port == port;
		*has_own |= e->port == port && flow_eq(&e->flow, &r->x->w->flow);
	}
	return any;
}

/* The commands that have a bridge pass a group to its ports, whoever is behind them; where others are asked for, this
 * source to the ports behind which that was.  A group of SSM has members of a source alone (RFC 4607, section 4). */
static void advise_bridge_members(struct advice *r, const struct probe_link *bridge, uint16_t vlan, bool others)
{
	const struct host *h = &r->d->host;
	const struct probe_link *port = NULL;
	char name[REMEDY_WORD], word[REMEDY_WORD], tag[16] = "", source[ADDR_STRLEN + 8] = "";
	bool has_own, any = false;
	unsigned n = 0;

	text_shell_word(name, sizeof name, bridge->name);
	if (vlan)
		snprintf(tag, sizeof tag, " vid %u", vlan);
	if (*r->src && bridge->bridge.by_source[r->fam] && (others || match_is_ssm(&r->x->w->flow.group, 128)))
		snprintf(source, sizeof source, " src %s", r->src);
	while ((port = bridge_port(h, bridge, port)))
		n += bridge_has_vlan(h, bridge, port->ifindex, vlan);
	while (n && n <= PORTS_NAMED && (*source || !others) && (port = bridge_port(h, bridge, port))) {
		if (!bridge_has_vlan(h, bridge, port->ifindex, vlan) ||
		    (advise_bridge_joined(r, bridge, vlan, port->ifindex, &has_own) ? has_own : others))
			continue;
		finding_fix(r->f, "bridge mdb add dev %s port %s grp %s%s permanent%s", name,
			    text_shell_word(word, sizeof word, port->name), r->group, source, tag);
		any = true;
	}
	if (any)
		finding_or(r->f);
	remedy_link(r->f, bridge->name, "type bridge mcast_snooping 0");
}

void advise_bridge_nobody(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	const struct host *h = &r->d->host;
	const struct probe_link *bridge = host_link(h, o->bridge), *port = NULL;
	const struct advise_hooks at = { o, HOOK_PORT_OUT, HOOK_PORT_EGRESS, false };
	const unsigned may = ADVISE_FATE(FATE_UNKNOWN) | ADVISE_FATE(FATE_BY_CHANCE);
	struct buf who = { 0 };
	bool others;
	char why[ADVISE_WHY];
	uint16_t vlan;

	if (!bridge)
		return;
	bridge_below(h, o->ifindex, &vlan);
	others = advise_bridge_asked(r, bridge, vlan, &who);
	port = advise_link_stuck(r, bridge, vlan, why);
	if (bridge_port(h, bridge, NULL) &&
	    (o->is_unwanted || (bridge->bridge.snoops_vlans == 1 && !others && !port && o->ports == FILTER_PASSES))) {
		finding_add(r->f, FINDING_ERROR, "nobody behind it wants them: %s of %s were sent to %s, and the "
			    "bridge %s, which snoops, passed them to none of its ports: %s%s; a receiver must join the "
			    "group%s (bridge -d mdb show dev %s lists who did), or the bridge be told to pass it on "
			    "all the same, until it is made anew", advice_count(r, l), r->flow,
			    host_name(h, o->ifindex), bridge->name, others ?
			    "who joined it there asked for other sources" :
			    "nobody joined it there, and no router is known", buf_cstr(&who),
			    others || match_is_ssm(&r->x->w->flow.group, 128) ? " for this source" : "",
			    bridge->name);
		buf_free(&who);
		advise_bridge_members(r, bridge, vlan, others);
		return;
	}
	buf_free(&who);
	if (!port)
		advise_filter_names(r, &at, may, &who);
	finding_add(r->f, FINDING_ERROR, "the bridge keeps them: %s of %s were sent to %s, and %s passed them to none "
		    "of its ports; %s%s%s%s", advice_count(r, l), r->flow, host_name(h, o->ifindex), bridge->name,
		    port ? port->name : bridge_port(h, bridge, NULL) ?
		    "look for a filter of the bridge (nft family bridge, ebtables)" : "it has none",
		    port ? " " : "", why, buf_cstr(&who));
	buf_free(&who);
	if (port) {
		advise_link_port_mend(r, bridge, port, vlan);
	} else {
		advise_filter_fix(r, &at, may, false);
		finding_fix(r->f, "nft list ruleset bridge");
		finding_fix(r->f, "bridge -d link show");
	}
}

void advise_bridge_port(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	const struct host *h = &r->d->host;
	const struct probe_link *bridge = host_link(h, o->bridge), *port = host_link(h, o->port);
	uint32_t largest = r->x->here ? r->x->here->len_max : 0;
	char why[ADVISE_WHY], text[32];
	uint16_t vlan;

	if (!bridge || !port)
		return;
	bridge_below(h, o->ifindex, &vlan);
	advise_link_port(r, bridge, port, vlan, why);
	/* is_skb_forwardable() of net/core/dev.c */
	if (!*why && (largest ? largest : bridge->mtu) > port->mtu)
		snprintf(why, sizeof why, "takes none above its MTU of %u", port->mtu);
	finding_add(r->f, FINDING_ERROR, "a port of the bridge does not get them: %s of %s were sent to %s and did not "
		    "leave by %s, a port of %s behind which somebody wants them; it %s", advice_count(r, l), r->flow,
		    host_name(h, o->ifindex), port->name, bridge->name, *why ? why :
		    "passes on frames: look for a filter of the bridge (nft family bridge, ebtables) or of tc");
	snprintf(text, sizeof text, "mtu %u", largest);
	if (largest > port->mtu)
		remedy_link(r->f, port->name, text);
	else
		advise_link_port_mend(r, bridge, port, vlan);
}

/* ---- on the way in ---- */

const struct probe_link *advise_bridge_from(const struct advice *r)
{
	const struct probe_link *from = NULL;
	const struct sighting *s = NULL;

	while ((s = flows_next(&r->d->flows, r->x->w, s))) {
		const struct probe_link *l = s->n[SNIFF_WIRE] ? host_link(&r->d->host, s->ifindex) : NULL;

		if (l && l->port.state != PORT_NONE)
			from = l;
	}
	return from;
}

/* The word `locked` came to iproute2 with 5.17; a port that is put in anew is not. */
static void advise_bridge_unlock(struct advice *r, const struct probe_link *bridge, const struct probe_link *port)
{
	char name[REMEDY_WORD], master[REMEDY_WORD];

	text_shell_word(name, sizeof name, port->name);
	finding_fix(r->f, "bridge link set dev %s locked off", name);
	finding_or(r->f);
	finding_fix(r->f, "ip link set dev %s nomaster", name);
	finding_fix(r->f, "ip link set dev %s master %s", name,
		    text_shell_word(master, sizeof master, bridge->name));
}

void advise_bridge_port_in(struct advice *r, const struct loss *l)
{
	const struct probe_link *port = r->x->here ? host_link(&r->d->host, r->x->here->ifindex) : NULL, *bridge;
	const struct probe_link *stuck = port;
	char why[ADVISE_WHY];
	uint16_t vlan;

	bridge = bridge_below(&r->d->host, r->x->in, &vlan);
	if (!port || !bridge)
		return;
	if (!*advise_link_port(r, bridge, port, vlan, why)) {
		snprintf(why, sizeof why, "is locked: it takes in known addresses alone");
		if (!port->port.is_locked)
			stuck = advise_link_stuck(r, bridge, vlan, why);
	}
	finding_add(r->f, FINDING_ERROR, "a port of the bridge takes nothing in: %s of %s came in on %s, a port of "
		    "%s, and did not get to %s; %s %s", advice_count(r, l), r->flow, port->name, bridge->name,
		    r->in_name, stuck ? stuck->name : "it", why);
	if (stuck && stuck != port)
		advise_link_port_mend(r, bridge, stuck, vlan);
	else if (port->port.state == PORT_FORWARDING && port->port.is_locked)
		advise_bridge_unlock(r, bridge, port);
	else
		advise_link_port_mend(r, bridge, port, vlan);
}

/* True when a rule sends what comes in on an interface out there again: a member of the group then gets nothing. */
static bool advise_bridge_is_relay(const struct advice *r, const struct probe_link *l)
{
	const struct conf_rule *m = l ? advise_rule_of(r, l) : NULL;
	const struct probe_link *out;

	for (struct host_output at = { 0 }; m && (out = host_output(&r->d->host, m, &at));)
		if (out == l)
			return true;
	return false;
}

static void advise_bridge_join(struct advice *r, const struct probe_link *bridge, const struct probe_link *in,
			       uint16_t vlan)
{
	char word[REMEDY_WORD];

	if (r->k->taken == 1 && !advice_is_foreign(r->d) && in && !advise_bridge_is_relay(r, in)) {
		advise_rule_join(r, in->name);
		finding_or(r->f);
	}
	if (bridge->bridge.snoops_vlans == 1)
		finding_fix(r->f, "bridge vlan set dev %s vid %u self mcast_router 2",
			    text_shell_word(word, sizeof word, bridge->name), vlan);
	else
		remedy_link(r->f, bridge->name, "type bridge mcast_router 2");
}

void advise_bridge_kept(struct advice *r, const struct loss *l)
{
	const struct probe_link *bridge;
	uint16_t vlan;

	bridge = bridge_below(&r->d->host, r->x->in, &vlan);
	if (!bridge)
		return;
	finding_add(r->f, FINDING_ERROR, "the bridge keeps them from this host: %s of %s came in on %s, a port of %s, "
		    "which snoops and hands a group to this host only when it is a member of it; join it, or have the "
		    "bridge hand over all groups", advice_count(r, l), r->flow,
		    r->x->here ? host_name(&r->d->host, r->x->here->ifindex) : "a port", bridge->name);
	advise_bridge_join(r, bridge, r->in, vlan);
}

bool advise_bridge_keeps(struct advice *r, const struct probe_link *l)
{
	const struct probe_link *bridge;
	enum bridge_wish wish;
	uint16_t vlan;

	bridge = bridge_below(&r->d->host, l->ifindex, &vlan);
	if (!bridge || !bridge_keeps(&r->d->host, bridge, l, r->fam))
		return false;
	wish = bridge_wish(r->d, bridge, vlan, bridge->ifindex, &r->x->w->flow);
	if (wish != BRIDGE_NOBODY)
		return false;
	r->f->what = "snooping";
	finding_add(r->f, FINDING_ERROR, "the bridge keeps them from this host: a rule waits for %s on %s, and %s, "
		    "which snoops, hands a group to this host only when it is a member of it; join it, or have the "
		    "bridge hand over all groups", r->flow, l->name, bridge->name);
	advise_bridge_join(r, bridge, l, vlan);
	return true;
}

/* ---- rules that name a port ---- */

/* The command that puts another name in the place of the one that a rule of the file has. */
static bool advise_bridge_rename(struct advice *r, const struct conf_rule *m, const char *from, const char *to)
{
	const struct conf *c = r->d->file_conf;
	const struct conf_rule *written = c->mroutes, *end = written + c->nmroutes;
	struct buf file = { 0 };

	while (written < end && (!flow_range_eq(&written->range, &m->range) ||
				 strcmp(c->names[written->iif].ifname.text, from)))
		written++;
	if (written == end || !remedy_is_plain(from, "_-") || !remedy_is_plain(to, "_-."))
		return false;
	buf_shell_word(&file, c->files[written->where.file]);
	finding_fix(r->f, "sed -i '%lu s/\\b%s\\b/%s/' %s", (unsigned long)written->where.line, from, to,
		    buf_cstr(&file));
	buf_free(&file);
	finding_fix(r->f, "%s reload", running_ctl(&r->d->running));
	return true;
}

bool advise_bridge_named(struct advice *r, const struct loss *l)
{
	const struct host *h = &r->d->host;
	const struct conf_rule *m = NULL;
	const struct probe_link *port = h->links.v, *end = port + h->links.n;
	struct buf rule = { 0 };

	for (; r->in && port < end; port++)
		if (port->master == r->in->ifindex && strcmp(r->in->kind, "vrf") && (m = advise_rule_of(r, port)))
			break;
	if (!m)
		return false;
	advise_rule_line(r, &rule, m);
	r->f->what = "port";
	finding_add(r->f, FINDING_ERROR, "the rule names a port: %s, and %s waits for them on %s, "
		    "a port of that, where nothing comes in; name %s instead", advice_came(r, l), buf_cstr(&rule),
		    port->name, r->in_name);
	buf_free(&rule);
	if (!advise_bridge_rename(r, m, port->name, r->in_name))
		advise_rule_add(r, "");
	return true;
}

bool advise_bridge_untagged(struct advice *r, const struct loss *l)
{
	const struct host *h = &r->d->host;
	const struct probe_link *vlan = h->links.v, *end = vlan + h->links.n, *from = advise_bridge_from(r);
	const struct conf_rule *m = NULL;
	struct buf rule = { 0 };
	char word[REMEDY_WORD];

	for (; r->in && vlan < end; vlan++)
		if (vlan->lower == r->in->ifindex && vlan->vlan && (m = advise_rule_of(r, vlan)))
			break;
	if (!m)
		return false;
	advise_rule_line(r, &rule, m);
	r->f->what = "vlan";
	finding_add(r->f, FINDING_ERROR, "not in that VLAN: %s without the tag of VLAN %u, and %s "
		    "waits for them on %s; put the sender, or its port, in that VLAN, or name %s", advice_came(r, l),
		    vlan->vlan, buf_cstr(&rule), vlan->name, r->in_name);
	buf_free(&rule);
	if (from && from->master == r->in->ifindex && r->in->bridge.filters_vlans == 1)
		finding_fix(r->f, "bridge vlan add dev %s vid %u pvid untagged",
			    text_shell_word(word, sizeof word, from->name), vlan->vlan);
	else
		advice_tcpdump(r, r->in_word);
	return true;
}

bool advise_bridge_waits(struct advice *r, const struct probe_link *port)
{
	const struct probe_link *bridge = host_link(&r->d->host, port->master);
	const struct conf_rule *m = advise_rule_of(r, port);
	struct buf rule = { 0 };

	/* Ports of a VRF are interfaces for IP; those of others hand their frames over. */
	if (!bridge || !strcmp(bridge->kind, "vrf") || !m || advice_is_foreign(r->d))
		return false;
	advise_rule_line(r, &rule, m);
	r->f->what = "port";
	finding_add(r->f, FINDING_ERROR, "the rule names a port: %s waits for %s on %s, a port of %s, where nothing "
		    "comes in; name %s instead", buf_cstr(&rule), r->flow, port->name, bridge->name, bridge->name);
	buf_free(&rule);
	advise_bridge_rename(r, m, port->name, bridge->name);
	advise_bridge_keeps(r, bridge);
	return true;
}
