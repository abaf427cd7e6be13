/* SPDX-License-Identifier: ISC
 *
 * Things in great numbers, beside those that the model knows one by one: places in the tables of the engine become free
 * and are given back, and what the model knows has to stay what it is; sources are more than there may be.
 */
#include <stdio.h>

#include "tests/fake/kernel.h"
#include "tests/fake/meaning.h"
#include "tests/fake/model_parts.h"

#define CROWD 80
#define CROWD_LINK 8			/* lower than those of the model; no wildcard means it */

enum { CROWD_WAITS, CROWD_STATIC, CROWD_JOINS, CROWD_KINDS };
static bool model_has[CROWD_KINDS][CROWD];
static bool model_is_crowded;

void model_begin_crowd(void)
{
	for (unsigned kind = 0; kind < CROWD_KINDS; kind++)
		for (unsigned k = 0; k < CROWD; k++)
			model_has[kind][k] = false;
	model_is_crowded = false;
}

void model_tell_crowd(void)
{
	struct link_event ev = { .kind = LINK_NEW, .name = "c0", .ifindex = CROWD_LINK, .flags = LINK_UP };

	if (model_is_crowded)
		router_link_event(&model_router, &ev);
}

static struct ifname model_crowd_name(char letter, unsigned k)
{
	char text[IFNAME_SIZE];
	int n = snprintf(text, sizeof text, "%c%u", letter, k);

	return ifname_of(text, (size_t)n);
}

/* One of a kind: some share a list of outputs, some an inbound interface. */
static void model_crowd_rule(struct change_rule *rule, struct ifname *oif, unsigned kind, unsigned k)
{
	struct flow flow;
	char text[32];

	snprintf(text, sizeof text, "226.%u.0.%u", kind, k);
	flow.group = model_addr(text);
	flow.source = model_addr(kind == CROWD_STATIC ? "10.9.0.1" : "0.0.0.0");
	*oif = model_crowd_name('y', k % 3 ? k : 0);
	*rule = (struct change_rule){ .oifs = oif, .noifs = 1, .range = flow_range_of(&flow) };
	rule->iif = kind == CROWD_STATIC ? model_crowd_name('c', 0) : model_crowd_name('x', k / 2);
	if (kind != CROWD_STATIC)
		rule->range.source_len = 96;
}

static void model_crowd_change(const struct change_rule *rule, bool is_join, uint32_t id, bool had)
{
	if (is_join && had)
		change_leave(&model_router, id, rule->owner);
	else if (is_join)
		change_join(&model_router, &rule->iif, &rule->range, rule->owner);
	else if (had)
		change_remove(&model_router, rule, id);
	else
		change_add(&model_router, rule, CHANGE_MORE, &id);
}

/* Asks for one in the names of owners of the crowd, whose claims outlive files, or takes it back. */
static void model_crowd_one(unsigned kind, unsigned k)
{
	static const char *const owners[] = { "crowd", "throng" };
	struct ruleset *s = &model_router.rules;
	const struct rules *t = kind == CROWD_JOINS ? &s->joins : &s->routes;
	struct change_rule rule;
	struct ifname oif;
	bool *has = &model_has[kind][k], had = *has;
	uint32_t id;

	model_crowd_rule(&rule, &oif, kind, k);
	rule.noifs = !had;
	if (had != (rules_find(s, t, &rule.iif, &rule.range) != HASH_NONE))
		model_say("of many rules one is %s", had ? "lost" : "there again");
	for (unsigned o = 0; o < 1 + k % 2; o++) {
		rule.owner = owner_hold(&s->owners, owners[o]);
		id = rules_find(s, t, &rule.iif, &rule.range);
		if (rule.owner == HASH_NONE)
			continue;
		if (!had || id != HASH_NONE)
			model_crowd_change(&rule, kind == CROWD_JOINS, id, had);
		owner_drop(&s->owners, rule.owner);
	}
	*has = rules_find(s, t, &rule.iif, &rule.range) != HASH_NONE;
	if (*has == had && !model_is_scarce)
		model_say("one of many rules is %s", had ? "not taken back" : "not added");
}

/* Sources that nobody knows send to a group of the model, some of them more than once. */
static void model_flood(uint64_t random)
{
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = (enum fam)model_take(&random, FAM_N) };
	const struct iface *i = iface_find_name(&model_router.ifs, meaning_names[model_take(&random, MEANING_IFACES)]);
	unsigned first = model_take(&random, 64), n = 1 + model_take(&random, 24), used = model_take(&random, 5);
	char text[32];

	if (!i || i->vif[up.fam] < 0)
		return;
	up.vif = i->vif[up.fam];
	up.flow.group = model_addr(model_groups[up.fam][model_take(&random, MODEL_GROUPS)]);
	for (unsigned k = first; k < first + n; k++) {
		snprintf(text, sizeof text, "%s%u", up.fam == FAM_4 ? "10.0.9." : "fd00::9:", k);
		up.flow.source = model_addr(text);
		if (fake_mfc_for(&up.flow, up.vif, NULL, NULL))
			continue;
		router_upcall(&model_router, &up, model_router.now);
		if (k % 5 < used)
			fake_set_stats(&up.flow, 2 + k, 100, 0);
	}
}

void model_crowd(uint64_t random)
{
	unsigned verb = model_take(&random, 6), kind = model_take(&random, CROWD_KINDS);
	unsigned first = model_take(&random, CROWD), n = model_take(&random, CROWD) + 1;

	if (!model_is_crowded) {
		model_is_crowded = true;
		fake_link_add(CROWD_LINK);
		fake_link_lacks(CROWD_LINK, true, false);
		model_tell_crowd();
	}
	model_begin_scarce();
	if (verb < 2)
		model_flood(random);
	/* All come, all go, some do either. */
	for (unsigned k = 0; verb >= 2 && k < CROWD; k++)
		if (verb == 2 ? !model_has[kind][k] : verb == 3 ? model_has[kind][k] : (k + first) % CROWD < n)
			model_crowd_one(kind, k);
	router_sync(&model_router);
	model_end_scarce();
}

/* ---- who makes room ---- */

/* How many entries that may have to make room come in on each VIF. */
static void model_count_dynamic(unsigned count[FAM_N][KERNEL_VIFS])
{
	const struct mfcs *t = &model_router.mfc;

	for (uint32_t at = 0; at < t->n; at++)
		if (mfc_is_dynamic(&t->v[at]) && t->v[at].flags & MFC_USED && share_of(&t->shares, at) != HASH_NONE)
			count[flow_fam(&t->v[at].flow)][t->v[at].iif]++;
}

void model_event(void *ctx, const struct event *ev)
{
	unsigned count[FAM_N][KERNEL_VIFS] = { 0 };
	uint32_t at = ev->kind == EVENT_EVICTED ? mfc_find(&model_router.mfc, ev->flow) : HASH_NONE;

	(void)ctx;
	if (at == HASH_NONE)
		return;
	model_count_dynamic(count);
	for (enum fam f = 0; f < FAM_N; f++)
		for (int vif = 0; vif < KERNEL_VIFS; vif++)
			if (count[f][vif] > count[flow_fam(ev->flow)][model_router.mfc.v[at].iif])
				model_say("one of few entries made room, and others have more");
}

/* ---- a flow whose packets come back ---- */

void model_storm(uint64_t random)
{
	enum fam fam = (enum fam)model_take(&random, FAM_N);
	struct flow flow = { model_addr(model_sources[fam][model_take(&random, MODEL_SOURCES)]),
			     model_addr(model_groups[fam][model_take(&random, MODEL_GROUPS)]) };
	struct mfc_stats st;

	fake_set_received(model_take(&random, 1000));
	for (unsigned turn = 0; turn < 33; turn++) {
		model_note_packet(&flow);
		if (!fake_mfc(&flow, NULL, NULL) || kernel_mfc_stats(&flow, &st) < 0)
			return;
		fake_set_stats(&flow, st.packets + 100000, st.bytes, st.wrong_if);
		model_wait(2000);
	}
}
