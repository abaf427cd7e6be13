/* SPDX-License-Identifier: ISC
 *
 * What mroute and mgroup have in common: the clauses from, source, group and
 * to, in any order up to "to", and the names behind it.  Each clause is checked
 * as it is read, so that all errors of a line are told from left to right.
 */
#include "conf/parse.h"

#include <errno.h>

#include "lib/grow.h"

static const char *const clause_words[C_N] = {
	"from", "source", "group", "to"
};

static int clause_of(const struct word *w)
{
	return lex_find(w, clause_words, C_N);
}

/* ---- names ---- */

uint16_t parse_name(struct parser *ps, const struct word *w)
{
	size_t n = w->n;
	const char *why = ifname_check(w->p, &n);

	if (why) {
		parse_error(ps, w, "\"%s\" is no interface name: %s", word_show(w), why);
		return CONF_NONE;
	}
	uint16_t id = conf_name(ps->c, w->p, n);

	if (id == CONF_NONE && errno == ENOSPC)
		parse_error(ps, w, "more than %d interface names", CONF_NONE);
	else if (id == CONF_NONE)
		parse_nomem(ps);
	return id;
}

/* True, with the error told, when an oif and the one behind it are in truth a clause that came too
 * late. */
static bool late_clause(struct parser *ps, const struct clauses *f, const struct word *w,
			const struct word *next)
{
	struct addr a;
	uint8_t len;
	int k = clause_of(w);

	if (k < 0 || k == C_TO)
		return false;
	if (k == C_FROM ? f->at[C_FROM].p != NULL : prefix_parse(next->p, next->n, &a, &len) != ADDR_OK)
		return false;
	parse_error(ps, w, "\"%s\" must stand before \"to\"", clause_words[k]);
	return true;
}

/* Reads the names behind "to"; UINT32_MAX when there is no set of them. */
static uint32_t read_oifs(struct parser *ps, const struct clauses *f)
{
	struct lex *l = &ps->in->lex;
	uint32_t n = 0, set;
	struct word w, last = { 0 };
	bool none = true;

	ps->c->lists++;
	while (!ps->stop && lex_word(l, &w)) {
		none = false;
		if (late_clause(ps, f, &last, &w))
			return UINT32_MAX;
		uint16_t id = parse_name(ps, &w), *oifs;

		if (id == CONF_NONE)
			continue;
		struct conf_name *name = &ps->c->names[id];

		if (name->list == ps->c->lists) {
			parse_warning(ps, &w, "%s is named twice: once is enough", name->ifname.text);
			continue;
		}
		if (id == f->m.iif && !name->ifname.is_wildcard)
			parse_warning(ps, &w, "%s is the inbound interface too: packets go out where they came in",
				      name->ifname.text);
		oifs = grow(ps->oifs, &ps->coifs, n + 1, sizeof *oifs);
		if (!oifs) {
			parse_nomem(ps);
			return UINT32_MAX;
		}
		ps->oifs = oifs;
		oifs[n++] = id;
		name->list = ps->c->lists;
		last = w;
	}
	if (none)
		parse_error(ps, &f->at[C_TO], "\"to\" with nothing behind it: name an interface, "
			    "or leave out \"to\" for a rule that stops the flow");
	if (ps->bad)
		return UINT32_MAX;
	set = conf_set(ps->c, ps->oifs, n);
	if (set == UINT32_MAX)
		parse_nomem(ps);
	return set;
}

/* Most lines say what the line before said. */
uint32_t parse_oifs(struct parser *ps, const struct clauses *f)
{
	const struct lex *l = &ps->in->lex;
	struct memo *memo = &ps->in->memo;
	struct word rest = { l->p, (size_t)(l->eol - l->p) };
	uint32_t warnings = ps->d->warnings;

	if (memo->to.p && memo->oifs_iif == f->m.iif && lex_equal(&rest, &memo->to))
		return memo->oifs;
	memo->oifs = read_oifs(ps, f);
	memo->oifs_iif = f->m.iif;
	memo->to = rest;
	if (memo->oifs == UINT32_MAX || ps->d->warnings != warnings)
		memo->to.p = NULL;
	return memo->oifs;
}

static uint16_t parse_iif(struct parser *ps, const struct word *w)
{
	struct memo *memo = &ps->in->memo;

	if (!memo->from.p || !lex_equal(w, &memo->from)) {
		memo->iif = parse_name(ps, w);
		memo->from = *w;
		if (memo->iif == CONF_NONE)
			memo->from.p = NULL;
	}
	return memo->iif;
}

/* ---- clauses ---- */

/* Takes the word behind keyword k.  Another keyword is no value, unless it names an interface,
 * which can be told by what follows: a keyword or the end of the line. */
static bool clause_value(struct lex *l, int k, struct word *v)
{
	const char *start = l->p, *behind;
	struct word next;
	bool good;

	if (!lex_word(l, v))
		return false;
	if (clause_of(v) < 0)
		return true;
	behind = l->p;
	good = k == C_FROM && (!lex_word(l, &next) || clause_of(&next) >= 0);
	l->p = good ? behind : start;
	return good;
}

static void clause(struct parser *ps, struct clauses *f, int k, const struct word *at, bool guessed)
{
	bool twice = f->at[k].p != NULL, group = k == C_GROUP;
	const char *why;
	struct word v;

	f->at[k] = *at;
	if (twice)
		parse_error(ps, at, "\"%s\" is given twice", clause_words[k]);
	if (!clause_value(&ps->in->lex, k, &v)) {
		if (!guessed)
			parse_error(ps, at, "\"%s\" with nothing behind it: write %s %s", clause_words[k],
				    clause_words[k], k == C_FROM ? "IFNAME" : "ADDR[/LEN]");
		return;
	}
	if (twice)
		return;
	if (k == C_FROM) {
		f->m.iif = parse_iif(ps, &v);
		return;
	}
	why = field_addr(&v, group, group ? &f->m.range.flow.group : &f->m.range.flow.source, group ? &f->m.range.group_len : &f->m.range.source_len);
	if (why)
		parse_error(ps, &v, "%s", why);
	else
		f->value[k] = v;
}

void parse_clauses(struct parser *ps, struct clauses *f, int n)
{
	struct word w;

	while (!f->at[C_TO].p && lex_word(&ps->in->lex, &w)) {
		int k = clause_of(&w);
		bool known = k >= 0 && k < n;

		if (known) {
			ps->lost = false;
		} else if (k == C_TO && !ps->lost) {
			parse_error(ps, &w, "%s takes no \"to\": write %s", ps->name, ps->usage);
			ps->in->lex.p = ps->in->lex.eol;
			break;
		} else {
			k = parse_unknown(ps, &w, clause_words, n);
		}
		f->lost |= k < 0;
		if (k == C_TO)
			f->at[C_TO] = w;
		else if (k >= 0)
			clause(ps, f, k, &w, !known);
	}
}

void check_clauses(struct parser *ps, struct clauses *f)
{
	const struct word *s = &f->value[C_SOURCE], *g = &f->value[C_GROUP];
	struct conf_rule *m = &f->m;
	const char *why;

	m->where = parse_where(ps, &ps->at);
	for (int k = C_FROM; k <= C_GROUP && !f->lost; k++)
		if (k != C_SOURCE && !f->at[k].p)
			parse_error(ps, &ps->at, "%s without \"%s\": write %s", ps->name, clause_words[k],
				    ps->usage);
	if (!g->p)
		return;
	if (!f->at[C_SOURCE].p)
		addr_any(flow_range_fam(&m->range), &m->range.flow.source, &m->range.source_len);
	else if (s->p && (why = field_mixed(&m->range.flow.source, &m->range.flow.group)))
		parse_error(ps, s->p > g->p ? s : g, "%s", why);
}
