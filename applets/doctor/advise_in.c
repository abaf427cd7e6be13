/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_in.h"

#include <stdio.h>
#include <string.h>

#include "applets/doctor/advise_bridge.h"
#include "applets/doctor/advise_filter.h"
#include "applets/doctor/advise_rule.h"
#include "applets/doctor/advise_why.h"
#include "conf/match.h"

/* Between the wire and routing. */
static const struct advise_hooks advise_in_hooks = { NULL, HOOK_PORT_INGRESS, HOOK_BEFORE, false };

/* The route back is right, but not that for the mark or the ports that packets have by then. */
static void advise_in_rp_marks(struct advice *r, const struct loss *l)
{
	finding_add(r->f, FINDING_ERROR, "refused by the reverse path filter: %s, rp_filter is %d there, and the route "
		    "back leads elsewhere for %s", advice_came(r, l), r->in->rp_filter, remedy_rp_marks(r->in) ?
		    "the mark that a rule of the packet filter gave them, which src_valid_mark has it heed" :
		    "a rule for routes that asks for more than the source, a port say");
	remedy_sysctl(r->f, FAM_4, r->in_name, "rp_filter", r->in->rp_filter > 1 ? 0 : 2);
	finding_or(r->f);
	finding_fix(r->f, "ip rule show");
}

static void advise_in_rp_filter(struct advice *r, const struct loss *l)
{
	const struct addr *src = &r->x->as.source;
	struct host *h = &r->d->host;
	struct probe_route route;
	char why[RP_WHY] = "", text[ADDR_STRLEN];

	if (!r->in)
		return;
	if (!remedy_rp_refuses(h, r->in, src, &route, why)) {
		advise_in_rp_marks(r, l);
		return;
	}
	finding_add(r->f, FINDING_ERROR, "refused by the reverse path filter: %s, rp_filter is %d "
		    "there and %s%s%s", advice_came(r, l), r->in->rp_filter, why,
		    r->x->e.is_changed ? " to the source that the packet filter gives them, " : "",
		    r->x->e.is_changed ? addr_str(src, text) : "");
	remedy_rp_filter(h, r->in, src, 128, &route);
}

static void advise_in_wrong_iif(struct advice *r, const struct loss *l)
{
	finding_add(r->f, FINDING_ERROR, "wrong input interface: %s, the rule in force waits for "
		    "them on %s", advice_came(r, l),
		    host_name(&r->d->host, r->x->entry ? r->x->entry->iif : 0));
	if (!r->in)
		advice_root(r);
	advise_rule_add(r, r->src);
}

static void advise_in_no_vif(struct advice *r, const struct loss *l)
{
	if (r->k->taken != 0 && (advise_bridge_named(r, l) || advise_bridge_untagged(r, l)))
		return;
	if (r->k->taken == 0) {
		r->f->what = "no_router";
		finding_add(r->f, FINDING_ERROR, "no multicast router runs here: %s",
			    advice_came(r, l));
	} else {
		finding_add(r->f, FINDING_ERROR, "arrives where nothing is routed: %s, which no "
			    "rule in force names as its input", advice_came(r, l));
	}
	advise_rule_add(r, "");
}

/* The interface is known here: it has a VIF. */
static void advise_in_table(struct advice *r, const struct loss *l)
{
	const struct probe_vif *v = host_vif(&r->k->vifs, r->x->in, 0);
	uint32_t there = r->x->entry ? r->x->entry->table : 0;
	struct probe_lookup now = { .table = 0 };
	char where[REMEDY_WHERE];

	/* MIFs of other tables cannot be seen; the router of IPv4 has the same number (-t). */
	if (!v && !there)
		v = host_vif(&r->d->host.of[FAM_4].vifs, r->x->in, 0);
	if (v)
		there = v->table;
	probe_table(r->fam, r->in_name, &now);
	if (r->x->e.has_marked_table && !r->x->e.has_other_table) {
		finding_add(r->f, FINDING_ERROR, "looked up in another table: %s, and those with the mark (fwmark) "
			    "of a rule of `ip mrule` (pref %u) are %s; look for who gives them that mark",
			    advice_came(r, l), now.marked_pref,
			    remedy_where(now.marked, where));
		finding_fix(r->f, "nft list ruleset | grep -niE 'mark set'");
		there = there ? there : now.table;
		now = (struct probe_lookup){ .table = now.marked, .pref = now.marked_pref };
		finding_or(r->f);
		remedy_table(r->f, r->fam, r->in_name, &now, there);
		return;
	}
	finding_add(r->f, FINDING_ERROR, "looked up in another table: %s and are %s, the routes "
		    "are in table %u", advice_came(r, l), remedy_where(now.table, where), there);
	if (there)
		remedy_table(r->f, r->fam, r->in_name, &now, there);
}

static void advise_in_source(struct advice *r, const struct loss *l)
{
	finding_add(r->f, FINDING_ERROR, "not a source to be routed: %s, and no router forwards "
		    "packets from %s%s; give the sender an address of its own on the network of %s",
		    advice_came(r, l), r->src,
		    r->x->is_own ? ", which is an address of this host" : "", r->in_name);
	advice_tcpdump(r, r->in_word);
}

static void advise_in_family(struct advice *r, const struct loss *l)
{
	bool is_small = r->in && r->in->mtu < REMEDY_V6_MTU;

	finding_add(r->f, FINDING_ERROR, "IPv6 is off on %s: %s of %s came in there%s", r->in_name,
		    advice_count(r, l), r->flow, is_small ? "; its MTU is less than the 1280 that IPv6 needs" : "");
	remedy_v6(r->f, r->in);
}

static void advise_in_broken(struct advice *r, const struct loss *l)
{
	finding_add(r->f, FINDING_ERROR, "damaged: %s with a wrong checksum or length in the IP header; look "
		    "at the sender, or at what changes packets on the way", advice_came(r, l));
	advice_tcpdump(r, r->in_word);
}

/* Between the wire and the IP stack: tc, a chain of family netdev, or of family bridge for a port. */
static void advise_in_ingress(struct advice *r, const struct loss *l)
{
	static const struct advise_hooks at = { NULL, HOOK_PORT_INGRESS, HOOK_INGRESS, false };
	const unsigned may = ADVISE_FATE(FATE_UNKNOWN) | ADVISE_FATE(FATE_BY_CHANCE);
	const struct sighting *here = r->x->here;
	const char *on = here ? host_name(&r->d->host, here->ifindex) : r->in_name;
	bool is_port = here && here->ifindex != r->x->in;
	struct buf who = { 0 };
	char word[REMEDY_WORD];

	if (advise_filter_gone(r, &at, l))
		return;
	text_shell_word(word, sizeof word, on);
	if (here && here->vlan) {
		r->f->what = "vlan";
		finding_add(r->f, FINDING_ERROR, "tagged: %s of %s came in on %s with the tag of VLAN %u, which nobody "
			    "here takes off; have the switch do so, or make an interface for that VLAN (ip link add "
			    "link %s name NAME type vlan id %u) and name it in the rule", advice_count(r, l), r->flow,
			    on, here->vlan, r->in_word, here->vlan);
		advice_tcpdump(r, word);
		return;
	}
	if (!advise_filter_names(r, &at, may, &who))
		buf_printf(&who, "; look for a filter of %s there",
			   is_port ? "the bridge (ebtables, nft family bridge)" : "tc or nft family netdev");
	advise_filter_counted(r, here ? here->ifindex : r->x->in, &who);
	finding_add(r->f, FINDING_ERROR, "dropped on the way in: %s of %s came in on %s and did not get %s%s%s",
		    advice_count(r, l), r->flow, on, is_port ? "to " : "to IP", is_port ? r->in_name : "",
		    buf_cstr(&who));
	buf_free(&who);
	advise_filter_fix(r, &at, may, false);
	finding_fix(r->f, is_port ? "nft list ruleset bridge" : "nft list ruleset netdev");
	finding_fix(r->f, "tc -s filter show dev %s ingress", word);
	advice_tcpdump(r, word);
}

void advise_in_changed(struct advice *r, const struct loss *l)
{
	char now[FLOW_STRLEN], source[ADDR_STRLEN], group[ADDR_STRLEN];
	bool is_group = addr_is_multicast(&r->x->as.group, 128);
	struct buf who = { 0 };

	addr_str(&r->x->as.group, group);
	snprintf(now, sizeof now, "(%s, %s)", addr_str(&r->x->as.source, source), group);
	if (!advise_filter_names(r, &advise_in_hooks, ADVISE_FATE(FATE_CHANGED), &who))
		buf_str(&who, "; the rules that do so cannot be read without CAP_NET_ADMIN");
	if (!l)
		finding_add(r->f, FINDING_NOTE, "what comes in on %s as %s is routed as %s, whose outputs count%s",
			    r->in_name, r->flow, now, buf_cstr(&who));
	else
		finding_add(r->f, FINDING_ERROR, "made another flow: %s and are %s before they are "
			    "routed, so %s%s", advice_came(r, l), now, !r->x->e.is_regrouped ?
			    "rules for that source count" : is_group ? "rules for that group count" :
			    "they go to that host, not to a group", buf_cstr(&who));
	buf_free(&who);
	advise_filter_fix(r, &advise_in_hooks, ADVISE_FATE(FATE_CHANGED), false);
	if (r->x->e.is_regrouped && is_group)
		finding_fix(r->f, "smcroute-check doctor %s", group);
}

static void advise_in_lost(struct advice *r, const struct loss *l)
{
	const struct probe_counters *a = &r->d->before.count, *b = &r->d->after.count;
	const unsigned may = ADVISE_FATE(FATE_UNKNOWN) | ADVISE_FATE(FATE_BY_CHANCE);
	struct buf who = { 0 };

	if (advise_filter_gone(r, &advise_in_hooks, l))
		return;
	if (!advise_filter_names(r, &advise_in_hooks, may, &who))
		buf_str(&who, "; nothing that drops them for sure was found, look here");
	finding_add(r->f, FINDING_ERROR, "lost before routing: %s and did not get to the router%s",
		    advice_came(r, l), buf_cstr(&who));
	buf_free(&who);
	advise_filter_fix(r, &advise_in_hooks, may, false);
	if (r->x->e.filter == FILTER_UNSEEN)
		finding_fix(r->f, "nft list ruleset");
	if (b->rp_filter - a->rp_filter >= l->n && !r->d->is_uncounted)
		finding_fix(r->f, "nstat -az TcpExtIPReversePathFilter");
	finding_fix(r->f, "nstat -az | grep -iE 'drop|discard|err'");
	finding_fix(r->f, "ip %smrule show", r->fam == FAM_4 ? "" : "-6 ");
}

/* It waits in the kernel for an answer. */
static void advise_in_no_answer(struct advice *r, const struct loss *l)
{
	advise_rule_none(r, l);
	if (r->k->holder && !r->k->is_foreign) {
		r->f->what = "no_answer";
		finding_add(r->f, FINDING_NOTE, "the kernel has asked process %d (%s) about %s and waits for the "
			    "answer", r->k->holder, r->k->comm, r->flow);
	}
}

bool advise_in(struct advice *r, const struct loss *l)
{
	bool is_refused = l->verdict == VERDICT_LOST_IN && !r->x->e.nouts &&
			  running_metric(&r->d->running, RUNNING_REFUSED);
	bool is_rule = l->verdict == VERDICT_WRONG_IIF || l->verdict == VERDICT_NO_VIF ||
		       l->verdict == VERDICT_NO_ANSWER || is_refused;
	enum why why = is_rule && r->k->taken != 0 ? advise_why(r, l) : WHY_NOTHING;

	if (why != WHY_NOTHING)
		return why == WHY_CAUSE;
	switch (l->verdict) {
	case VERDICT_RP_FILTER:
		advise_in_rp_filter(r, l);
		break;
	case VERDICT_WRONG_IIF:
		advise_in_wrong_iif(r, l);
		break;
	case VERDICT_NO_VIF:
		advise_in_no_vif(r, l);
		break;
	case VERDICT_NO_ANSWER:
		advise_in_no_answer(r, l);
		break;
	case VERDICT_TABLE:
		advise_in_table(r, l);
		break;
	case VERDICT_FIREWALL:
	case VERDICT_LIMIT:
		advise_filter_dropped(r, &advise_in_hooks, l);
		break;
	case VERDICT_SOURCE:
		advise_in_source(r, l);
		break;
	case VERDICT_FAMILY:
		advise_in_family(r, l);
		break;
	case VERDICT_BROKEN:
		advise_in_broken(r, l);
		break;
	case VERDICT_PORT_IN:
		advise_bridge_port_in(r, l);
		break;
	case VERDICT_KEPT:
		advise_bridge_kept(r, l);
		break;
	case VERDICT_CHANGED:
		advise_in_changed(r, l);
		break;
	case VERDICT_INGRESS:
		advise_in_ingress(r, l);
		break;
	default:
		advise_in_lost(r, l);
	}
	return true;
}
