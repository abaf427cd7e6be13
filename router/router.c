/* SPDX-License-Identifier: ISC
 *
 * The state from its beginning to its end, and what changes the rules in it:
 * configurations and edits by clients.  They mark what they concern; sync.c does
 * the rest.
 */
#include "router/router.h"

#include <stdlib.h>
#include <string.h>

#include "router/pending.h"
#include "router/sync.h"

int router_init(struct router *r, const struct router_ops *ops, void *ctx)
{
	memset(r, 0, sizeof *r);
	ifaces_init(&r->ifs);
	mfcs_init(&r->mfc);
	groups_init(&r->groups);
	r->conf = r->rules.conf = conf_new();
	if (!r->conf)
		return -1;
	memset(r->ttl, 1, sizeof r->ttl);
	r->mrdisc.interval = MRDISC_INTERVAL;
	r->expire_sec = 60;
	r->max_dynamic = 65536;
	r->lim_moved.burst = 20;
	r->ops = ops;
	r->ops_ctx = ctx;
	return 0;
}

void router_event(struct router *r, const struct event *ev)
{
	if (r->ops && r->ops->event)
		r->ops->event(r->ops_ctx, ev);
}

void router_family(struct router *r, enum fam fam, bool up)
{
	r->up[fam] = up;
	r->vifs_stale = true;
	if (!up)
		return;
	for (uint32_t id = 0; id < r->conf->nmroutes; id++)
		if (r->conf->mroutes[id].iif != CONF_NONE && flow_range_fam(&r->conf->mroutes[id].range) == fam)
			sync_touch_rule(r, id);
}

void router_shutdown(struct router *r)
{
	mrdisc_end(r);
	/* Closing the socket takes VIFs and entries out of the kernel in one go. */
	for (enum fam f = 0; f < FAM_N; f++)
		kernel_mroute_close(f);
	kernel_join_close();
	groups_free(&r->groups);
	free(r->told.waits);
	rules_free(&r->rules);
	mfcs_free(&r->mfc);
	ifaces_free(&r->ifs);
	conf_free(r->conf);
	r->conf = NULL;
}

/* ---- configurations ---- */

/* Puts c in the place of the present conf and brings everything in line: till then its names mean nothing. */
static int adopt(struct router *r, struct conf *c)
{
	struct rules x;

	if (mfc_reserve(&r->mfc, r->mfc.n ? 0 : c->nmroutes) < 0 || rules_index(&x, c) < 0)
		return -1;
	if (r->settle)
		r->settle(r->settle_ctx);
	pending_keep(r, &x);
	rules_free(&r->rules);
	conf_free(r->conf);
	r->rules = x;
	r->conf = c;
	r->vifs_stale = r->groups.stale = r->adopted = true;
	if (groups_index(r) < 0)
		log_err("out of memory: run-time changes of group memberships will not work");
	for (struct iface *i = NULL; (i = iface_next(&r->ifs, i));)
		link_configure(r, i);
	memset(&r->changes, 0, sizeof r->changes);
	router_sync(r);
	return 0;
}

int router_apply_conf(struct router *r, struct conf *c, int64_t now)
{
	r->now = now;
	return adopt(r, c);
}

int router_compact(struct router *r, bool force)
{
	const struct conf *c = r->conf;
	uint32_t live = c->nmroutes - r->rules.removed, groups = c->nmgroups - r->groups.removed;

	if (!force && r->rules.removed < live + 1024 && c->nsets < 2 * live + 1024 &&
	    r->groups.removed < groups + 1024)
		return 0;
	struct conf *fresh = conf_copy(c);
	if (!fresh)
		return -1;
	if (adopt(r, fresh) < 0) {
		conf_free(fresh);
		return -1;
	}
	return 0;
}

/* ---- edits ---- */

/* Has VIFs looked at when nothing refers to one of these names any more. */
static void left_names(struct router *r, const uint16_t *names, uint32_t n, enum fam fam)
{
	for (uint32_t i = 0; i < n; i++)
		r->vifs_stale |= !r->conf->names[names[i]].refs[fam];
}

/* Gives rule id the outputs of a set. */
static void set_outputs(struct router *r, uint32_t id, uint32_t set)
{
	struct conf *c = r->conf;
	struct conf_rule *m = &c->mroutes[id];
	const struct conf_set *old = &c->sets[m->oifs];

	conf_mroute_oifs(c, m, set);
	left_names(r, c->pool + old->off, old->n, flow_range_fam(&m->range));
}

/* The outputs of a set and those that the rule names, or without those; UINT32_MAX with ENOMEM. */
static uint32_t new_outputs(struct router *r, uint32_t set, const struct router_rule *rule, bool take)
{
	set = rules_combine(r->conf, set, rule->oifs, rule->noifs, take);
	if (set == UINT32_MAX || rules_masks(&r->rules) < 0)
		return UINT32_MAX;
	rules_set_mask(&r->rules, set);
	return set;
}

int router_rule_add(struct router *r, const struct router_rule *rule, bool replace, uint32_t *id)
{
	struct conf *c = r->conf;
	struct conf_rule m = rule->key;
	uint32_t chain = rules_chain(&r->rules, &m.range), rank = c->rank;

	*id = rules_with_iif(c, chain, m.iif);
	m.oifs = new_outputs(r, *id == HASH_NONE || replace ? 0 : c->mroutes[*id].oifs, rule, false);
	if (m.oifs == UINT32_MAX)
		return -1;
	if (*id == HASH_NONE) {
		int at = conf_add_mroute(c, &m);

		if (at < 0 || rules_add(&r->rules, (uint32_t)at, chain) < 0)
			return -1;
		*id = (uint32_t)at;
	} else {
		set_outputs(r, *id, m.oifs);
	}
	/* A name that nothing referred to before has got a rank. */
	r->vifs_stale |= c->rank != rank;
	sync_touch_rule(r, *id);
	return 0;
}

int router_rule_remove(struct router *r, const struct router_rule *rule, uint32_t id)
{
	uint32_t set = 0;

	if (rule->noifs) {
		set = new_outputs(r, r->conf->mroutes[id].oifs, rule, true);
		if (set == UINT32_MAX)
			return -1;
	}
	sync_touch_rule(r, id);
	set_outputs(r, id, set);
	if (!rule->noifs) {
		rules_del(&r->rules, id);
		left_names(r, &rule->key.iif, 1, flow_range_fam(&rule->key.range));
	}
	return 0;
}

/* ---- questions ---- */

/* Why an interface is of no use to routes, or to memberships: NULL when it is. */
static const char *iface_reason(const struct iface *i, enum fam fam, bool routes)
{
	return i->disabled ? "disabled" :
	       !(i->flags & LINK_MULTICAST) ? "no MULTICAST flag" :
	       !routes || i->vif[fam] >= 0 ? NULL :
	       i->waits[fam] ? "no free VIF" :
	       i->vif_errno[fam] ? strerror(i->vif_errno[fam]) : "not in use";
}

/* The reason of all interfaces that a name means: NULL when one of them is of use. */
static const char *name_reason(const struct router *r, uint16_t name, enum fam fam, bool routes)
{
	const struct ifname *n = &r->conf->names[name].ifname;
	const char *reason = n->is_wildcard ? "no interface matches" : "no such interface";

	if (routes && !r->up[fam])
		return fam == FAM_4 ? "no IPv4 multicast routing" : "no IPv6 multicast routing";
	for (struct iface *i = NULL; reason && (i = iface_match(&r->ifs, n, i));)
		reason = iface_reason(i, fam, routes);
	return reason;
}

const char *router_group_reason(const struct router *r, const struct conf_rule *g)
{
	return name_reason(r, g->iif, flow_range_fam(&g->range), false);
}

const char *router_rule_reason(const struct router *r, const struct conf_rule *m, uint16_t *which)
{
	const struct conf *c = r->conf;
	const struct conf_set *s = &c->sets[m->oifs];
	enum fam fam = flow_range_fam(&m->range);

	if (r->up[fam] && rule_is_bound(&r->rules, m))
		return NULL;
	const char *reason = name_reason(r, *which = m->iif, fam, true);

	for (uint32_t i = 0; !reason && i < s->n; i++)
		reason = name_reason(r, *which = c->pool[s->off + i], fam, true);
	return reason;
}
