/* SPDX-License-Identifier: ISC
 *
 * The question of a person in front of one flow, so the rules are simply gone
 * through in their order.  No interface of this machine is looked at: a
 * wildcard stands for what it would match.
 */
#include "applets/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/status.h"

/* The packet that is asked about. */
struct flow {
	const char *iif;		/* without alias */
	size_t iif_len;
	struct addr source, group;
};

/* What keeps a rule from matching, the fewer and later the nearer. */
enum miss { MISS_IIF = 4, MISS_GROUP = 2, MISS_SOURCE = 1 };

static bool name_is(const struct conf_name *n, const struct flow *f)
{
	return n->wild ? f->iif_len >= n->len && !memcmp(f->iif, n->name, n->len)
		       : f->iif_len == n->len && !memcmp(f->iif, n->name, n->len);
}

static unsigned misses(const struct conf *c, const struct mroute *m, const struct flow *f)
{
	return (name_is(&c->names[m->iif], f) ? 0 : MISS_IIF) |
	       (addr_covers(&m->group, m->glen, &f->group) ? 0 : MISS_GROUP) |
	       (addr_covers(&m->source, m->slen, &f->source) ? 0 : MISS_SOURCE);
}

static void put_rule(struct buf *out, const struct conf *c, const struct mroute *m)
{
	buf_printf(out, "%s:%lu: ", c->files[m->where.file], (unsigned long)m->where.line);
	conf_print_mroute(out, c, m);
	buf_chr(out, '\n');
}

/* Adds the outputs of a rule to those of the rules before, each once. */
static void add_outputs(const struct conf *c, const struct mroute *m, uint8_t *in)
{
	const struct conf_set *s = &c->sets[m->oifs];

	for (uint32_t i = 0; i < s->n; i++)
		in[c->pool[s->off + i]] = 1;
}

static const struct phyint *phyint_of(const struct conf *c, const struct conf_name *n)
{
	return n->phyint ? &c->phyints[n->phyint - 1] : NULL;
}

static void put_outputs(struct buf *out, const struct conf *c, const struct flow *f, const uint8_t *in)
{
	bool any = false;

	for (uint32_t id = 0; id < c->nnames; id++) {
		const struct conf_name *n = &c->names[id];
		const struct phyint *p = phyint_of(c, n);

		if (!in[id])
			continue;
		buf_printf(out, any ? "         %s" : "outputs: %s", n->name);
		if (n->wild)
			buf_printf(out, "  (each interface of that name%s)",
				   name_is(n, f) ? ", but not the inbound one" : "");
		if (p && p->enable == 0)
			buf_str(out, "  (disabled by its phyint line: nothing goes there)");
		else if (p && p->ttl > 1 && addr_fam(&f->group) == FAM_4)
			buf_printf(out, "  (packets with a TTL above %u)", p->ttl);
		buf_chr(out, '\n');
		any = true;
	}
	if (!any)
		buf_str(out, "outputs: none, the packets are stopped here\n");
}

/* Why the nearest rule does not match. */
static void put_nearest(struct buf *out, const struct conf *c, const struct mroute *m, unsigned miss,
			const struct flow *f)
{
	char a[ADDR_STRLEN], b[ADDR_STRLEN];

	buf_str(out, "no rule matches: the packets go nowhere\n");
	if (!m)
		return;
	buf_str(out, "nearest: ");
	put_rule(out, c, m);
	if (miss & MISS_IIF)
		buf_printf(out, "  it is for packets from %s, not from %.*s\n", c->names[m->iif].name, (int)f->iif_len,
			   f->iif);
	if (miss & MISS_GROUP)
		buf_printf(out, "  its group is %s, not %s\n", prefix_str(&m->group, m->glen, a),
			   addr_str(&f->group, b));
	if (miss & MISS_SOURCE)
		buf_printf(out, "  its source is %s, not %s\n", prefix_str(&m->source, m->slen, a),
			   addr_str(&f->source, b));
}

/* Groups that no router forwards, whatever its rules: RFC 5771, 4; RFC 4291, 2.7. */
static bool stays_on_link(const struct addr *g)
{
	if (addr_fam(g) == FAM_4)
		return g->b[12] == 224 && !g->b[13] && !g->b[14];
	return (g->b[1] & 0x0f) <= 2;
}

static int answer(const struct conf *c, const struct flow *f, struct buf *out)
{
	uint8_t *in = calloc(c->nnames + 1u, 1);
	const struct mroute *nearest = NULL;
	unsigned least = ~0u;
	bool matched = false;

	if (!in) {
		out->failed = true;
		return EXIT_SYSTEM;
	}
	for (uint32_t id = 0; id < c->nmroutes; id++) {
		const struct mroute *m = &c->mroutes[id];

		if (m->iif == CONF_NONE || addr_fam(&m->group) != addr_fam(&f->group))
			continue;
		unsigned miss = misses(c, m, f);
		if (!miss) {
			put_rule(out, c, m);
			add_outputs(c, m, in);
			matched = true;
		} else if (miss < least) {
			least = miss;
			nearest = m;
		}
	}
	if (matched)
		put_outputs(out, c, f, in);
	else
		put_nearest(out, c, nearest, least, f);
	if (stays_on_link(&f->group))
		buf_str(out, "note: this group stays on its link, no router forwards it\n");
	free(in);
	return matched ? 0 : 1;
}

static int parse(const char *const words[3], struct flow *f)
{
	const char *why;
	uint8_t slen, glen;

	f->iif = words[0];
	f->iif_len = strlen(words[0]);
	why = conf_ifname(f->iif, &f->iif_len);
	if (why) {
		fprintf(stderr, "smcroute-check: %s: %s\n", words[0], why);
		return EXIT_DATA;
	}
	why = conf_parse_flow(words + 1, 2, &f->source, &slen, &f->group, &glen);
	if (!why && (slen != 128 || glen != 128))
		why = "a packet has one source and one group: leave the prefix length out";
	if (why) {
		fprintf(stderr, "smcroute-check: %s\n", why);
		return EXIT_DATA;
	}
	return 0;
}

int explain_main(const char *const words[3], const char *file)
{
	struct diags d = { 0 };
	struct buf out = { 0 }, errors = { 0 };
	struct conf *c;
	struct flow f;
	int status = parse(words, &f);

	if (status)
		return status;
	c = conf_new();
	if (!c) {
		fputs("smcroute-check: out of memory\n", stderr);
		return EXIT_SYSTEM;
	}
	conf_parse_file(c, &d, file);
	diags_print(&errors, c, &d, false);
	if (d.errors) {
		fputs(buf_cstr(&errors), stderr);
		status = EXIT_CONFIG;
	}
	int found = answer(c, &f, &out);
	fputs(buf_cstr(&out), stdout);
	if (out.failed || fflush(stdout))
		status = EXIT_SYSTEM;
	buf_free(&out);
	buf_free(&errors);
	diags_free(&d);
	conf_free(c);
	return status ? status : found;
}
