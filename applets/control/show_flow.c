/* SPDX-License-Identifier: ISC
 *
 * (S,G) and names of interfaces, as text and as JSON.
 */
#include "applets/control/show_flow.h"

#include <string.h>

#include "lib/json.h"

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

void show_flow_row(struct output *o, const struct output_column *columns, const struct show_flow *f)
{
	const struct flow *flow = &f->range.flow;
	char text[2 * ADDR_STRLEN], *p = stpcpy(text, "(");

	output_row(o);
	if (o->json) {
		show_flow_json(&o->rows, NULL, f);
		return;
	}
	p = flow_range_any_source(&f->range) ? stpcpy(p, "*") : prefix_put(&flow->source, f->range.source_len, p);
	p = stpcpy(p, ", ");
	strcpy(prefix_put(&flow->group, f->range.group_len, p), ")");
	output_text(o, &columns[0], text);
	output_text(o, &columns[1], f->iif);
}

bool show_flow_has_oifs(const struct show_flow *f)
{
	return f->list ? f->list->n : f->bits;
}

static void show_flow_oif(struct buf *b, const char *name, bool json)
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
		show_flow_oif(b, r->rules.names.v[f->list->names[i]].ifname.text, json);
	for (uint32_t bits = f->bits; bits; bits &= bits - 1) {
		const struct iface *i = iface_by_vif(&r->ifs, flow_range_fam(&f->range), __builtin_ctz(bits));

		if (i)
			show_flow_oif(b, i->name, json);
	}
	if (json)
		buf_chr(b, ']');
}
