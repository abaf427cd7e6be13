/* SPDX-License-Identifier: ISC
 *
 * Lines to directives: the keyword table and one function for each row.  A line
 * with an error is left out, its other errors are told all the same, and the
 * next line starts afresh.  Nothing of the machine is looked at: whether an
 * interface exists is not asked here.
 */
#include "conf/parse.h"

#include <stdarg.h>

/* ---- telling ---- */

struct where parse_where(const struct parser *ps, const struct word *at)
{
	return (struct where){ ps->in->lex.no, lex_col(&ps->in->lex, at->p), ps->in->file };
}

static void __attribute__((format(printf, 4, 0)))
tell(struct parser *ps, const struct word *at, bool error, const char *fmt, va_list ap)
{
	const struct lex *l = &ps->in->lex;
	struct diag *d = diag_vadd(ps->d, parse_where(ps, at), error, fmt, ap);

	if (d)
		diag_line(d, l->line, (size_t)(l->eol - l->line));
}

void parse_error(struct parser *ps, const struct word *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(ps, at, true, fmt, ap);
	va_end(ap);
	ps->bad = true;
}

void parse_warning(struct parser *ps, const struct word *at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(ps, at, false, fmt, ap);
	va_end(ap);
}

void parse_nomem(struct parser *ps)
{
	struct word line = { ps->in->lex.line, 0 };

	if (!ps->stop)
		parse_error(ps, &line, "out of memory: this line and those after it are left out");
	ps->stop = ps->bad = true;
}

int parse_unknown(struct parser *ps, const struct word *w, const char *const *list, int n)
{
	const char *what = ps->name ? "word" : "directive", *s = word_show(w);
	int near;

	if (ps->lost)
		return -1;
	near = field_near(w, list, n);
	ps->lost = near < 0;
	parse_error(ps, w, ps->lost ? "unknown %s \"%s\": write %s" : "unknown %s \"%s\", did you mean \"%s\"?",
		    what, s, ps->lost ? ps->usage : list[near]);
	return near;
}

/* ---- directives ---- */

/* Tells of a group that would be too many memberships. */
static void join_fits(struct parser *ps, const struct clauses *f)
{
	unsigned bits = conf_join_bits(&f->m.range);

	if (bits > CONF_JOIN_BITS)
		parse_error(ps, &f->value[128 - f->m.range.group_len > CONF_JOIN_BITS ? C_GROUP : C_SOURCE],
			    "this would be %s%llu memberships, and %u is the most: a longer prefix is needed",
			    bits < 64 ? "" : "2^", bits < 64 ? 1ull << bits : bits, 1u << CONF_JOIN_BITS);
}

/* A rule, or a group to join where no "to" may come. */
static void parse_flow(struct parser *ps, bool join)
{
	struct clauses f = { .m.iif = CONF_NONE, .lost = ps->bad };

	parse_clauses(ps, &f, join ? C_TO : C_N);
	check_clauses(ps, &f);
	if (f.at[C_TO].p)
		f.m.oifs = parse_oifs(ps, &f);
	if (join && !ps->bad)
		join_fits(ps, &f);
	if (!ps->bad && (join ? conf_add_mgroup : conf_add_mroute)(ps->c, &f.m) < 0)
		parse_nomem(ps);
}

static void parse_mroute(struct parser *ps)
{
	parse_flow(ps, false);
}

static void parse_mgroup(struct parser *ps)
{
	parse_flow(ps, true);
}

enum { P_ENABLE, P_DISABLE, P_MRDISC, P_TTL, P_N };
static const char *const phyint_words[P_N] = {
	"enable", "disable", "mrdisc", "ttl-threshold"
};

/* Reads the number behind ttl-threshold. */
static void phyint_ttl(struct parser *ps, struct phyint *p, const struct word *at)
{
	struct word w;

	if (!lex_word(&ps->in->lex, &w))
		parse_error(ps, at, "\"ttl-threshold\" with nothing behind it: write a number from 1 to 255");
	else if (!(p->ttl = field_ttl(&w)))
		parse_error(ps, &w, "bad ttl-threshold \"%s\": write a number from 1 to 255", word_show(&w));
}

static void phyint_option(struct parser *ps, struct phyint *p, int k, const struct word *w,
			  unsigned *given)
{
	if (*given & 1u << k)
		parse_error(ps, w, "\"%s\" is given twice", phyint_words[k]);
	else if (k <= P_DISABLE && *given & (1u << P_ENABLE | 1u << P_DISABLE))
		parse_error(ps, w, "both \"enable\" and \"disable\": choose one");
	*given |= 1u << k;
	if (k <= P_DISABLE)
		p->enable = k == P_ENABLE;
	else if (k == P_MRDISC)
		p->mrdisc = true;
	else
		phyint_ttl(ps, p, w);
}

/* Lines of one interface add up; their order must not matter, so they may not contradict. */
static void phyint_agrees(struct parser *ps, const struct phyint *p)
{
	const struct conf_name *name = &ps->c->names[p->name];

	if (!name->phyint)
		return;
	const struct phyint *old = &ps->c->phyints[name->phyint - 1];

	if (p->enable >= 0 && old->enable >= 0 && p->enable != old->enable)
		parse_error(ps, &ps->at, "%s is enabled and disabled, see line %lu of %s", name->ifname.text,
			    (unsigned long)old->where.line, ps->c->files[old->where.file]);
	if (p->ttl && old->ttl && p->ttl != old->ttl)
		parse_error(ps, &ps->at, "%s has ttl-threshold %u already, see line %lu of %s", name->ifname.text,
			    old->ttl, (unsigned long)old->where.line, ps->c->files[old->where.file]);
}

static void parse_phyint(struct parser *ps)
{
	struct phyint p = { .where = parse_where(ps, &ps->at), .enable = -1 };
	unsigned given = 0;
	struct word w;

	if (!lex_word(&ps->in->lex, &w)) {
		parse_error(ps, &ps->at, "phyint without an interface: write %s", ps->usage);
		return;
	}
	p.name = parse_name(ps, &w);
	while (lex_word(&ps->in->lex, &w)) {
		int k = lex_find(&w, phyint_words, P_N);

		if (k >= 0)
			ps->lost = false;
		else
			k = parse_unknown(ps, &w, phyint_words, P_N);
		if (k >= 0)
			phyint_option(ps, &p, k, &w, &given);
	}
	if (!ps->bad)
		phyint_agrees(ps, &p);
	if (!ps->bad && conf_add_phyint(ps->c, &p) < 0)
		parse_nomem(ps);
}

static void parse_include(struct parser *ps)
{
	struct word w, more;

	if (!lex_word(&ps->in->lex, &w))
		parse_error(ps, &ps->at, "include without a file: write %s", ps->usage);
	else if (lex_word(&ps->in->lex, &more))
		parse_error(ps, &more, "unknown word \"%s\": include takes one file or pattern a line",
			    word_show(&more));
	if (!ps->bad)
		include_pattern(ps, &w);
}

/* The keywords, and what each means. */
enum { D_MROUTE, D_MGROUP, D_PHYINT, D_INCLUDE, D_SSMGROUP, D_N };
static const char *const directive_words[D_N] = {
	"mroute", "mgroup", "phyint", "include", "ssmgroup"
};
static const struct directive {
	void (*parse)(struct parser *ps);
	const char *usage;
} directives[D_N] = {
	[D_MROUTE] = { parse_mroute, "mroute from IFNAME [source ADDR[/LEN]] group ADDR[/LEN] [to IFNAME ...]" },
	[D_MGROUP] = { parse_mgroup, "mgroup from IFNAME [source ADDR[/LEN]] group ADDR[/LEN]" },
	[D_PHYINT] = { parse_phyint, "phyint IFNAME [enable | disable] [mrdisc] [ttl-threshold 1-255]" },
	[D_INCLUDE] = { parse_include, "include PATTERN" },
	[D_SSMGROUP] = { parse_mgroup, "mgroup from IFNAME [source ADDR[/LEN]] group ADDR[/LEN]" },
};

static void parse_line(struct parser *ps)
{
	int k;

	ps->bad = ps->lost = false;
	if (!lex_word(&ps->in->lex, &ps->at))
		return;
	ps->name = NULL;
	ps->usage = "mroute, mgroup, phyint or include";
	k = lex_find(&ps->at, directive_words, D_N);
	if (k < 0)
		k = parse_unknown(ps, &ps->at, directive_words, D_N);
	if (k < 0)
		return;
	ps->name = directive_words[k];
	ps->usage = directives[k].usage;
	directives[k].parse(ps);
}

void parse_lines(struct parser *ps, struct input *in, const char *text, size_t n)
{
	ps->in = in;
	/* What stood in the text before is gone. */
	in->memo = (struct memo){ 0 };
	lex_text(&in->lex, text, n);
	while (!ps->stop && lex_line(&in->lex)) {
		struct word nul = { memchr(in->lex.line, 0, (size_t)(in->lex.eol - in->lex.line)), 1 };

		if (nul.p)
			parse_error(ps, &nul, "NUL byte: a configuration is plain text in ASCII or UTF-8");
		else
			parse_line(ps);
	}
}
