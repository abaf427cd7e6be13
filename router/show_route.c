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

struct walk {
	struct router *r;
	struct output *o;
	unsigned width;			/* of the IIF column */
	struct show_counts *rules;		/* by rule, NULL when not wanted */
	struct show_counts *entries;		/* by place in the mirror */
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
		    uint8_t glen, const char *iif)
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
	buf_chr(b, ' ');
	buf_str(b, iif);
}

static bool dynamic(const struct mfc *e)
{
	return e->state == MFC_LEARNED || e->state == MFC_BLOCKED;
}

static uint32_t idle_sec(const struct router *r, const struct mfc *e)
{
	return ((uint32_t)(r->now / MFC_TICK) - r->mfc.flow[e - r->mfc.v].used) / (1000 / MFC_TICK);
}

static void json_line(struct walk *w, const struct line *l)
{
	struct buf *b = &w->o->rows;

	json_sep(b);
	buf_chr(b, '{');
	show_json_flow(b, NULL, l->source, l->slen, l->group, l->glen, l->iif);
	json_key(b, "oifs");
	buf_chr(b, '[');
	if (l->set)
		show_set_names(w->r, b, l->set, ",", true);
	else
		show_vif_names(w->r, b, addr_fam(l->group), l->bits, ",", true);
	buf_chr(b, ']');
	if (l->counts) {
		json_u64(b, "packets", l->counts->packets);
		json_u64(b, "bytes", l->counts->bytes);
	}
	if (l->entry) {
		json_u64(b, "wrong_if", l->counts ? l->counts->wrong_if : 0);
		json_key(b, "idle_sec");
		if (dynamic(l->entry))
			buf_u64(b, idle_sec(w->r, l->entry));
		else
			buf_str(b, "null");
		json_str(b, "state", mfc_state_str(l->entry->state));
	}
	buf_chr(b, '}');
}

static void text_line(struct walk *w, const struct line *l)
{
	struct buf *b = &w->o->rows;

	show_text_flow(b, l->source, l->slen, l->group, l->glen, l->iif);
	buf_fill(b, ' ', w->width - strlen(l->iif));
	if (l->counts)
		buf_printf(b, " %10llu %10llu", (unsigned long long)l->counts->packets,
			   (unsigned long long)l->counts->bytes);
	if (l->counts && l->entry) {
		buf_printf(b, " %10llu ", (unsigned long long)l->counts->wrong_if);
		if (dynamic(l->entry))
			buf_printf(b, "%6u", idle_sec(w->r, l->entry));
		else
			buf_str(b, "     -");
		buf_printf(b, " %-7s", mfc_state_str(l->entry->state));
	}
	if (l->set ? l->set->n : l->bits) {
		buf_add(b, "  ", 2);
		if (l->set)
			show_set_names(w->r, b, l->set, " ", false);
		else
			show_vif_names(w->r, b, addr_fam(l->group), l->bits, " ", false);
	}
	buf_chr(b, '\n');
	out_row(w->o);
}

static void headings(struct walk *w, const char *title, bool kernel)
{
	out_title(w->o, title);
	if (!w->o->detail)
		out_head(w->o, "%-42s %-*s  %s", "ROUTE (S,G)", (int)w->width, "IIF", "OIFS");
	else
		out_head(w->o, "%-42s %-*s %10s %10s%s  %s", "ROUTE (S,G)", (int)w->width, "IIF", "PACKETS", "BYTES",
			 kernel ? "      WRONG   IDLE STATE  " : "", "OIFS");
}

/* One table of rules: the templates, or the (S,G) rules. */
static void rule_table(struct walk *w, bool sg, const char *title, const char *key)
{
	const struct conf *c = w->r->conf;
	bool any = false;

	if (w->o->json) {
		json_key(&w->o->rows, key);
		buf_chr(&w->o->rows, '[');
	}
	for (uint32_t id = 0; id < c->nmroutes; id++) {
		const struct mroute *m = &c->mroutes[id];

		if (m->iif == CONF_NONE || mroute_is_sg(m) != sg)
			continue;
		struct line l = {
			.source = &m->source, .group = &m->group, .slen = m->slen, .glen = m->glen,
			.iif = c->names[m->iif].name, .set = &c->sets[m->oifs],
			.counts = w->rules ? &w->rules[id] : NULL,
		};
		if (w->o->json) {
			json_line(w, &l);
			continue;
		}
		if (!any)
			headings(w, title, false);
		any = true;
		text_line(w, &l);
	}
	if (w->o->json)
		buf_chr(&w->o->rows, ']');
}

static void kernel_table(struct walk *w)
{
	struct router *r = w->r;
	bool any = false;

	if (w->o->json) {
		json_key(&w->o->rows, "kernel");
		buf_chr(&w->o->rows, '[');
	}
	for (uint32_t at = 0; at < r->mfc.n; at++) {
		const struct mfc *e = &r->mfc.v[at];

		if (e->state == MFC_FREE || !(e->flags & MFC_INSTALLED))
			continue;
		const struct iface *i = iface_by_vif(&r->ifs, addr_fam(&e->group), e->iif);
		struct line l = {
			.source = &e->source, .group = &e->group, .slen = 128, .glen = 128,
			.iif = i ? i->name : "?", .bits = e->oifs, .entry = e,
			.counts = w->entries ? &w->entries[at] : NULL,
		};
		if (w->o->json) {
			json_line(w, &l);
			continue;
		}
		if (!any)
			headings(w, "Kernel MFC Table", true);
		any = true;
		text_line(w, &l);
	}
	if (w->o->json)
		buf_chr(&w->o->rows, ']');
}

struct sum {
	struct show_counts *rules;
	const struct show_counts *add;
};

static void add_to_rule(void *ctx, uint32_t id)
{
	struct sum *s = ctx;

	s->rules[id].packets += s->add->packets;
	s->rules[id].bytes += s->add->bytes;
	s->rules[id].wrong_if += s->add->wrong_if;
}

struct show_counts *show_entry_counts(struct router *r)
{
	struct show_counts *v = calloc(r->mfc.n + 1, sizeof *v);

	for (uint32_t at = 0; v && at < r->mfc.n; at++) {
		const struct mfc *e = &r->mfc.v[at];
		struct mfc_stats st;

		if (e->state != MFC_FREE && (e->flags & MFC_INSTALLED) &&
		    kernel_mfc_stats(addr_fam(&e->group), &e->source, &e->group, &st) == 0)
			v[at] = (struct show_counts){ st.packets, st.bytes, st.wrong_if };
	}
	return v;
}

/* Reads the counters of each entry and sums them up for the rules behind it. */
static void count_all(struct walk *w)
{
	struct router *r = w->r;

	w->rules = calloc(r->conf->nmroutes + 1, sizeof *w->rules);
	w->entries = show_entry_counts(r);
	if (!w->rules || !w->entries) {
		w->o->rows.failed = true;
		free(w->rules);
		free(w->entries);
		w->rules = w->entries = NULL;
		return;
	}
	for (uint32_t at = 0; at < r->mfc.n; at++) {
		const struct mfc *e = &r->mfc.v[at];
		struct sum s = { w->rules, &w->entries[at] };

		if (e->state != MFC_FREE && s.add->packets)
			rules_matching(&r->rules, r->conf, e->iif, &e->source, &e->group, add_to_rule, &s);
	}
}

void show_routes(struct router *r, struct output *o)
{
	struct walk w = { .r = r, .o = o, .width = show_name_width(r, 3) };

	if (o->detail || o->json)
		count_all(&w);
	if (o->json)
		buf_str(&o->rows, "{\"routes\":{");
	rule_table(&w, false, "(*,G) Template Rules", "asm");
	rule_table(&w, true, "(S,G) Rules", "ssm");
	kernel_table(&w);
	if (o->json)
		buf_str(&o->rows, "}}\n");
	free(w.rules);
	free(w.entries);
}
