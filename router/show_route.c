/* SPDX-License-Identifier: ISC
 *
 * `show routes`: rules and kernel entries are one kind of line, with or without
 * counters, as text or as JSON.
 */
#include "router/show.h"

#include <stdlib.h>
#include <string.h>

/* One line: a rule (set of names) or an entry (VIF bits). */
struct line {
	const struct addr *source, *group;
	uint8_t slen, glen;
	const char *iif;
	const struct conf_set *set;	/* NULL: oifs are bits */
	uint32_t bits;
	const struct show_counts *counts;	/* NULL: none are shown */
	const struct mfc *entry;	/* NULL for a rule */
};

unsigned show_name_width(const struct router *r, unsigned min)
{
	unsigned w = min;

	for (uint32_t i = 0; i < r->ifs.n; i++)
		if (r->ifs.v[i].ifindex && strlen(r->ifs.v[i].name) > w)
			w = (unsigned)strlen(r->ifs.v[i].name);
	for (uint32_t i = 0; i < r->conf->nnames; i++)
		if (strlen(r->conf->names[i].name) > w)
			w = (unsigned)strlen(r->conf->names[i].name);
	return w;
}

void show_vif_names(struct router *r, struct buf *b, enum fam fam, uint32_t bits, const char *sep, bool json)
{
	bool first = true;

	for (; bits; bits &= bits - 1) {
		const struct iface *i = iface_by_vif(&r->ifs, fam, __builtin_ctz(bits));

		if (!i)
			continue;
		if (!first)
			buf_str(b, sep);
		first = false;
		if (json)
			buf_json(b, i->name, strlen(i->name));
		else
			buf_str(b, i->name);
	}
}

void show_set_names(const struct router *r, struct buf *b, const struct conf_set *s, const char *sep, bool json)
{
	for (uint32_t i = 0; i < s->n; i++) {
		const char *name = r->conf->names[r->conf->pool[s->off + i]].name;

		if (i)
			buf_str(b, sep);
		if (json)
			buf_json(b, name, strlen(name));
		else
			buf_str(b, name);
	}
}

void show_json_flow(struct buf *b, const char *kind, const struct addr *source, uint8_t slen,
		    const struct addr *group, uint8_t glen, const char *iif)
{
	char a[ADDR_STRLEN];

	if (kind)
		json_str(b, "kind", kind);
	json_str(b, "source", conf_any_source(group, slen) ? NULL : prefix_str(source, slen, a));
	json_str(b, "group", prefix_str(group, glen, a));
	json_str(b, "iif", iif);
}

void show_text_flow(struct buf *b, const struct addr *source, uint8_t slen, const struct addr *group,
		    uint8_t glen)
{
	size_t from = b->len;

	if (!buf_reserve(b, 2 * ADDR_STRLEN))
		return;
	char *p = b->p + from;

	*p++ = '(';
	if (conf_any_source(group, slen))
		*p++ = '*';
	else
		p = prefix_put(source, slen, p);
	*p++ = ',';
	*p++ = ' ';
	p = prefix_put(group, glen, p);
	*p++ = ')';
	b->len = (size_t)(p - b->p);
	out_pad(b, from, 42);
}

static bool dynamic(const struct mfc *e)
{
	return e->state == MFC_LEARNED || e->state == MFC_BLOCKED;
}

static uint32_t idle_sec(const struct router *r, const struct mfc *e)
{
	return ((uint32_t)(r->now / MFC_TICK) - r->mfc.flow[e - r->mfc.v].used) / (1000 / MFC_TICK);
}

static void json_line(struct show *s, const struct line *l)
{
	struct buf *b = &s->o.rows;

	json_sep(b);
	buf_chr(b, '{');
	show_json_flow(b, NULL, l->source, l->slen, l->group, l->glen, l->iif);
	json_key(b, "oifs");
	buf_chr(b, '[');
	if (l->set)
		show_set_names(s->r, b, l->set, ",", true);
	else
		show_vif_names(s->r, b, addr_fam(l->group), l->bits, ",", true);
	buf_chr(b, ']');
	if (l->counts) {
		json_u64(b, "packets", l->counts->packets);
		json_u64(b, "bytes", l->counts->bytes);
	}
	if (l->entry) {
		json_u64(b, "wrong_if", l->counts ? l->counts->wrong_if : 0);
		json_key(b, "idle_sec");
		if (dynamic(l->entry))
			buf_u64(b, idle_sec(s->r, l->entry));
		else
			buf_str(b, "null");
		json_str(b, "state", mfc_state_str(l->entry->state));
	}
	buf_chr(b, '}');
}

/* What is behind (S,G). */
static void put_tail(struct show *s, const struct line *l, struct buf *b)
{
	size_t from = b->len + 1;

	buf_chr(b, ' ');
	buf_str(b, l->iif);
	out_pad(b, from, s->width);
	if (l->counts)
		buf_printf(b, " %10llu %10llu", (unsigned long long)l->counts->packets,
			   (unsigned long long)l->counts->bytes);
	if (l->counts && l->entry) {
		buf_printf(b, " %10llu ", (unsigned long long)l->counts->wrong_if);
		if (dynamic(l->entry))
			buf_printf(b, "%6u", idle_sec(s->r, l->entry));
		else
			buf_str(b, "     -");
		buf_printf(b, " %-7s", mfc_state_str(l->entry->state));
	}
	if (l->set ? l->set->n : l->bits) {
		buf_add(b, "  ", 2);
		if (l->set)
			show_set_names(s->r, b, l->set, " ", false);
		else
			show_vif_names(s->r, b, addr_fam(l->group), l->bits, " ", false);
	}
	buf_chr(b, '\n');
}

static void text_line(struct show *s, const struct line *l)
{
	enum fam fam = addr_fam(l->group);
	struct tail *t = &s->tail;

	show_text_flow(&s->o.rows, l->source, l->slen, l->group, l->glen);
	if (l->counts) {
		put_tail(s, l, &s->o.rows);
		return;
	}
	if (!t->text.len || t->iif != l->iif || t->set != l->set || t->bits != l->bits || t->fam != fam) {
		*t = (struct tail){ t->text, l->iif, l->set, l->bits, fam };
		t->text.len = 0;
		put_tail(s, l, &t->text);
		s->o.rows.failed |= t->text.failed;
	}
	buf_add(&s->o.rows, t->text.p, t->text.len);
}

/* One line; the first of a part after its title and headings. */
static void put_line(struct show *s, const struct line *l, const char *title)
{
	struct output *o = &s->o;

	if (o->json) {
		json_line(s, l);
	} else {
		if (show_untitled(s)) {
			out_title(o, title);
			if (!o->detail)
				out_head(o, "%-42s %-*s  %s", "ROUTE (S,G)", (int)s->width, "IIF", "OIFS");
			else
				out_head(o, "%-42s %-*s %10s %10s%s  %s", "ROUTE (S,G)", (int)s->width, "IIF",
					 "PACKETS", "BYTES", l->entry ? "      WRONG   IDLE STATE  " : "", "OIFS");
		}
		text_line(s, l);
	}
	out_row(o);
}

/* One table of rules: the templates, or the (S,G) rules. */
static bool rules(struct show *s, bool sg, const char *title)
{
	const struct conf *c = s->r->conf;
	static const struct show_counts none;

	for (; show_more(s, c->nmroutes); s->at++) {
		const struct mroute *m = &c->mroutes[s->at];

		if (m->iif == CONF_NONE || mroute_is_sg(m) != sg)
			continue;
		put_line(s, &(struct line){
			.source = &m->source, .group = &m->group, .slen = m->slen, .glen = m->glen,
			.iif = c->names[m->iif].name, .set = &c->sets[m->oifs],
			.counts = !s->rules ? NULL : s->at < s->nrules ? &s->rules[s->at] : &none,
		}, title);
	}
	return s->at >= c->nmroutes;
}

static bool templates(struct show *s)
{
	return rules(s, false, "(*,G) Template Rules");
}

static bool sg_rules(struct show *s)
{
	return rules(s, true, "(S,G) Rules");
}

static bool entries(struct show *s)
{
	struct router *r = s->r;

	for (; show_more(s, r->mfc.n); s->at++) {
		const struct mfc *e = &r->mfc.v[s->at];

		if (e->state == MFC_FREE || !(e->flags & MFC_INSTALLED))
			continue;
		const struct iface *i = iface_by_vif(&r->ifs, addr_fam(&e->group), e->iif);
		struct show_counts counts = { 0 };

		if (s->entries)
			counts = show_counts_of(s, s->at);
		put_line(s, &(struct line){
			.source = &e->source, .group = &e->group, .slen = 128, .glen = 128,
			.iif = i ? i->name : "?", .bits = e->oifs, .entry = e,
			.counts = s->entries ? &counts : NULL,
		}, "Kernel MFC Table");
	}
	return s->at >= r->mfc.n;
}

/* ---- counters ---- */

struct sum {
	const struct show *show;
	const struct show_counts *add;
};

static void add_to_rule(void *ctx, uint32_t id)
{
	const struct sum *s = ctx;

	if (id >= s->show->nrules)
		return;
	s->show->rules[id].packets += s->add->packets;
	s->show->rules[id].bytes += s->add->bytes;
	s->show->rules[id].wrong_if += s->add->wrong_if;
}

static bool wants_counters(const struct show *s)
{
	return s->o.detail || s->o.json;
}

static bool count_entries(struct show *s)
{
	return !wants_counters(s) || show_count_entries(s);
}

/* Sums the counters of entries up for the rules behind them. */
static bool count_rules(struct show *s)
{
	struct router *r = s->r;

	if (!wants_counters(s))
		return true;
	if (!s->rules) {
		s->nrules = r->conf->nmroutes;
		s->rules = calloc(s->nrules + 1u, sizeof *s->rules);
	}
	if (!s->rules) {
		s->o.rows.failed = true;
		return true;
	}
	for (; show_more(s, r->mfc.n); s->at++) {
		const struct mfc *e = &r->mfc.v[s->at];
		struct show_counts counts = show_counts_of(s, s->at);
		struct sum sum = { s, &counts };

		if (e->state != MFC_FREE && counts.packets)
			rules_matching(&r->rules, &e->source, e->iif, add_to_rule, &sum);
	}
	return s->at >= r->mfc.n;
}

/* ---- the table ---- */

static bool first(struct show *s)
{
	s->width = show_name_width(s->r, 3);
	return show_json_text(s, "{\"routes\":{\"asm\":[");
}

static bool second(struct show *s)
{
	return show_json_text(s, "],\"ssm\":[");
}

static bool third(struct show *s)
{
	return show_json_text(s, "],\"kernel\":[");
}

static bool last(struct show *s)
{
	return show_json_text(s, "]}}\n");
}

show_part *const show_routes[] = {
	count_entries, count_rules, first, templates, second, sg_rules, third, entries, last, NULL
};
