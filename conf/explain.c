/* SPDX-License-Identifier: ISC
 * See explain.h. */
#include "conf/explain.h"

#include <stdlib.h>
#include <string.h>

#include "conf/aside.h"
#include "conf/match.h"
#include "conf/print.h"
#include "lib/grow.h"

/* ---- the answer ---- */

static unsigned explain_misses(const struct explanation *x, const struct conf_rule *rule)
{
	return match_rule(&x->c->names[rule->iif].ifname, &rule->range, x->iif, x->packet);
}

/* A narrower rule that matches too, so that this one is set aside; or NULL. */
static const struct conf_rule *explain_narrower(const struct explanation *x, const struct conf_rule *rule)
{
	for (uint32_t i = 0; i < x->c->nmroutes; i++) {
		const struct conf_rule *other = &x->c->mroutes[i];

		if (flow_range_is_inside(&other->range, &rule->range) && !explain_misses(x, other))
			return other;
	}
	return NULL;
}

/* Takes in a rule that matches, and whether a narrower one sets it aside. */
static bool explain_match(struct explanation *x, const struct conf_rule *rule)
{
	const struct conf *c = x->c;
	const struct conf_set *set = &c->sets[rule->oifs];
	struct explained *rules = grow(x->rules, &x->cap, x->n + 1, sizeof *rules);

	if (!rules)
		return false;
	x->rules = rules;
	rules[x->n] = (struct explained){ rule, explain_narrower(x, rule) };
	if (rules[x->n++].narrower)
		return true;
	if (!set->n)
		x->stop = rule;
	for (uint32_t i = 0; i < set->n; i++)
		x->is_output[c->pool[set->off + i]] = true;
	return true;
}

/* Finds the rules that match, and the nearest one; false with ENOMEM. */
static bool explain_rules(struct explanation *x)
{
	const struct conf *c = x->c;

	x->misses = ~0u;
	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct conf_rule *rule = &c->mroutes[i];

		if (flow_range_fam(&rule->range) != flow_fam(x->packet))
			continue;
		unsigned misses = explain_misses(x, rule);

		if (misses < x->misses) {
			x->misses = misses;
			x->nearest = rule;
		}
		if (!misses && !explain_match(x, rule))
			return false;
	}
	if (x->n)
		x->nearest = NULL;
	return true;
}

bool explain_in_kernel(const struct explanation *x, const struct explained *e)
{
	return e->rule->in_kernel && !e->narrower && aside_find(x->c, e->rule).why == ASIDE_NOT;
}

/* True when nobody looks at the source of an IPv6 packet: there is one entry for all.  Of IPv4 the kernel drops such
 * packets before. */
static bool explain_ignores_source(const struct explanation *x)
{
	bool does = false;

	for (uint32_t i = 0; i < x->n; i++)
		does |= explain_in_kernel(x, &x->rules[i]);
	return does && flow_fam(x->packet) == FAM_6;
}

static enum explain_reason explain_reason(const struct explanation *x)
{
	if (match_stays_here(&x->packet->source) && !explain_ignores_source(x))
		return EXPLAIN_SOURCE_STAYS;
	if (match_link_local(&x->packet->group, 128))
		return EXPLAIN_GROUP_STAYS;
	if (!x->n)
		return EXPLAIN_NO_RULE;
	if (x->in_disabled)
		return EXPLAIN_INPUT_DISABLED;
	if (x->stop)
		return EXPLAIN_STOPPED;
	for (uint32_t id = 0; id < x->c->nnames; id++)
		if (x->is_output[id] && explain_output(x, id).is_used)
			return EXPLAIN_FORWARDED;
	return EXPLAIN_OUTPUTS_DISABLED;
}

bool explain_packet(struct explanation *x, const struct conf *c, const char *iif, const struct flow *packet)
{
	struct phyint_match in = match_phyint(c->phyints, c->nphyints, iif);

	*x = (struct explanation){ .c = c, .iif = iif, .packet = packet };
	x->is_output = calloc(c->nnames + 1u, sizeof *x->is_output);
	if (!x->is_output || !explain_rules(x))
		return false;
	if (in.is_disabled)
		x->in_disabled = in.enable_line;
	x->reason = explain_reason(x);
	return true;
}

void explain_free(struct explanation *x)
{
	free(x->rules);
	free(x->is_output);
}

/* A line that enables one interface, or some, of those that a disabled wildcard means. */
static const struct phyint *explain_exception(const struct explanation *x, const struct ifname *output)
{
	for (uint32_t i = 0; output->is_wildcard && i < x->c->nphyints; i++) {
		const struct phyint *p = &x->c->phyints[i];

		if (p->enable == 1 && ifname_within(&p->ifname, output) && strcmp(p->ifname.text, x->iif))
			return p;
	}
	return NULL;
}

struct explain_output explain_output(const struct explanation *x, uint32_t name)
{
	const struct ifname *output = &x->c->names[name].ifname;
	struct phyint_match phyint = match_conf_phyint(x->c, output);
	struct explain_output o = { .is_used = true };

	if (phyint.is_disabled) {
		o.disabled = phyint.enable_line;
		o.but = explain_exception(x, output);
		o.is_used = o.but;
	} else if (phyint.ttl > 1 && flow_fam(x->packet) == FAM_4) {
		o.ttl = phyint.ttl;
	}
	return o;
}

/* ---- as text ---- */

static void explain_put_rule(struct buf *out, const struct explanation *x, const struct conf_rule *rule)
{
	buf_printf(out, "%s:%lu: ", x->c->files[rule->where.file], (unsigned long)rule->where.line);
	print_rule(out, x->c, "mroute", 7, rule);
	buf_chr(out, '\n');
}

static void explain_put_output(struct buf *out, const struct explanation *x, uint32_t id)
{
	const struct ifname *name = &x->c->names[id].ifname;
	struct explain_output o = explain_output(x, id);

	buf_str(out, name->text);
	if (name->is_wildcard)
		buf_printf(out, "  (each interface of that name%s)",
			   ifname_matches(name, x->iif) ? ", but not the inbound one" : "");
	if (o.but)
		buf_printf(out, "  (disabled by the phyint line of %s: only to %s)", o.disabled->ifname.text,
			   o.but->ifname.text);
	else if (o.disabled && strcmp(o.disabled->ifname.text, name->text))
		buf_printf(out, "  (disabled by the phyint line of %s: nothing goes there)", o.disabled->ifname.text);
	else if (o.disabled)
		buf_str(out, "  (disabled by its phyint line: nothing goes there)");
	else if (o.ttl)
		buf_printf(out, "  (packets with a TTL above %u)", o.ttl);
	buf_chr(out, '\n');
}

static void explain_put_outputs(struct buf *out, const struct explanation *x)
{
	const char *const *files = (const char *const *)x->c->files;
	const char *head = "outputs: ";

	if (x->in_disabled) {
		buf_printf(out, "outputs: none, %s is disabled by its phyint line %s:%lu\n", x->iif,
			   files[x->in_disabled->where.file], (unsigned long)x->in_disabled->where.line);
		return;
	}
	if (x->stop) {
		buf_printf(out, "outputs: none, the packets are stopped by %s:%lu\n", files[x->stop->where.file],
			   (unsigned long)x->stop->where.line);
		return;
	}
	for (uint32_t id = 0; id < x->c->nnames; id++) {
		if (!x->is_output[id])
			continue;
		buf_str(out, head);
		explain_put_output(out, x, id);
		head = "         ";
	}
}

static void explain_put_miss(struct buf *out, const char *what, const struct addr *prefix, uint8_t len,
			     const struct addr *a)
{
	char x[ADDR_STRLEN], y[ADDR_STRLEN];

	buf_printf(out, "  its %s is %s, not %s\n", what, prefix_str(prefix, len, x), addr_str(a, y));
}

/* Why the nearest rule does not match. */
static void explain_put_nearest(struct buf *out, const struct explanation *x)
{
	const struct conf_rule *rule = x->nearest;
	const struct flow_range *range;

	buf_str(out, "no rule matches: the packets go nowhere\n");
	if (!rule)
		return;
	range = &rule->range;
	buf_str(out, "nearest: ");
	explain_put_rule(out, x, rule);
	if (x->misses & MISS_IIF)
		buf_printf(out, "  it is for packets from %s, not from %s\n", x->c->names[rule->iif].ifname.text,
			   x->iif);
	if (x->misses & MISS_GROUP)
		explain_put_miss(out, "group", &range->flow.group, range->group_len, &x->packet->group);
	if (x->misses & MISS_SOURCE)
		explain_put_miss(out, "source", &range->flow.source, range->source_len, &x->packet->source);
}

/* Says of a rule of the kernel whether it is there. */
static void explain_put_in_kernel(struct buf *out, const struct explanation *x, const struct conf_rule *rule)
{
	struct aside aside = aside_find(x->c, rule);

	buf_str(out, "  ");
	if (aside.why == ASIDE_NOT)
		buf_str(out, "in the kernel: one entry for all sources, there before the first packet");
	else
		aside_text(out, x->c, &aside);
	buf_chr(out, '\n');
}

void explain_text(struct buf *out, const struct explanation *x)
{
	for (uint32_t i = 0; i < x->n; i++) {
		const struct explained *e = &x->rules[i];

		explain_put_rule(out, x, e->rule);
		if (e->narrower)
			buf_printf(out, "  set aside: %s:%lu is narrower\n", x->c->files[e->narrower->where.file],
				   (unsigned long)e->narrower->where.line);
		else if (e->rule->in_kernel)
			explain_put_in_kernel(out, x, e->rule);
	}
	if (x->n)
		explain_put_outputs(out, x);
	else
		explain_put_nearest(out, x);
	if (x->reason == EXPLAIN_SOURCE_STAYS)
		buf_str(out, "note: packets of this source stay where they are, no router forwards them\n");
	else if (match_stays_here(&x->packet->source))
		buf_str(out, "note: packets of this source should stay where they are, but an entry for all sources "
			"forwards them\n");
	if (match_link_local(&x->packet->group, 128))
		buf_str(out, "note: this group stays on its link, no router forwards it\n");
}
