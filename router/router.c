/* SPDX-License-Identifier: ISC
 *
 * What changes the rules marks what that concerns; sync.c does the rest.
 */
#include "router/router.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "router/apply.h"
#include "router/entry.h"
#include "router/expire.h"
#include "router/mark.h"
#include "router/reflect.h"

int router_init(struct router *r, const struct router_ops *ops, void *ctx)
{
	memset(r, 0, sizeof *r);
	ifaces_init(&r->ifs);
	mfcs_init(&r->mfc);
	memset(r->ttl, 1, sizeof r->ttl);
	r->expire_sec = 60;
	r->max_dynamic = 65536;
	r->lim_moved.burst = 20;
	r->ops = ops;
	r->ops_ctx = ctx;
	r->groups = groups_new();
	r->mrdisc = mrdisc_new();
	r->refresh = refresh_new();
	return ruleset_init(&r->rules) == 0 && r->groups && r->mrdisc && r->refresh ? 0 : -1;
}

void router_family(struct router *r, enum fam fam, bool up)
{
	struct rules *t = &r->rules.routes;

	r->up[fam] = up;
	r->vifs_stale = true;
	for (uint32_t id = up ? t->first : HASH_NONE; id != HASH_NONE; id = t->v[id].next)
		if (flow_range_fam(&t->v[id].range) == fam)
			mark_rule(r, &t->v[id]);
}

void router_shutdown(struct router *r)
{
	mrdisc_end(r);
	refresh_end(r);
	/* Closing the socket takes VIFs and entries out of the kernel in one go. */
	for (enum fam f = 0; f < FAM_N; f++)
		kernel_mroute_close(f);
	kernel_join_close();
	groups_free(r->groups);
	mfcs_free(&r->mfc);
	ifaces_free(&r->ifs);
	ruleset_free(&r->rules);
}

int router_apply(struct router *r, const struct conf *c, int64_t now)
{
	r->now = now;
	if (apply_conf(r, c) < 0)
		return -1;
	r->vifs_stale = r->groups->stale = true;
	for (struct iface *i = NULL; (i = iface_next(&r->ifs, i));)
		link_configure(r, i);
	mark_refused(r);
	reflect_mark(r);
	memset(&r->changes, 0, sizeof r->changes);
	router_sync(r);
	return 0;
}

int64_t router_due(const struct router *r)
{
	const int64_t due[] = {
		r->pass_due, mrdisc_due(r->mrdisc), reflect_due(r), refresh_due(r->refresh),
	};
	int64_t first = 0;

	if (groups_ticket(r->groups))
		return r->now ? r->now : 1;
	for (unsigned i = 0; i < sizeof due / sizeof *due; i++)
		if (due[i] && (!first || due[i] < first))
			first = due[i];
	return first;
}

void router_tick(struct router *r, int64_t now)
{
	r->now = now;
	expire_tick(r);
	groups_tick(r);
	mrdisc_tick(r);
	refresh_tick(r);
	if (reflect_tick(r))
		router_sync(r);
}

uint32_t router_flush(struct router *r)
{
	uint32_t n = 0;

	for (uint32_t at = 0; at < r->mfc.n; at++)
		if (mfc_is_dynamic(&r->mfc.v[at])) {
			entry_drop(r, at);
			n++;
		}
	return n;
}

/* ---- edits ---- */

/* Holds the list of outputs that is made of another one and the names of a route, or, with `take`, lacks those;
 * HASH_NONE with ENOMEM or ENOSPC. */
static uint32_t router_combine(struct names *t, uint32_t list, const struct router_rule *rule, bool take)
{
	uint16_t *v = malloc((rule->noifs + 1) * sizeof *v);
	uint32_t n = 0, id = 0;

	if (!v)
		return HASH_NONE;
	for (uint32_t i = 0; i < rule->noifs && id != HASH_NONE; i++) {
		/* A name that nobody refers to is in no list. */
		if (take && name_find(t, &rule->oifs[i]) == HASH_NONE)
			continue;
		id = name_hold(t, &rule->oifs[i]);
		if (id != HASH_NONE)
			v[n++] = (uint16_t)id;
	}
	list = id == HASH_NONE ? HASH_NONE : oif_list_combine(t, list, v, n, take);
	while (n)
		name_drop(t, v[--n]);
	free(v);
	return list;
}

int router_rule_add(struct router *r, const struct router_rule *rule, bool replace, uint32_t *id)
{
	struct rules *t = &r->rules.routes;
	struct names *names = &r->rules.names;
	uint32_t iif, oifs;

	/* With room for its entry mark_rule() cannot fail. */
	if (flow_range_is_single(&rule->range) && mfc_reserve(&r->mfc, 1) < 0)
		return -1;
	iif = name_hold(names, &rule->iif);
	if (iif == HASH_NONE)
		return -1;
	*id = rules_in_chain(t, rules_chain(t, &rule->range), iif);
	oifs = router_combine(names, *id == HASH_NONE || replace ? 0 : t->v[*id].oifs, rule, false);
	if (oifs != HASH_NONE && *id != HASH_NONE)
		rules_set_oifs(&r->rules, t, *id, oifs);
	else if (oifs != HASH_NONE)
		*id = rules_add(&r->rules, t, &rule->range, iif, oifs);
	name_drop(names, iif);
	if (oifs == HASH_NONE)
		return -1;
	oif_list_drop(names, oifs);
	if (*id == HASH_NONE)
		return -1;
	mark_rule(r, &t->v[*id]);
	return 0;
}

int router_rule_remove(struct router *r, const struct router_rule *rule, uint32_t id)
{
	struct rules *t = &r->rules.routes;

	if (rule->noifs) {
		uint32_t oifs = router_combine(&r->rules.names, t->v[id].oifs, rule, true);

		if (oifs == HASH_NONE)
			return -1;
		rules_set_oifs(&r->rules, t, id, oifs);
		oif_list_drop(&r->rules.names, oifs);
	} else {
		rules_del(&r->rules, t, id);
	}
	mark_range(r, &rule->range);
	return 0;
}
