/* SPDX-License-Identifier: ISC
 *
 * What every part of the engine does with the state in the same way.
 */
#include "router/state.h"

#include <errno.h>

#include "router/claims.h"

void state_event(struct router *r, const struct event *ev)
{
	if (r->ops && r->ops->event)
		r->ops->event(r->ops_ctx, ev);
}

#define STATE_RETRY_MS 1000
#define STATE_RETRY_MOST 64000

void state_edit(struct router *r)
{
	r->edit.n = r->edit.failed = 0;
}

void state_edit_add(struct router *r, const struct ifname *iif, const struct flow_range *range)
{
	r->edit.v[r->edit.n++] = (struct edited){ .range = *range, .iif = *iif };
}

void state_edit_leave(struct router *r, const struct ifname *iif, const struct flow_range *range)
{
	r->edit.v[r->edit.n++] = (struct edited){ .range = *range, .iif = *iif, .is_join = true };
}

/* Whether one of the rules that decide is inside another one, which has no say then. */
struct state_say {
	const struct ruleset *set;
	const struct flow_range *range;
	bool is_none;
};

static void state_narrower(void *ctx, uint32_t id)
{
	struct state_say *say = ctx;
	const struct flow_range *narrow = &say->set->routes.v[id].range, *wide = say->range;

	say->is_none |= narrow->source_len >= wide->source_len && narrow->group_len >= wide->group_len &&
			narrow->source_len + narrow->group_len > wide->source_len + wide->group_len;
}

/* True when a rule, which may be gone, has or had a say in what becomes of a flow that comes in on a VIF. */
static bool state_has_say(const struct router *r, const struct edited *rule, const struct flow *flow, int vif)
{
	const struct iface *i = iface_by_vif(&r->ifs, flow_fam(flow), vif);
	struct state_say say = { .set = &r->rules, .range = &rule->range };

	if (rule->is_join || !flow_range_has(&rule->range, flow) || (i && !ifname_matches(&rule->iif, i->name)))
		return false;
	ruleset_deciding(&r->rules, flow, vif, state_narrower, &say);
	return !say.is_none;
}

static bool state_is_edited(const struct router *r, const struct flow *flow, uint32_t vifs)
{
	for (; vifs; vifs &= vifs - 1)
		for (unsigned i = 0; i < r->edit.n; i++)
			if (state_has_say(r, &r->edit.v[i], flow, __builtin_ctz(vifs)))
				return true;
	return false;
}

struct state_whose {
	const struct rules *rules;
	bool is_any, of_config;
};

static void state_ask_whose(void *ctx, uint32_t id)
{
	struct state_whose *whose = ctx;
	struct claim claim;

	whose->is_any = true;
	whose->of_config |= claims_find(whose->rules, id, OWNER_CONFIG, &claim);
}

/* True when rules that decide about a flow are there, and the configuration asks for none of them. */
static bool state_is_of_others(const struct router *r, const struct flow *flow, uint32_t vifs)
{
	struct state_whose whose = { .rules = &r->rules.routes };

	for (; vifs; vifs &= vifs - 1)
		ruleset_deciding(&r->rules, flow, __builtin_ctz(vifs), state_ask_whose, &whose);
	return whose.is_any && !whose.of_config;
}

/* Counts it, for the edit too if it is of that, and has all be tried again. */
static void state_refused(struct router *r, bool is_edited)
{
	r->count.errors++;
	r->changes.failed += r->sync.is_running;
	if (is_edited) {
		r->edit.failed++;
		r->edit.err = errno;
	}
	if (r->retry_due)
		return;
	r->retry_ms = !r->retry_ms ? STATE_RETRY_MS : r->retry_ms < STATE_RETRY_MOST ? 2 * r->retry_ms : r->retry_ms;
	r->retry_due = r->now + r->retry_ms;
}

void state_failed(struct router *r, const struct flow *flow, uint32_t vifs)
{
	bool of_rule = r->sync.is_running && flow;

	r->changes.refused += of_rule && !state_is_of_others(r, flow, vifs);
	state_refused(r, of_rule && state_is_edited(r, flow, vifs));
}

/* True when an edit is to leave a membership, whose source is all zeros when it is one of any. */
static bool state_is_to_leave(const struct edited *e, const char *ifname, const struct flow *flow)
{
	const struct flow_range *range = &e->range;
	bool any = flow_range_any_source(range);

	return e->is_join && ifname_matches(&e->iif, ifname) && any == flow_any_source(flow) &&
	       addr_covers(&range->flow.group, range->group_len, &flow->group) &&
	       (any || addr_covers(&range->flow.source, range->source_len, &flow->source));
}

void state_leave_failed(struct router *r, const char *ifname, const struct flow *flow)
{
	bool is_edited = false;

	for (unsigned i = 0; i < r->edit.n; i++)
		is_edited |= state_is_to_leave(&r->edit.v[i], ifname, flow);
	state_refused(r, is_edited);
}
