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

#include "applets/applet.h"
#include "conf/match.h"

/* The packet that is asked about, where, and the answer. */
struct question {
	struct buf out;
	const struct conf *c;
	char iif[IFNAME_SIZE];		/* without alias */
	struct flow_range range;
};

static unsigned misses(const struct question *f, const struct conf_rule *m)
{
	return match_rule(&f->c->names[m->iif].ifname, &m->range, f->iif, &f->range.flow);
}

static void put_rule(struct question *f, const struct conf_rule *m)
{
	buf_printf(&f->out, "%s:%lu: ", f->c->files[m->where.file], (unsigned long)m->where.line);
	conf_print_mroute(&f->out, f->c, m);
	buf_chr(&f->out, '\n');
}

/* Adds the outputs of a rule to those of the rules before, each once. */
static void add_outputs(const struct conf *c, const struct conf_rule *m, uint8_t *in)
{
	const struct conf_set *s = &c->sets[m->oifs];

	for (uint32_t i = 0; i < s->n; i++)
		in[c->pool[s->off + i]] = 1;
}

static void put_output(struct question *f, const struct conf_name *n, const char *head)
{
	const struct phyint *p = n->phyint ? &f->c->phyints[n->phyint - 1] : NULL;

	buf_printf(&f->out, "%s%s", head, n->ifname.text);
	if (n->ifname.is_wildcard)
		buf_printf(&f->out, "  (each interface of that name%s)",
			   ifname_matches(&n->ifname, f->iif) ? ", but not the inbound one" : "");
	if (p && p->enable == 0)
		buf_str(&f->out, "  (disabled by its phyint line: nothing goes there)");
	else if (p && p->ttl > 1 && addr_fam(&f->range.flow.group) == FAM_4)
		buf_printf(&f->out, "  (packets with a TTL above %u)", p->ttl);
	buf_chr(&f->out, '\n');
}

static void put_outputs(struct question *f, const uint8_t *in)
{
	bool any = false;

	for (uint32_t id = 0; id < f->c->nnames; id++) {
		if (!in[id])
			continue;
		put_output(f, &f->c->names[id], any ? "         " : "outputs: ");
		any = true;
	}
	if (!any)
		buf_str(&f->out, "outputs: none, the packets are stopped here\n");
}

static void put_miss(struct question *f, const char *what, const struct addr *prefix, uint8_t len, const struct addr *a)
{
	char x[ADDR_STRLEN], y[ADDR_STRLEN];

	buf_printf(&f->out, "  its %s is %s, not %s\n", what, prefix_str(prefix, len, x), addr_str(a, y));
}

/* Why the nearest rule does not match. */
static void put_nearest(struct question *f, const struct conf_rule *m, unsigned miss)
{
	buf_str(&f->out, "no rule matches: the packets go nowhere\n");
	if (!m)
		return;
	buf_str(&f->out, "nearest: ");
	put_rule(f, m);
	if (miss & MISS_IIF)
		buf_printf(&f->out, "  it is for packets from %s, not from %s\n", f->c->names[m->iif].ifname.text,
			   f->iif);
	if (miss & MISS_GROUP)
		put_miss(f, "group", &m->range.flow.group, m->range.group_len, &f->range.flow.group);
	if (miss & MISS_SOURCE)
		put_miss(f, "source", &m->range.flow.source, m->range.source_len, &f->range.flow.source);
}

static int answer(struct question *f)
{
	const struct conf *c = f->c;
	uint8_t *in = calloc(c->nnames + 1u, 1);
	const struct conf_rule *nearest = NULL, *m;
	unsigned least = ~0u;

	if (!in)
		return EXIT_SYSTEM;
	for (m = c->mroutes; m < c->mroutes + c->nmroutes; m++) {
		unsigned miss;

		if (m->iif == CONF_NONE || flow_range_fam(&m->range) != addr_fam(&f->range.flow.group))
			continue;
		miss = misses(f, m);
		if (!miss) {
			put_rule(f, m);
			add_outputs(c, m, in);
		}
		if (miss < least) {
			least = miss;
			nearest = m;
		}
	}
	if (!least)
		put_outputs(f, in);
	else
		put_nearest(f, nearest, least);
	if (match_link_local(&f->range.flow.group, 128))
		buf_str(&f->out, "note: this group stays on its link, no router forwards it\n");
	free(in);
	return least ? 1 : 0;
}

static int parse(const char *const words[3], struct question *f)
{
	size_t len = strlen(words[0]);
	const char *why;

	why = ifname_check(words[0], &len);
	if (!why)
		memcpy(f->iif, words[0], len);
	else
		return applet_fail(EXIT_DATA, "%s: %s", words[0], why);
	why = conf_parse_range(words + 1, 2, &f->range);
	if (!why && !flow_range_is_single(&f->range))
		why = "a packet has one source and one group: leave the prefix length out";
	return why ? applet_fail(EXIT_DATA, "%s", why) : 0;
}

int explain_main(const char *const words[3], const char *file)
{
	struct question f = { 0 };
	struct diags d = { 0 };
	struct conf *c;
	int status = parse(words, &f), found;

	if (status)
		return status;
	c = conf_new();
	if (!c)
		return applet_fail(EXIT_SYSTEM, "out of memory");
	conf_parse_file(c, &d, file);
	if (d.errors) {
		diags_print(&f.out, c, &d, false);
		fputs(buf_cstr(&f.out), stderr);
		f.out.len = 0;
		status = EXIT_CONFIG;
	}
	f.c = c;
	found = answer(&f);
	fputs(buf_cstr(&f.out), stdout);
	if (f.out.failed || fflush(stdout))
		status = EXIT_SYSTEM;
	buf_free(&f.out);
	diags_free(&d);
	conf_free(c);
	return status ? status : found;
}
