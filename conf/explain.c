/* SPDX-License-Identifier: ISC
 * See explain.h. */
#include "conf/explain.h"

#include <stdlib.h>
#include <string.h>

#include "conf/match.h"
#include "conf/print.h"

struct explanation {
	struct buf *out;
	const struct conf *c;
	const char *iif;
	const struct flow *packet;
	const struct conf_rule *nearest;	/* the rule that comes nearest to matching, or NULL */
	unsigned misses;		/* what keeps it from matching: a sum of MISS_*; 0 when some rule matches */
	bool *is_output;		/* by name: a rule that decides has it as an output */
	const struct conf_rule *stop;	/* a rule that decides and has none, or NULL */
};

static void explain_rule(const struct explanation *x, const struct conf_rule *rule)
{
	buf_printf(x->out, "%s:%lu: ", x->c->files[rule->where.file], (unsigned long)rule->where.line);
	print_rule(x->out, x->c, "mroute", 7, rule);
	buf_chr(x->out, '\n');
}

static unsigned explain_misses(const struct explanation *x, const struct conf_rule *rule)
{
	return match_rule(&x->c->names[rule->iif].ifname, &rule->range, x->iif, x->packet);
}

/* A narrower rule that matches too, so that this one is set aside; or NULL. */
static const struct conf_rule *explain_narrower(const struct explanation *x, const struct conf_rule *rule)
{
	const struct conf *c = x->c;

	for (const struct conf_rule *other = c->mroutes; other < c->mroutes + c->nmroutes; other++)
		if (flow_range_is_inside(&other->range, &rule->range) && !explain_misses(x, other))
			return other;
	return NULL;
}

/* Takes in a rule that matches. */
static void explain_match(struct explanation *x, const struct conf_rule *rule)
{
	const struct conf *c = x->c;
	const struct conf_set *set = &c->sets[rule->oifs];
	const struct conf_rule *narrower = explain_narrower(x, rule);

	explain_rule(x, rule);
	if (narrower)
		buf_printf(x->out, "  set aside: %s:%lu is narrower\n", c->files[narrower->where.file],
			   (unsigned long)narrower->where.line);
	else if (!set->n)
		x->stop = rule;
	for (uint32_t i = 0; i < set->n && !narrower; i++)
		x->is_output[c->pool[set->off + i]] = true;
}

/* Appends the rules that match, and finds the nearest one. */
static void explain_rules(struct explanation *x)
{
	const struct conf *c = x->c;

	x->misses = ~0u;
	for (const struct conf_rule *rule = c->mroutes; rule < c->mroutes + c->nmroutes; rule++) {
		if (flow_range_fam(&rule->range) != flow_fam(x->packet))
			continue;
		unsigned misses = explain_misses(x, rule);

		if (misses < x->misses) {
			x->misses = misses;
			x->nearest = rule;
		}
		if (!misses)
			explain_match(x, rule);
	}
}

/* A line that enables one interface, or some, of those that a disabled wildcard means. */
static const struct phyint *explain_exception(const struct explanation *x, const struct ifname *output)
{
	for (const struct phyint *p = x->c->phyints; output->is_wildcard && p < x->c->phyints + x->c->nphyints; p++)
		if (p->enable == 1 && ifname_within(&p->ifname, output) && strcmp(p->ifname.text, x->iif))
			return p;
	return NULL;
}

/* Appends an output and what its phyint lines say; true when packets go there. */
static bool explain_output(const struct explanation *x, const struct ifname *name)
{
	struct phyint_match phyint = match_conf_phyint(x->c, name);
	const struct phyint *line = phyint.enable_line;
	const struct phyint *but = phyint.is_disabled ? explain_exception(x, name) : NULL;

	buf_str(x->out, name->text);
	if (name->is_wildcard)
		buf_printf(x->out, "  (each interface of that name%s)",
			   ifname_matches(name, x->iif) ? ", but not the inbound one" : "");
	if (but)
		buf_printf(x->out, "  (disabled by the phyint line of %s: only to %s)", line->ifname.text,
			   but->ifname.text);
	else if (phyint.is_disabled && strcmp(line->ifname.text, name->text))
		buf_printf(x->out, "  (disabled by the phyint line of %s: nothing goes there)", line->ifname.text);
	else if (phyint.is_disabled)
		buf_str(x->out, "  (disabled by its phyint line: nothing goes there)");
	else if (phyint.ttl > 1 && flow_fam(x->packet) == FAM_4)
		buf_printf(x->out, "  (packets with a TTL above %u)", phyint.ttl);
	buf_chr(x->out, '\n');
	return !phyint.is_disabled || but;
}

static bool explain_outputs(const struct explanation *x)
{
	const struct conf *c = x->c;
	struct phyint_match in = match_phyint(c->phyints, c->nphyints, x->iif);
	bool comes_out = false;
	unsigned n = 0;

	if (in.is_disabled) {
		buf_printf(x->out, "outputs: none, %s is disabled by its phyint line %s:%lu\n", x->iif,
			   c->files[in.enable_line->where.file], (unsigned long)in.enable_line->where.line);
		return false;
	}
	if (x->stop) {
		buf_printf(x->out, "outputs: none, the packets are stopped by %s:%lu\n", c->files[x->stop->where.file],
			   (unsigned long)x->stop->where.line);
		return false;
	}
	for (uint32_t id = 0; id < c->nnames; id++) {
		if (!x->is_output[id])
			continue;
		buf_str(x->out, n++ ? "         " : "outputs: ");
		comes_out |= explain_output(x, &c->names[id].ifname);
	}
	return comes_out;
}

static void explain_miss(struct buf *out, const char *what, const struct addr *prefix, uint8_t len,
			 const struct addr *a)
{
	char x[ADDR_STRLEN], y[ADDR_STRLEN];

	buf_printf(out, "  its %s is %s, not %s\n", what, prefix_str(prefix, len, x), addr_str(a, y));
}

/* Why the nearest rule does not match. */
static void explain_nearest(const struct explanation *x)
{
	const struct conf_rule *rule = x->nearest;
	const struct flow_range *range;

	buf_str(x->out, "no rule matches: the packets go nowhere\n");
	if (!rule)
		return;
	range = &rule->range;
	buf_str(x->out, "nearest: ");
	explain_rule(x, rule);
	if (x->misses & MISS_IIF)
		buf_printf(x->out, "  it is for packets from %s, not from %s\n", x->c->names[rule->iif].ifname.text,
			   x->iif);
	if (x->misses & MISS_GROUP)
		explain_miss(x->out, "group", &range->flow.group, range->group_len, &x->packet->group);
	if (x->misses & MISS_SOURCE)
		explain_miss(x->out, "source", &range->flow.source, range->source_len, &x->packet->source);
}

bool explain_packet(struct buf *out, const struct conf *c, const char *iif, const struct flow *packet, bool *comes_out)
{
	struct explanation x = { .out = out, .c = c, .iif = iif, .packet = packet };

	*comes_out = false;
	x.is_output = calloc(c->nnames + 1u, sizeof *x.is_output);
	if (!x.is_output)
		return false;
	explain_rules(&x);
	if (x.misses)
		explain_nearest(&x);
	else
		*comes_out = explain_outputs(&x);
	if (match_stays_here(&packet->source)) {
		buf_str(out, "note: packets of this source stay where they are, no router forwards them\n");
		*comes_out = false;
	}
	if (match_link_local(&packet->group, 128)) {
		buf_str(out, "note: this group stays on its link, no router forwards it\n");
		*comes_out = false;
	}
	free(x.is_output);
	return true;
}
