/* SPDX-License-Identifier: ISC
 *
 * Stages, turns, and what more than one table needs of the state: loops, counters, widths, reasons, flows.
 */
#include "applets/control/show_table.h"

#include <stdlib.h>
#include <string.h>

#include "router/inkernel.h"
#include "router/reason.h"

/* Asking the kernel for counters takes as long as so many other steps. */
#define ASKING_STEPS 6

void show_charge(struct show *s, unsigned n)
{
	s->left -= n < s->left ? n : s->left;
}

bool show_once(struct show *s, int stage)
{
	if (s->stage != stage)
		return false;
	s->stage++;
	return true;
}

void show_json(struct show *s, int stage, const char *piece)
{
	if (!show_once(s, stage))
		return;
	if (s->out.json)
		buf_str(&s->out.rows, piece);
	s->out.is_list_begun = false;
}

/* True when the stage has its turn and there is room for more. */
static bool show_goes_on(struct show *s, int stage)
{
	return s->stage == stage && s->left && output_has_room(&s->out);
}

static void show_end_stage(struct show *s)
{
	s->stage++;
	s->at = 0;
}

bool show_step(struct show *s, int stage, uint32_t n)
{
	if (!show_goes_on(s, stage))
		return false;
	if (s->at >= n) {
		show_end_stage(s);
		return false;
	}
	s->left--;
	s->at++;
	return true;
}

const struct rule *show_next_rule(struct show *s, int stage, struct rules *t)
{
	if (!show_goes_on(s, stage))
		return NULL;
	if (!s->rules_walked)
		rules_walk_begin(t, &s->walk);
	s->rules_walked = t;
	if (s->walk.next == HASH_NONE) {
		show_end_walk(s);
		show_end_stage(s);
		return NULL;
	}
	s->left--;
	s->at = rules_walk_next(t, &s->walk) + 1;
	return &t->v[show_number(s)];
}

void show_end_walk(struct show *s)
{
	if (s->rules_walked)
		rules_walk_end(s->rules_walked, &s->walk);
	s->rules_walked = NULL;
}

const struct mfc *show_next_entry(struct show *s, int stage)
{
	const struct mfcs *t = &s->router->mfc;

	while (show_step(s, stage, t->n))
		if (t->v[show_number(s)].state != MFC_FREE && t->v[show_number(s)].flags & MFC_INSTALLED)
			return &t->v[show_number(s)];
	return NULL;
}

bool show_fits(const struct show *s)
{
	return !s->out.json && s->out.form == CALL_RECORDS;
}

/* ---- counters ---- */

static const struct mfc_stats show_unknown = { JSON_NONE, JSON_NONE, JSON_NONE };

bool show_is_known(const struct mfc_stats *counts)
{
	return counts->packets != JSON_NONE;
}

/* Asks the kernel for the counters of an entry; what it does not have is 0. */
static struct mfc_stats show_ask(struct show *s, uint32_t at)
{
	const struct mfc *e = &s->router->mfc.v[at];
	struct mfc_stats st = { 0 };

	/* Of several entries of a group for any source it would tell one. */
	if (e->state == MFC_KERNEL) {
		uint32_t vifs = mfc_any_vifs(&s->router->mfc, &e->flow.group);

		if (vifs & (vifs - 1))
			return show_unknown;
	}
	if (e->state != MFC_FREE && e->flags & MFC_INSTALLED) {
		show_charge(s, ASKING_STEPS);
		kernel_mfc_stats(&e->flow, &st);
	}
	return st;
}

/* Makes room for counters in their columns. */
static void show_widen_counts(struct show *s, const struct mfc_stats *counts)
{
	if (!show_fits(s) || !show_is_known(counts))
		return;
	output_widen_u64(&s->out, OUTPUT_PACKETS, counts->packets);
	output_widen_u64(&s->out, OUTPUT_BYTES, counts->bytes);
}

static void show_count_begin(struct show *s, bool for_rules)
{
	const struct rules *t = &s->router->rules.routes;

	s->nentries = s->router->mfc.n;
	s->nrules = for_rules ? t->n : 0;
	s->removals = s->router->mfc.removals;
	s->entries = calloc(s->nentries + 1u, sizeof *s->entries);
	s->rules = calloc(s->nrules + 1u, sizeof *s->rules);
	s->out.rows.failed |= !s->entries || !s->rules;
	for (uint32_t id = t->first; s->nrules && s->rules && id != HASH_NONE; id = t->v[id].next)
		s->rules[id].serial = t->v[id].serial;
}

/* The sums of a rule; NULL where it has come since, into a place that may have been another's. */
static struct mfc_stats *show_count_of(const struct show *s, uint32_t id)
{
	const struct rule *rule = &s->router->rules.routes.v[id];

	return id < s->nrules && s->rules[id].serial == rule->serial ? &s->rules[id].counts : NULL;
}

/* What is added to the rules behind an entry. */
struct show_sum {
	struct show *s;
	struct mfc_stats counts;
};

static void show_add_counts(void *ctx, uint32_t id)
{
	const struct show_sum *sum = ctx;
	struct mfc_stats *to = show_count_of(sum->s, id);

	if (!to || !show_is_known(to))
		return;
	if (!show_is_known(&sum->counts)) {
		*to = show_unknown;
		return;
	}
	to->packets += sum->counts.packets;
	to->bytes += sum->counts.bytes;
	to->wrong_if += sum->counts.wrong_if;
	show_widen_counts(sum->s, to);
}

void show_count(struct show *s, int stage, bool for_rules)
{
	const struct router *r = s->router;

	if (s->stage == stage && !s->entries)
		show_count_begin(s, for_rules);
	while (show_step(s, stage, s->nentries < r->mfc.n ? s->nentries : r->mfc.n)) {
		uint32_t at = show_number(s);
		const struct mfc *e = &r->mfc.v[at];
		struct show_sum sum = { s, show_ask(s, at) };

		s->entries[at] = sum.counts;
		show_widen_counts(s, &sum.counts);
		if (s->nrules && e->state != MFC_FREE && sum.counts.packets)
			ruleset_deciding(&r->rules, &e->flow, e->iif, show_add_counts, &sum);
	}
}

struct mfc_stats show_count_entry(struct show *s, uint32_t at)
{
	/* Since an entry went, its place may be another's. */
	if (at >= s->nentries || s->removals != s->router->mfc.removals)
		return show_ask(s, at);
	return s->entries[at];
}

struct mfc_stats show_count_rule(const struct show *s, uint32_t id)
{
	const struct mfc_stats *counts = show_count_of(s, id);

	return counts ? *counts : (struct mfc_stats){ 0 };
}

/* ---- widths ---- */

void show_fit_names(struct show *s)
{
	const struct router *r = s->router;

	for (uint32_t i = 0; i < r->ifs.n; i++)
		if (r->ifs.v[i].ifindex)
			output_widen(&s->out, OUTPUT_NAMES, strlen(r->ifs.v[i].name));
	for (uint32_t i = 0; i < r->rules.names.n; i++)
		if (name_is_used(&r->rules.names.v[i]))
			output_widen(&s->out, OUTPUT_NAMES, strlen(r->rules.names.v[i].ifname.text));
}

void show_fit_flow(struct show *s, const struct flow_range *range)
{
	char text[FLOW_STRLEN];

	/* Those of IPv4 have room. */
	if (flow_range_fam(range) == FAM_6)
		output_widen(&s->out, OUTPUT_FLOWS, (size_t)(flow_range_put(range, text) - text));
}

void show_fit_rules(struct show *s, int stage, struct rules *t)
{
	const struct rule *rule;

	if (!show_fits(s))
		show_once(s, stage);
	while ((rule = show_next_rule(s, stage, t)))
		show_fit_flow(s, &rule->range);
}

void show_fit_entries(struct show *s, int stage)
{
	const struct mfc *e;

	if (!show_fits(s))
		show_once(s, stage);
	while ((e = show_next_entry(s, stage))) {
		struct flow_range range = flow_range_of(&e->flow);

		/* A static one is that of a rule. */
		if (mfc_is_dynamic(e))
			show_fit_flow(s, &range);
	}
}

const char *show_reason(struct show *s, const struct rules *t, const struct rule *rule, const char **name)
{
	const struct router *r = s->router;
	const struct ifname *iif = &r->rules.names.v[rule->iif].ifname;
	const char *reason;

	*name = iif->text;
	reason = t == &r->rules.routes ? reason_of_route(r, rule, name) :
					 reason_of_join(r, iif, flow_range_fam(&rule->range));
	/* All interfaces were looked at. */
	if (reason)
		show_charge(s, r->ifs.n / 8);
	buf_consume(&s->reason, s->reason.len);
	if (!reason && t == &r->rules.routes && inkernel_reason(r, rule, &s->reason)) {
		reason = buf_cstr(&s->reason);
		*name = NULL;
	}
	s->pending += reason != NULL;
	return reason;
}

/* ---- flows ---- */

struct show_flow show_flow_of_rule(const struct router *r, const struct rule *rule)
{
	const struct names *t = &r->rules.names;

	return (struct show_flow){
		.range = rule->range, .iif = t->v[rule->iif].ifname.text, .list = &t->lists[rule->oifs],
	};
}

struct show_flow show_flow_of_entry(const struct router *r, const struct mfc *entry)
{
	return (struct show_flow){
		.range = flow_range_of(&entry->flow), .bits = entry->oifs,
		.iif = iface_str(iface_by_vif(&r->ifs, flow_fam(&entry->flow), entry->iif)),
	};
}

void show_flow_json(struct buf *b, const char *kind, const struct show_flow *f)
{
	const struct flow *flow = &f->range.flow;
	char a[ADDR_STRLEN];
	bool is_any = flow_range_any_source(&f->range);

	if (kind)
		json_str(b, "kind", kind);
	json_str(b, "source", is_any ? NULL : prefix_str(&flow->source, f->range.source_len, a));
	json_str(b, "group", prefix_str(&flow->group, f->range.group_len, a));
	if (f->iif)
		json_str(b, "iif", f->iif);
}

void show_flow_row(struct output *o, const char *title, const struct output_column *columns, int n,
		   const struct show_flow *f)
{
	output_heading(o, title, columns, n);
	output_row(o);
	if (o->json) {
		show_flow_json(&o->rows, NULL, f);
		return;
	}

	size_t begin = output_cell(o);

	if (buf_reserve(&o->rows, FLOW_STRLEN))
		o->rows.len = (size_t)(flow_range_put(&f->range, o->rows.p + begin) - o->rows.p);
	output_cell_end(o, &columns[0], begin);
	output_text(o, &columns[1], f->iif);
}

bool show_flow_has_oifs(const struct show_flow *f)
{
	return f->list ? f->list->n : f->bits;
}

void show_name(struct buf *b, const char *name, bool json)
{
	if (json) {
		json_sep(b);
		buf_json(b, name, strlen(name));
	} else {
		buf_chr(b, ' ');
		buf_str(b, name);
	}
}

void show_flow_oifs(const struct router *r, struct buf *b, const struct show_flow *f, bool json)
{
	if (json) {
		json_key(b, "oifs");
		buf_chr(b, '[');
	}
	for (uint32_t i = 0; f->list && i < f->list->n; i++)
		show_name(b, r->rules.names.v[f->list->names[i]].ifname.text, json);
	for (uint32_t bits = f->bits; bits; bits &= bits - 1) {
		const struct iface *i = iface_by_vif(&r->ifs, flow_range_fam(&f->range), __builtin_ctz(bits));

		if (i)
			show_name(b, i->name, json);
	}
	if (json)
		buf_chr(b, ']');
}
