/* SPDX-License-Identifier: ISC
 *
 * `show routes`: rules and kernel entries are one kind of line, with or without
 * counters, as text or as JSON.
 */
#include "applets/control/show.h"

#include <stdio.h>
#include <string.h>

/* One line: a rule or an entry. */
struct line {
	struct show_flow flow;
	const struct mfc_stats *counts;	/* NULL: none are shown */
	const struct mfc *entry;	/* NULL for a rule */
};

static unsigned wider(unsigned width, const char *name)
{
	unsigned n = (unsigned)strlen(name);

	return n > width ? n : width;
}

unsigned show_name_width(const struct router *r, unsigned min)
{
	for (uint32_t i = 0; i < r->ifs.n; i++)
		if (r->ifs.v[i].ifindex)
			min = wider(min, r->ifs.v[i].name);
	for (uint32_t i = 0; i < r->conf->nnames; i++)
		min = wider(min, r->conf->names[i].ifname.text);
	return min;
}

void show_mroute_flow(struct show_flow *f, const struct conf *c, const struct conf_rule *m)
{
	*f = (struct show_flow){ m->range, c->names[m->iif].ifname.text, &c->sets[m->oifs], 0 };
}

void show_mgroup_flow(struct show_flow *f, const struct conf *c, const struct conf_rule *g)
{
	*f = (struct show_flow){ g->range, c->names[g->iif].ifname.text, NULL, 0 };
}

static void put_name(struct buf *b, const char *name, bool json)
{
	if (json) {
		json_sep(b);
		buf_json(b, name, strlen(name));
	} else {
		buf_chr(b, ' ');
		buf_str(b, name);
	}
}

void show_oifs(struct router *r, struct buf *b, const struct show_flow *f, bool json)
{
	const struct conf *c = r->conf;
	enum fam fam = flow_range_fam(&f->range);

	if (json) {
		json_key(b, "oifs");
		buf_chr(b, '[');
	}
	for (uint32_t i = 0; f->set && i < f->set->n; i++)
		put_name(b, c->names[c->pool[f->set->off + i]].ifname.text, json);
	for (uint32_t bits = f->bits; bits; bits &= bits - 1) {
		const struct iface *i = iface_by_vif(&r->ifs, fam, __builtin_ctz(bits));

		if (i)
			put_name(b, i->name, json);
	}
	if (json)
		buf_chr(b, ']');
}

void show_json_flow(struct buf *b, const char *kind, const struct show_flow *f)
{
	char a[ADDR_STRLEN];

	if (kind)
		json_str(b, "kind", kind);
	json_str(b, "source", flow_range_any_source(&f->range) ? NULL : prefix_str(&f->range.flow.source, f->range.source_len, a));
	json_str(b, "group", prefix_str(&f->range.flow.group, f->range.group_len, a));
	if (f->iif)
		json_str(b, "iif", f->iif);
}

void show_text_flow(struct buf *b, const struct show_flow *f)
{
	size_t from = b->len;

	if (!buf_reserve(b, 2 * ADDR_STRLEN))
		return;
	char *p = b->p + from;

	*p++ = '(';
	if (flow_range_any_source(&f->range))
		*p++ = '*';
	else
		p = prefix_put(&f->range.flow.source, f->range.source_len, p);
	*p++ = ',';
	*p++ = ' ';
	p = prefix_put(&f->range.flow.group, f->range.group_len, p);
	*p++ = ')';
	b->len = (size_t)(p - b->p);
	out_pad(b, from, 42);
}

/* Seconds since an entry was used; JSON_NONE when it does not matter. */
static uint64_t idle_sec(const struct router *r, const struct mfc *e)
{
	if (e->state == MFC_STATIC)
		return JSON_NONE;
	return ((uint32_t)(r->now / MFC_TICK) - r->mfc.flow[e - r->mfc.v].used) / (1000 / MFC_TICK);
}

static void json_line(struct show *s, const struct line *l)
{
	const struct mfc_stats *n = l->counts;
	const struct mfc *e = l->entry;
	struct buf *b = &s->o.rows;

	json_open(b);
	show_json_flow(b, NULL, &l->flow);
	show_oifs(s->r, b, &l->flow, true);
	json_u64(b, "packets", n->packets);
	json_u64(b, "bytes", n->bytes);
	if (e) {
		json_u64(b, "wrong_if", n->wrong_if);
		json_u64(b, "idle_sec", idle_sec(s->r, e));
		json_str(b, "state", mfc_state_str(e->state));
	}
	show_end(s);
}
/* What is behind (S,G). */
static void put_tail(struct show *s, const struct line *l, struct buf *b)
{
	const struct mfc_stats *n = l->counts;
	size_t from = b->len + 1;

	buf_chr(b, ' ');
	buf_str(b, l->flow.iif);
	out_pad(b, from, s->width);
	if (n)
		buf_printf(b, " %10llu %10llu", (unsigned long long)n->packets, (unsigned long long)n->bytes);
	if (n && l->entry) {
		uint64_t sec = idle_sec(s->r, l->entry);
		char idle[12] = "-";

		if (sec != JSON_NONE)
			snprintf(idle, sizeof idle, "%u", (unsigned)sec);
		buf_printf(b, " %10llu %6s %-7s", (unsigned long long)n->wrong_if, idle,
			   mfc_state_str(l->entry->state));
	}
	if (l->flow.set ? l->flow.set->n : l->flow.bits)
		buf_chr(b, ' ');
	show_oifs(s->r, b, &l->flow, false);
	buf_chr(b, '\n');
}

static void text_line(struct show *s, const struct line *l)
{
	const struct show_flow *f = &l->flow;
	enum fam fam = flow_range_fam(&f->range);
	struct buf *b = &s->o.rows;
	struct tail *t = &s->tail;

	show_text_flow(b, f);
	if (l->counts) {
		put_tail(s, l, b);
		return;
	}
	if (!t->text.len || t->iif != f->iif || t->set != f->set || t->bits != f->bits || t->fam != fam) {
		t->iif = f->iif;
		t->set = f->set;
		t->bits = f->bits;
		t->fam = fam;
		t->text.len = 0;
		put_tail(s, l, &t->text);
		b->failed |= t->text.failed;
	}
	buf_add(b, t->text.p, t->text.len);
}

/* One line; the first under a title after headings. */
static void put_line(struct show *s, const struct line *l, const char *title)
{
	struct output *o = &s->o;

	if (o->json) {
		json_line(s, l);
		return;
	}
	if (show_title(s, title))
		out_head(o, WIRE_HEAD, "%-42s %-*s%s  OIFS", "ROUTE (S,G)", (int)s->width, "IIF",
			 !o->detail ? "" : !l->entry ? "    PACKETS      BYTES" :
			 "    PACKETS      BYTES      WRONG   IDLE STATE  ");
	text_line(s, l);
}

/* A rule: with arg one of (S,G), else a template. */
static void rule(struct show *s)
{
	static const struct mfc_stats none;
	const struct conf *c = s->r->conf;
	const struct conf_rule *m = &c->mroutes[s->at];
	struct line l;

	if (m->iif == CONF_NONE || flow_range_is_single(&m->range) != s->part->arg)
		return;
	show_mroute_flow(&l.flow, c, m);
	l.counts = !s->rules ? NULL : s->at < s->nrules ? &s->rules[s->at] : &none;
	l.entry = NULL;
	put_line(s, &l, s->part->arg ? "(S,G) Rules" : "(*,G) Template Rules");
}

static void entry(struct show *s)
{
	const char *iif;
	const struct mfc *e = show_entry(s, &iif);

	if (!e)
		return;
	put_line(s, &(struct line){
		.flow = { flow_range_of(&e->flow), iif, NULL, e->oifs },
		.counts = s->entries ? show_counts(s) : NULL, .entry = e,
	}, "Kernel MFC Table");
}

/* ---- counters ---- */

static void add_to_rule(void *ctx, uint32_t id)
{
	struct show *s = ctx;
	const struct mfc_stats *n = s->counts;

	if (id >= s->nrules)
		return;
	s->rules[id].packets += n->packets;
	s->rules[id].bytes += n->bytes;
	s->rules[id].wrong_if += n->wrong_if;
}

/* Adds the counters of an entry to those of the rules behind it. */
static void count_rules(struct show *s)
{
	const struct router *r = s->r;
	const struct mfc *e = &r->mfc.v[s->at];

	if (e->state != MFC_FREE && show_counts(s)->packets)
		rules_matching(&r->rules, &e->flow, e->iif, add_to_rule, s);
}

/* ---- the table ---- */

static void widths(struct show *s)
{
	s->width = show_name_width(s->r, 3);
}

const struct show_part show_routes[] = {
	{ show_count_begin, .detail = true, .arg = true },
	{ show_count, .of = SHOW_COUNTED, .detail = true },
	{ count_rules, .of = SHOW_ENTRIES, .detail = true },
	{ widths, .of = SHOW_ONCE },
	{ rule, .of = SHOW_MROUTES, .after = SHOW_SSM },
	{ rule, .of = SHOW_MROUTES, .arg = true, .after = SHOW_KERNEL },
	{ entry, .of = SHOW_ENTRIES, .after = SHOW_END_LISTS },
};
