/* SPDX-License-Identifier: ISC
 *
 * See explain.h.
 */
#include "conf/explain.h"

#include "conf/print.h"

#include <stdlib.h>
#include <string.h>

#include "conf/print.h"

/* ---- the answer ---- */

/* Finds the rules that match, the nearest one, and which names their outputs are: is_output, by name. */
static void explain_rules(struct explanation *x, bool *is_output)
{
	const struct conf *c = x->conf;
	unsigned least = ~0u;

	for (const struct conf_rule *m = c->mroutes; m < c->mroutes + c->nmroutes; m++) {
		const struct conf_set *set = &c->sets[m->oifs];

		if (flow_range_fam(&m->range) != flow_fam(&x->packet))
			continue;
		unsigned misses = match_rule(&c->names[m->iif].ifname, &m->range, x->iif, &x->packet);

		if (misses < least) {
			least = misses;
			x->nearest = m;
			x->misses = misses;
		}
		if (misses)
			continue;
		x->rules[x->nrules++] = m;
		for (uint32_t i = 0; i < set->n; i++)
			is_output[c->pool[set->off + i]] = true;
	}
}

/* A line that enables one interface, or some, of those that a disabled wildcard means. */
static const struct phyint *explain_exception(const struct explanation *x, const struct ifname *output)
{
	for (const struct phyint *p = x->conf->phyints; p < x->conf->phyints + x->conf->nphyints; p++)
		if (p->enable == 1 && ifname_within(&p->ifname, output) && strcmp(p->ifname.text, x->iif))
			return p;
	return NULL;
}

static void explain_output(struct explanation *x, const struct ifname *name)
{
	struct explain_output *o = &x->outputs[x->noutputs++];

	o->ifname = name;
	o->phyint = match_conf_phyint(x->conf, name);
	if (o->phyint.is_disabled && name->is_wildcard)
		o->but = explain_exception(x, name);
	x->comes_out |= !o->phyint.is_disabled || o->but;
}

bool explain_packet(struct explanation *x, const struct conf *c, const char *iif, const struct flow *packet)
{
	bool *is_output = calloc(c->nnames + 1u, sizeof *is_output);
	struct phyint_match in = match_phyint(c->phyints, c->nphyints, iif);
	bool ok;

	*x = (struct explanation){ .conf = c, .iif = iif, .packet = *packet };
	x->rules = malloc((c->nmroutes + 1u) * sizeof *x->rules);
	x->outputs = calloc(c->nnames + 1u, sizeof *x->outputs);
	ok = is_output && x->rules && x->outputs;
	if (ok) {
		explain_rules(x, is_output);
		for (uint32_t id = 0; id < c->nnames; id++)
			if (is_output[id])
				explain_output(x, &c->names[id].ifname);
		x->iif_disabled = in.is_disabled ? in.enable_line : NULL;
		x->is_link_local = match_link_local(&packet->group, 128);
		x->comes_out &= !x->iif_disabled && !x->is_link_local;
	}
	free(is_output);
	return ok;
}

void explain_free(struct explanation *x)
{
	free(x->rules);
	free(x->outputs);
	*x = (struct explanation){ 0 };
}

/* ---- as text ---- */

static void explain_print_rule(struct buf *out, const struct explanation *x, const struct conf_rule *m)
{
	buf_printf(out, "%s:%lu: ", x->conf->files[m->where.file], (unsigned long)m->where.line);
	print_rule(out, x->conf, "mroute", 7, m);
	buf_chr(out, '\n');
}

static void explain_print_output(struct buf *out, const struct explanation *x, const struct explain_output *o)
{
	const struct phyint *line = o->phyint.enable_line;

	buf_str(out, o->ifname->text);
	if (o->ifname->is_wildcard)
		buf_printf(out, "  (each interface of that name%s)",
			   ifname_matches(o->ifname, x->iif) ? ", but not the inbound one" : "");
	if (o->phyint.is_disabled && o->but)
		buf_printf(out, "  (disabled by the phyint line of %s: only to %s)", line->ifname.text,
			   o->but->ifname.text);
	else if (o->phyint.is_disabled && strcmp(line->ifname.text, o->ifname->text))
		buf_printf(out, "  (disabled by the phyint line of %s: nothing goes there)", line->ifname.text);
	else if (o->phyint.is_disabled)
		buf_str(out, "  (disabled by its phyint line: nothing goes there)");
	else if (o->phyint.ttl > 1 && flow_fam(&x->packet) == FAM_4)
		buf_printf(out, "  (packets with a TTL above %u)", o->phyint.ttl);
	buf_chr(out, '\n');
}

static void explain_print_outputs(struct buf *out, const struct explanation *x)
{
	const struct phyint *off = x->iif_disabled;

	if (off)
		buf_printf(out, "outputs: none, %s is disabled by its phyint line %s:%lu\n", x->iif,
			   x->conf->files[off->where.file], (unsigned long)off->where.line);
	else if (!x->noutputs)
		buf_str(out, "outputs: none, the packets are stopped here\n");
	for (uint32_t i = 0; !off && i < x->noutputs; i++) {
		buf_str(out, i ? "         " : "outputs: ");
		explain_print_output(out, x, &x->outputs[i]);
	}
}

static void explain_print_miss(struct buf *out, const char *what, const struct addr *prefix, uint8_t len,
			       const struct addr *a)
{
	char x[ADDR_STRLEN], y[ADDR_STRLEN];

	buf_printf(out, "  its %s is %s, not %s\n", what, prefix_str(prefix, len, x), addr_str(a, y));
}

/* Why the nearest rule does not match. */
static void explain_print_nearest(struct buf *out, const struct explanation *x)
{
	const struct conf_rule *m = x->nearest;
	const struct flow_range *range;

	buf_str(out, "no rule matches: the packets go nowhere\n");
	if (!m)
		return;
	range = &m->range;
	buf_str(out, "nearest: ");
	explain_print_rule(out, x, m);
	if (x->misses & MISS_IIF)
		buf_printf(out, "  it is for packets from %s, not from %s\n", x->conf->names[m->iif].ifname.text,
			   x->iif);
	if (x->misses & MISS_GROUP)
		explain_print_miss(out, "group", &range->flow.group, range->group_len, &x->packet.group);
	if (x->misses & MISS_SOURCE)
		explain_print_miss(out, "source", &range->flow.source, range->source_len, &x->packet.source);
}

void explain_print(struct buf *out, const struct explanation *x)
{
	for (uint32_t i = 0; i < x->nrules; i++)
		explain_print_rule(out, x, x->rules[i]);
	if (x->nrules)
		explain_print_outputs(out, x);
	else
		explain_print_nearest(out, x);
	if (x->is_link_local)
		buf_str(out, "note: this group stays on its link, no router forwards it\n");
}
