/* SPDX-License-Identifier: ISC
 * See parse.h. */
#include "conf/parse.h"

#include "conf/clause.h"
#include "conf/field.h"

/* True when a join is not too many memberships; a warning otherwise. */
static bool parse_join_fits(struct parser *ps, const struct clauses *f)
{
	unsigned bits = conf_join_bits(&f->rule.range);
	bool is_group = 128 - f->rule.range.group_len > CONF_JOIN_BITS;
	const char *iif;

	if (bits <= CONF_JOIN_BITS)
		return true;
	iif = ps->c->names[f->rule.iif].ifname.text;
	parser_line_lost(ps, &f->value[is_group ? CLAUSE_GROUP : CLAUSE_SOURCE],
		       "without effect: this would be %s%llu memberships, and %u is the most: write a longer "
		       "prefix%s%s%s",
		       bits < 64 ? "" : "2^", bits < 64 ? 1ull << bits : bits, 1u << CONF_JOIN_BITS,
		       is_group ? ", or have switches send all groups by \"phyint " :
		       ", or leave \"source\" out to join for any source", is_group ? iif : "",
		       is_group ? " enable mrdisc\"" : "");
	return false;
}

static void parse_mroute(struct parser *ps)
{
	struct clauses f;

	clauses_read(ps, &f, CLAUSE_N);
	if (!ps->is_bad && conf_add_mroute(ps->c, &f.rule) < 0)
		parser_nomem(ps);
}

static void parse_mgroup(struct parser *ps)
{
	struct clauses f;

	clauses_read(ps, &f, CLAUSES_OF_GROUPS);
	if (!ps->is_bad && parse_join_fits(ps, &f) && conf_add_mgroup(ps->c, &f.rule) < 0)
		parser_nomem(ps);
}

enum { PHYINT_ENABLE, PHYINT_DISABLE, PHYINT_MRDISC, PHYINT_REFRESH, PHYINT_TTL, PHYINT_THRESHOLD, PHYINT_N };
static const char *const parse_phyint_words[PHYINT_N] = {
	"enable", "disable", "mrdisc", "refresh", "ttl-threshold", "threshold",
};

/* Reads the number behind ttl-threshold. */
static void parse_phyint_ttl(struct parser *ps, struct phyint *p, const struct word *at)
{
	struct word w;

	if (!lex_word(&ps->in->lex, &w))
		parser_error(ps, at, "\"%s\" with nothing behind it: write a number from 1 to 255", lex_show(at));
	else if (!(p->ttl = (uint8_t)field_number(&w, UINT8_MAX)))
		parser_error(ps, &w, "bad ttl-threshold \"%s\": write a number from 1 to 255", lex_show(&w));
}

/* Reads the number that may be behind refresh: what looks like one is meant as one. */
static void parse_phyint_refresh(struct parser *ps, struct phyint *p)
{
	const struct lex here = ps->in->lex;
	struct word w;

	p->refresh = CONF_REFRESH;
	if (!lex_word(&ps->in->lex, &w))
		return;
	if (!strchr("0123456789+-.", *w.p))
		ps->in->lex = here;
	else if (!(p->refresh = (uint16_t)field_number(&w, CONF_REFRESH_MAX)))
		parser_error(ps, &w, "bad refresh \"%s\": write seconds from 1 to %d, or nothing for %d", lex_show(&w),
			     CONF_REFRESH_MAX, CONF_REFRESH);
}

static void parse_phyint_option(struct parser *ps, struct phyint *p, int k, const struct word *w, unsigned *given)
{
	if (k == PHYINT_THRESHOLD)
		k = PHYINT_TTL;
	if (*given & 1u << k)
		parser_error(ps, w, "\"%s\" is given twice", parse_phyint_words[k]);
	else if (k <= PHYINT_DISABLE && *given & (1u << PHYINT_ENABLE | 1u << PHYINT_DISABLE))
		parser_error(ps, w, "both \"enable\" and \"disable\": choose one");
	*given |= 1u << k;
	if (k <= PHYINT_DISABLE)
		p->enable = k == PHYINT_ENABLE;
	else if (k == PHYINT_MRDISC)
		p->mrdisc = true;
	else if (k == PHYINT_REFRESH)
		parse_phyint_refresh(ps, p);
	else
		parse_phyint_ttl(ps, p, w);
}

/* Lines of one interface add up; their order must not matter, so they may not contradict. */
static void parse_phyint_agrees(struct parser *ps, const struct phyint *p)
{
	const struct conf_name *name = &ps->c->names[p->name];

	if (!name->phyint)
		return;
	const struct phyint *old = &ps->c->phyints[name->phyint - 1];

	if (p->enable >= 0 && old->enable >= 0 && p->enable != old->enable)
		parser_error(ps, &ps->at, "%s is enabled and disabled, see line %lu of %s", name->ifname.text,
			     (unsigned long)old->where.line, ps->c->files[old->where.file]);
	if (p->ttl && old->ttl && p->ttl != old->ttl)
		parser_error(ps, &ps->at, "%s has ttl-threshold %u already, see line %lu of %s", name->ifname.text,
			     old->ttl, (unsigned long)old->where.line, ps->c->files[old->where.file]);
	if (p->refresh && old->refresh && p->refresh != old->refresh)
		parser_error(ps, &ps->at, "%s has refresh %u already, see line %lu of %s", name->ifname.text,
			     old->refresh, (unsigned long)old->where.line, ps->c->files[old->where.file]);
}

static void parse_phyint(struct parser *ps)
{
	struct phyint p = { .where = parser_where(ps, &ps->at), .enable = -1 };
	unsigned given = 0;
	struct word w;

	if (!lex_word(&ps->in->lex, &w)) {
		parser_error(ps, &ps->at, "phyint without an interface: write %s", ps->usage);
		return;
	}
	p.name = parser_name(ps, &w);
	while (lex_word(&ps->in->lex, &w)) {
		int k = lex_find(&w, parse_phyint_words, PHYINT_N);

		if (k >= 0)
			ps->is_lost = false;
		else
			k = parser_unknown(ps, &w, parse_phyint_words, PHYINT_N);
		if (k >= 0)
			parse_phyint_option(ps, &p, k, &w, &given);
	}
	if (!ps->is_bad)
		parse_phyint_agrees(ps, &p);
	if (!ps->is_bad && conf_add_phyint(ps->c, &p) < 0)
		parser_nomem(ps);
}

static void parse_include(struct parser *ps)
{
	struct word w, more;

	if (!lex_word(&ps->in->lex, &w))
		parser_error(ps, &ps->at, "include without a file: write %s", ps->usage);
	else if (lex_word(&ps->in->lex, &more))
		parser_error(ps, &more, "unknown word \"%s\": include takes one file or pattern a line",
			     lex_show(&more));
	else if (!ps->is_bad)
		ps->include = w;
}

/* The keywords, and what each means. */
enum { DIR_MROUTE, DIR_MGROUP, DIR_PHYINT, DIR_INCLUDE, DIR_SSMGROUP, DIR_N };
static const char *const parse_words[DIR_N] = { "mroute", "mgroup", "phyint", "include", "ssmgroup" };
static const struct directive {
	void (*parse)(struct parser *ps);
	const char *usage;
} parse_directives[DIR_N] = {
	[DIR_MROUTE] = { parse_mroute,
			 "mroute from IFNAME [source ADDR[/LEN]] group ADDR[/LEN] [kernel] [to IFNAME ...]" },
	[DIR_MGROUP] = { parse_mgroup, "mgroup from IFNAME [source ADDR[/LEN]] group ADDR[/LEN]" },
	[DIR_PHYINT] = {
		parse_phyint, "phyint IFNAME [enable | disable] [mrdisc] [refresh [SEC]] [ttl-threshold 1-255]",
	},
	[DIR_INCLUDE] = { parse_include, "include PATTERN" },
	[DIR_SSMGROUP] = { parse_mgroup, "mgroup from IFNAME [source ADDR[/LEN]] group ADDR[/LEN]" },
};

void parse_line(struct parser *ps)
{
	const struct lex *l = &ps->in->lex;
	struct word nul = { memchr(l->line, 0, (size_t)(l->eol - l->line)), 1 };
	int k;

	ps->is_bad = ps->is_lost = false;
	ps->include.p = NULL;
	if (nul.p) {
		parser_error(ps, &nul, "NUL byte: a configuration is plain text in ASCII or UTF-8");
		return;
	}
	if (!lex_word(&ps->in->lex, &ps->at))
		return;
	ps->name = NULL;
	ps->usage = "mroute, mgroup, phyint or include";
	k = lex_find(&ps->at, parse_words, DIR_N);
	if (k < 0)
		k = parser_unknown(ps, &ps->at, parse_words, DIR_N);
	if (k < 0)
		return;
	ps->name = parse_words[k];
	ps->usage = parse_directives[k].usage;
	parse_directives[k].parse(ps);
}
