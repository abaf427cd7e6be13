/* SPDX-License-Identifier: ISC
 *
 * Stages, turns, and what more than one table needs of the state: loops, counters, widths, reasons, flows.
 */
#include "applets/control/show_table.h"

#include <stdlib.h>
#include <string.h>

#include "router/reason.h"

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
	reason = t == &r->rules.routes ? reason_of_route(r, rule, &s->reason, name) :
					 reason_of_join(r, iif, flow_range_fam(&rule->range));
	/* All interfaces were looked at. */
	if (reason)
		show_charge(s, r->ifs.n / 8);
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
		json_item(b, name);
	} else {
		buf_chr(b, ' ');
		buf_str(b, name);
	}
}

void show_flow_oifs(const struct router *r, struct buf *b, const struct show_flow *f, bool json)
{
	if (json)
		json_list(b, "oifs");
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
