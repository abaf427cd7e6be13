/* SPDX-License-Identifier: ISC
 * See clause.h. */
#include "conf/clause.h"

#include <stdio.h>
#include <string.h>

#include "conf/field.h"
#include "conf/slip.h"
#include "lib/grow.h"

static const char *const clause_words[CLAUSE_N] = { "from", "source", "group", "kernel", "to" };

static int clause_find(const struct word *w)
{
	return lex_find(w, clause_words, CLAUSE_N);
}

bool clause_is_word(const char *name)
{
	int k = clause_find(&(struct word){ .p = name, .n = strlen(name) });

	return k >= 0 && k < CLAUSE_KERNEL;
}

/* Reports a clause that stands among the outputs: true when an output and the word behind it are one in truth. */
static bool clause_is_late(struct parser *ps, const struct clauses *f, const struct word *w)
{
	struct lex rest = ps->in->lex;
	struct addr a;
	uint8_t len;
	int k = clause_find(w);
	struct word next;

	if (k < 0 || k == CLAUSE_TO || k == CLAUSE_KERNEL || !lex_word(&rest, &next))
		return false;
	if (k == CLAUSE_FROM ? f->at[CLAUSE_FROM].p != NULL : prefix_parse(next.p, next.n, &a, &len) != ADDR_OK)
		return false;
	parser_error(ps, w, "\"%s\" must stand before \"to\"", clause_words[k]);
	return true;
}

/* The names behind "to" as a set; UINT32_MAX when there is none, which was reported. */
static uint32_t clause_read_outputs(struct parser *ps, const struct clauses *f)
{
	struct lex *l = &ps->in->lex;
	uint32_t n = 0, set;
	struct word w;
	bool none = true;

	ps->c->lists++;
	while (!ps->is_over && lex_word(l, &w)) {
		none = false;
		if (clause_is_late(ps, f, &w))
			return UINT32_MAX;
		uint16_t id = parser_name(ps, &w), *oifs;

		if (id == CONF_NONE)
			continue;
		struct conf_name *name = &ps->c->names[id];

		if (name->list == ps->c->lists) {
			parser_warning(ps, &w, "%s is named twice: once is enough", name->ifname.text);
			continue;
		}
		if (id == f->rule.iif && !name->ifname.is_wildcard)
			parser_warning(ps, &w, "%s is the inbound interface too: packets go out where they came in",
				       name->ifname.text);
		oifs = grow(ps->oifs, &ps->coifs, n + 1, sizeof *oifs);
		if (!oifs) {
			parser_nomem(ps);
			return UINT32_MAX;
		}
		ps->oifs = oifs;
		oifs[n++] = id;
		name->list = ps->c->lists;
	}
	if (none)
		parser_error(ps, &f->at[CLAUSE_TO], "\"to\" with nothing behind it: name an interface, or leave out "
			     "\"to\" for a rule that stops the flow");
	if (ps->is_bad)
		return UINT32_MAX;
	set = conf_set(ps->c, ps->oifs, n);
	if (set == UINT32_MAX)
		parser_nomem(ps);
	return set;
}

/* The same, from the memo where the line says what the one before said. */
static uint32_t clause_outputs(struct parser *ps, const struct clauses *f)
{
	const struct lex *l = &ps->in->lex;
	struct memo *memo = &ps->in->memo;
	struct word rest = { l->p, (size_t)(l->eol - l->p) };
	uint32_t warnings = ps->d->warnings;

	if (memo->to.p && memo->iif == f->rule.iif && memo->to.n == rest.n && !memcmp(memo->to.p, rest.p, rest.n))
		return memo->oifs;
	memo->oifs = clause_read_outputs(ps, f);
	memo->iif = f->rule.iif;
	memo->to = rest;
	if (memo->oifs == UINT32_MAX || ps->d->warnings != warnings)
		memo->to.p = NULL;
	return memo->oifs;
}

/* Takes the word behind keyword k.  Another keyword is no value, unless it names an interface, which shows by what
 * follows: a keyword or the end of the line. */
static bool clause_value(struct lex *l, int k, struct word *v)
{
	const char *start = l->p, *behind;
	struct word next;
	bool good;

	if (!lex_word(l, v))
		return false;
	if (clause_find(v) < 0)
		return true;
	behind = l->p;
	good = k == CLAUSE_FROM && (!lex_word(l, &next) || clause_find(&next) >= 0);
	l->p = good ? behind : start;
	return good;
}

/* Takes the address behind keyword k. */
static void clause_take_address(struct parser *ps, struct clauses *f, int k, const struct word *v)
{
	const struct flow *flow = &f->rule.range.flow;
	const char *why = field_host_bits(v, k == CLAUSE_GROUP ? &flow->group : &flow->source,
					  k == CLAUSE_GROUP ? f->rule.range.group_len : f->rule.range.source_len);

	f->value[k] = *v;
	if (why)
		parser_warning(ps, v, "%s", why);
}

static void clause_read(struct parser *ps, struct clauses *f, int k, const struct word *at, bool is_guess)
{
	struct flow_range *range = &f->rule.range;
	bool is_second = f->at[k].p != NULL;
	const char *why, *slip;
	struct word v;

	f->at[k] = *at;
	if (is_second)
		parser_error(ps, at, "\"%s\" is given twice", clause_words[k]);
	if (!clause_value(&ps->in->lex, k, &v)) {
		if (!is_guess)
			parser_error(ps, at, "\"%s\" with nothing behind it: write %s %s", clause_words[k],
				     clause_words[k], k == CLAUSE_FROM ? "IFNAME" : "ADDR[/LEN]");
		return;
	}
	if (is_second)
		return;
	if (k == CLAUSE_FROM) {
		f->rule.iif = parser_name(ps, &v);
		return;
	}
	if (k == CLAUSE_GROUP)
		why = field_addr(&v, true, &range->flow.group, &range->group_len);
	else
		why = field_addr(&v, false, &range->flow.source, &range->source_len);
	if (!why)
		clause_take_address(ps, f, k, &v);
	else if (!parser_foreign(ps, &v))
		parser_error(ps, &v, "%s", (slip = slip_address(&v, k == CLAUSE_GROUP)) ? slip : why);
}

static void clause_kernel(struct parser *ps, struct clauses *f, const struct word *at)
{
	if (f->at[CLAUSE_KERNEL].p)
		parser_error(ps, at, "\"kernel\" is given twice");
	f->at[CLAUSE_KERNEL] = *at;
	f->rule.in_kernel = true;
}

/* Reports "kernel" on a rule that cannot be one entry of the kernel for all sources. */
static void clause_check_kernel(struct parser *ps, const struct clauses *f)
{
	const struct word *at = &f->at[CLAUSE_KERNEL];
	const struct flow_range *range = &f->rule.range;

	if (!at->p)
		return;
	if (flow_range_is_single(range))
		parser_error(ps, at, "\"kernel\" is for any source: a rule of one source and one group is in the "
			     "kernel without it");
	else if (!flow_range_any_source(range))
		parser_error(ps, at, "\"kernel\" is for any source: leave out \"source\", or \"kernel\"");
	else if (range->group_len < 128)
		parser_error(ps, at, "\"kernel\" is for one group: write a line for each group, or leave out "
			     "\"kernel\"");
}

/* True when a clause stands in what is left of the line. */
static bool clause_follows(const struct parser *ps, int k)
{
	struct lex rest = ps->in->lex;
	struct word w;

	while (lex_word(&rest, &w))
		if (clause_find(&w) == k)
			return true;
	return false;
}

/* What to write where a word stands behind the value of keyword `last` that is none, n as in clauses_read(): its
 * keyword, as far as that shows. */
static const char *clause_remedy(const struct parser *ps, const struct clauses *f, const struct word *w, int n,
				 int last)
{
	static char text[64];
	struct lex rest = ps->in->lex;
	struct word next;
	struct addr a;
	uint8_t len;
	int k;

	if (last < 0)
		return ps->usage;
	if (w->n < sizeof text / 2 && prefix_parse(w->p, w->n, &a, &len) == ADDR_OK) {
		k = addr_is_multicast(&a, len) ? CLAUSE_GROUP : CLAUSE_SOURCE;
		if (f->at[k].p || clause_follows(ps, k))
			return "a line for each address, or a prefix with its length";
		snprintf(text, sizeof text, "%s %.*s", clause_words[k], (int)w->n, w->p);
		return text;
	}
	if (last == CLAUSE_FROM && (!lex_word(&rest, &next) || clause_find(&next) >= 0))
		return "one interface behind \"from\", or a wildcard such as eth+";
	if (n > CLAUSE_TO && f->at[CLAUSE_FROM].p && f->at[CLAUSE_GROUP].p && !clause_follows(ps, CLAUSE_TO))
		return "\"to\" before the outputs";
	return ps->usage;
}

/* As parser_unknown(), of a word that is no keyword. */
static int clause_unknown(struct parser *ps, const struct clauses *f, const struct word *w, int n, int last)
{
	const char *usage = ps->usage;
	int k;

	ps->usage = clause_remedy(ps, f, w, n, last);
	k = parser_unknown(ps, w, clause_words, n);
	ps->usage = usage;
	return k;
}

/* Reads clauses up to "to" or the end of the line; n as in clauses_read(). */
static void clauses_read_all(struct parser *ps, struct clauses *f, int n)
{
	struct word w;
	int last = -1;

	while (!f->at[CLAUSE_TO].p && lex_word(&ps->in->lex, &w)) {
		int k = clause_find(&w);
		bool is_known = k >= 0 && k < n;

		if (is_known) {
			ps->is_lost = false;
		} else if (k >= n && !ps->is_lost) {
			parser_error(ps, &w, "%s takes no \"%s\": write %s", ps->name, clause_words[k], ps->usage);
			ps->in->lex.p = ps->in->lex.eol;
			break;
		} else {
			k = clause_unknown(ps, f, &w, n, last);
		}
		last = k;
		f->is_lost |= k < 0;
		if (k == CLAUSE_KERNEL)
			clause_kernel(ps, f, &w);
		else if (k == CLAUSE_TO)
			f->at[CLAUSE_TO] = w;
		else if (k >= 0)
			clause_read(ps, f, k, &w, !is_known);
	}
}

/* Checks what must be there and what must fit together; an absent source becomes any. */
static void clauses_check(struct parser *ps, struct clauses *f)
{
	const struct word *s = &f->value[CLAUSE_SOURCE], *g = &f->value[CLAUSE_GROUP];
	struct flow_range *range = &f->rule.range;
	const char *why;

	for (int k = CLAUSE_FROM; k <= CLAUSE_GROUP && !f->is_lost; k++)
		if (k != CLAUSE_SOURCE && !f->at[k].p)
			parser_error(ps, &ps->at, "%s without \"%s\": write %s", ps->name, clause_words[k], ps->usage);
	if (!g->p)
		return;
	if (!f->at[CLAUSE_SOURCE].p)
		addr_any(flow_range_fam(range), &range->flow.source, &range->source_len);
	else if (s->p && (why = field_mixed(&range->flow)))
		parser_error(ps, s->p > g->p ? s : g, "%s", why);
	if (s->p || !f->at[CLAUSE_SOURCE].p)
		clause_check_kernel(ps, f);
}

void clauses_read(struct parser *ps, struct clauses *f, int n)
{
	*f = (struct clauses){ .rule.iif = CONF_NONE, .rule.where = parser_where(ps, &ps->at), .is_lost = ps->is_bad };
	clauses_read_all(ps, f, n);
	clauses_check(ps, f);
	if (f->at[CLAUSE_TO].p)
		f->rule.oifs = clause_outputs(ps, f);
}
