/* SPDX-License-Identifier: ISC
 * See explain_json.h. */
#include "conf/explain_json.h"

#include "conf/match.h"
#include "lib/json.h"

static const char *const explain_json_reasons[] = {
	[EXPLAIN_FORWARDED] = "forwarded",
	[EXPLAIN_NO_RULE] = "no rule",
	[EXPLAIN_STOPPED] = "stopped",
	[EXPLAIN_INPUT_DISABLED] = "input disabled",
	[EXPLAIN_OUTPUTS_DISABLED] = "outputs disabled",
	[EXPLAIN_SOURCE_STAYS] = "link-local source",
	[EXPLAIN_GROUP_STAYS] = "link-local group",
};

/* A place in a file, or null. */
static void explain_json_where(struct buf *out, const struct conf *c, const char *key, const struct where *where)
{
	json_key(out, key);
	if (!where) {
		buf_str(out, "null");
		return;
	}
	buf_chr(out, '{');
	json_str(out, "file", c->files[where->file]);
	json_u64(out, "line", where->line);
	buf_chr(out, '}');
}

/* The keys of a rule; its object stays open. */
static void explain_json_rule(struct buf *out, const struct conf *c, const struct conf_rule *rule)
{
	const struct flow_range *range = &rule->range;
	const struct conf_set *set = &c->sets[rule->oifs];
	char s[ADDR_STRLEN];

	buf_chr(out, '{');
	json_str(out, "file", c->files[rule->where.file]);
	json_u64(out, "line", rule->where.line);
	json_str(out, "iif", c->names[rule->iif].ifname.text);
	json_str(out, "source", flow_range_any_source(range) ? NULL :
		 prefix_str(&range->flow.source, range->source_len, s));
	json_str(out, "group", prefix_str(&range->flow.group, range->group_len, s));
	json_bool(out, "kernel", rule->in_kernel);
	json_list(out, "oifs");
	for (uint32_t i = 0; i < set->n; i++)
		json_item(out, c->names[c->pool[set->off + i]].ifname.text);
	buf_chr(out, ']');
}

static void explain_json_rules(struct buf *out, const struct explanation *x)
{
	json_list(out, "rules");
	for (uint32_t i = 0; i < x->n; i++) {
		const struct explained *e = &x->rules[i];

		json_sep(out);
		explain_json_rule(out, x->c, e->rule);
		json_bool(out, "decides", !e->narrower);
		if (e->rule->in_kernel)
			json_bool(out, "in_kernel", explain_in_kernel(x, e));
		explain_json_where(out, x->c, "narrower", e->narrower ? &e->narrower->where : NULL);
		buf_chr(out, '}');
	}
	buf_chr(out, ']');
}

static void explain_json_nearest(struct buf *out, const struct explanation *x)
{
	static const struct {
		unsigned miss;
		const char *what;
	} misses[] = { { MISS_IIF, "iif" }, { MISS_SOURCE, "source" }, { MISS_GROUP, "group" } };

	json_key(out, "nearest");
	if (!x->nearest) {
		buf_str(out, "null");
		return;
	}
	explain_json_rule(out, x->c, x->nearest);
	json_list(out, "misses");
	for (unsigned i = 0; i < sizeof misses / sizeof *misses; i++)
		if (x->misses & misses[i].miss)
			json_item(out, misses[i].what);
	buf_str(out, "]}");
}

static void explain_json_outputs(struct buf *out, const struct explanation *x)
{
	json_list(out, "outputs");
	for (uint32_t id = 0; id < x->c->nnames; id++) {
		if (!x->is_output[id])
			continue;
		struct explain_output o = explain_output(x, id);

		json_open(out);
		json_str(out, "name", x->c->names[id].ifname.text);
		json_bool(out, "used", o.is_used && x->reason == EXPLAIN_FORWARDED);
		json_u64(out, "ttl_above", o.ttl ? o.ttl : JSON_NONE);
		explain_json_where(out, x->c, "disabled_by", o.disabled ? &o.disabled->where : NULL);
		buf_chr(out, '}');
	}
	buf_chr(out, ']');
}

void explain_json(struct buf *out, const struct explanation *x)
{
	char s[ADDR_STRLEN];

	json_open(out);
	json_str(out, "iif", x->iif);
	json_str(out, "source", addr_str(&x->packet->source, s));
	json_str(out, "group", addr_str(&x->packet->group, s));
	json_bool(out, "forwarded", x->reason == EXPLAIN_FORWARDED);
	json_str(out, "reason", explain_json_reasons[x->reason]);
	explain_json_where(out, x->c, "stopped_by", x->reason == EXPLAIN_STOPPED ? &x->stop->where : NULL);
	explain_json_where(out, x->c, "input_disabled_by", x->in_disabled ? &x->in_disabled->where : NULL);
	explain_json_rules(out, x);
	explain_json_nearest(out, x);
	explain_json_outputs(out, x);
	buf_chr(out, '}');
}
