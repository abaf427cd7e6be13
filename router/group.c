/* SPDX-License-Identifier: ISC
 *
 * Group memberships: lines of the conf are expanded for each interface that they
 * mean; a membership counts the lines that want it, so that overlapping ranges
 * come and go one by one.  A reload counts anew and leaves what came out with
 * none.
 */
#include "router/group.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "router/member.h"
#include "router/router.h"

static uint32_t line_key(const struct conf_rule *g)
{
	return flow_range_hash(&g->range) ^ g->iif * 0xc2b2ae35u;
}

static uint32_t line_hash(const void *ctx, uint32_t id)
{
	const struct conf *c = ctx;

	return line_key(&c->mgroups[id]);
}

static bool line_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct conf *c = ctx;
	const struct conf_rule *a = &c->mgroups[id], *b = key;

	return a->iif == b->iif && flow_range_eq(&a->range, &b->range);
}

static const struct hash_ops line_ops = { line_hash, line_equal };

void groups_init(struct groups *t)
{
	memset(t, 0, sizeof *t);
	t->free = t->head = HASH_NONE;
	groups_begin(t);
}

void groups_free(struct groups *t)
{
	free(t->v);
	hash_free(&t->by_sg);
	hash_free(&t->by_line);
}

/* Address number i of a prefix that has at most 2^CONF_JOIN_BITS of them. */
static struct addr nth(const struct addr *a, uint32_t i)
{
	struct addr out = *a;

	out.w[3] = htonl(ntohl(out.w[3]) + i);
	return out;
}

/* What is done to the memberships of a line. */
enum verb {
	RESERVE,	/* makes room for them */
	WANT,		/* adds them where there are none and counts the line; groups_sync() does the rest */
	JOIN,		/* the same, and joins those that no other line wants */
	LEAVE,		/* counts it no longer, and leaves those that no other line wants */
	RETRY,		/* tries those again that failed */
	COUNT,		/* looks what they came to */
};

static void count(const struct member *m, struct group_count *c)
{
	if (m->queued) {
		c->waiting++;
	} else if (m->err) {
		c->failed++;
		c->err = m->err;
	} else {
		c->joined++;
	}
}

static void one_member(struct router *r, const struct member *key, enum verb verb, struct group_count *c)
{
	uint32_t at = member_find(&r->groups, key);
	bool differs = false;

	if (at == HASH_NONE && verb <= JOIN)
		at = member_add(&r->groups, key);
	if (at == HASH_NONE)
		return;
	struct member *m = &r->groups.v[at];

	switch (verb) {
	case WANT:
		m->refs++;
		break;
	case JOIN:
		differs = !m->refs++;
		break;
	case LEAVE:
		differs = m->refs && !--m->refs;
		break;
	case RETRY:
		differs = m->err;
		break;
	default:
		count(m, c);
	}
	if (differs)
		member_touch(r, at);
}

/* Does it to each membership of a line on an interface; LEAVE: the newest groups first, as the kernel
 * looks through them from that end (net/ipv4/igmp.c, net/ipv6/mcast.c), but not so through sources. */
static void expand(struct router *r, const struct conf_rule *g, int ifindex, enum verb verb, struct group_count *c)
{
	bool any = flow_range_any_source(&g->range);
	uint32_t sources = any ? 1 : UINT32_C(1) << (128 - g->range.source_len), n = UINT32_C(1) << mgroup_bits(g);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = (verb == LEAVE ? n - 1 - i : i) / sources;
		struct member key = { .ifindex = ifindex, .flow.group = nth(&g->range.flow.group, k) };

		if (!any)
			key.flow.source = nth(&g->range.flow.source, i % sources);
		one_member(r, &key, verb, c);
	}
}

/* Does it on each usable interface that the line means, or on one of them.  0, or for RESERVE -1 with ENOMEM;
 * c: for COUNT. */
static int each_interface(struct router *r, const struct conf_rule *g, int only, enum verb verb, struct group_count *c)
{
	uint64_t n = 0;

	for (struct iface *i = NULL; (i = iface_match(&r->ifs, &r->conf->names[g->iif].ifname, i));)
		if ((!only || i->ifindex == only) && iface_usable(i)) {
			n += UINT32_C(1) << mgroup_bits(g);
			if (verb != RESERVE)
				expand(r, g, i->ifindex, verb, c);
		}
	return verb == RESERVE ? member_reserve(&r->groups, n) : 0;
}

static bool is_on(const struct member *m, int ifindex)
{
	return m->used && (!ifindex || m->ifindex == ifindex);
}

void groups_sync(struct router *r, int ifindex)
{
	const struct conf *c = r->conf;
	struct groups *t = &r->groups;

	for (uint32_t at = 0; at < t->n; at++)
		if (is_on(&t->v[at], ifindex))
			t->v[at].refs = 0;
	for (uint32_t k = 0; k < c->nmgroups; k++) {
		const struct conf_rule *g = &c->mgroups[k];

		if (g->iif == CONF_NONE)
			continue;
		if (each_interface(r, g, ifindex, RESERVE, NULL) == 0)
			each_interface(r, g, ifindex, WANT, NULL);
		else
			log_limited(&r->lim_join, r->now, LOG_LVL_ERR, "%s: out of memory, some groups are not joined",
				    c->names[g->iif].ifname.text);
	}
	/* What is left first may make room for what is joined then. */
	for (uint32_t at = t->n; at-- > 0;)
		if (t->v[at].used && !t->v[at].refs)
			member_touch(r, at);
	for (uint32_t at = 0; at < t->n; at++)
		if (is_on(&t->v[at], ifindex) && t->v[at].refs && !t->v[at].joined)
			member_touch(r, at);
}

void groups_link_gone(struct router *r, int ifindex)
{
	struct groups *t = &r->groups;

	for (uint32_t at = t->n; at-- > 0;)
		if (is_on(&t->v[at], ifindex)) {
			t->v[at].refs = 0;
			t->v[at].gone = true;
			member_touch(r, at);
		}
}

uint32_t group_line_find(const struct router *r, const struct conf_rule *g)
{
	return hash_find(&r->groups.by_line, &line_ops, r->conf, line_key(g), g);
}

int groups_index(struct router *r)
{
	struct groups *t = &r->groups;
	struct conf *c = r->conf;

	hash_free(&t->by_line);
	t->removed = 0;
	for (uint32_t k = 0; k < c->nmgroups; k++) {
		struct conf_rule *g = &c->mgroups[k];

		if (group_line_find(r, g) != HASH_NONE)
			conf_del_mroute(c, g);
		if (g->iif == CONF_NONE)
			t->removed++;
		else if (hash_add(&t->by_line, &line_ops, c, line_key(g), k) < 0)
			return -1;
	}
	return 0;
}

/* Does it to a line that a client names. */
static void at_once(struct router *r, const struct conf_rule *g, enum verb verb)
{
	groups_begin(&r->groups);
	each_interface(r, g, 0, verb, NULL);
}

int group_line_add(struct router *r, const struct conf_rule *g)
{
	struct conf *c = r->conf;
	bool first = !c->names[g->iif].refs[flow_range_fam(&g->range)];
	int line;

	if (each_interface(r, g, 0, RESERVE, NULL) < 0 || (line = conf_add_mgroup(c, g)) < 0)
		return -1;
	if (hash_add(&r->groups.by_line, &line_ops, c, line_key(g), (uint32_t)line) < 0) {
		conf_del_mroute(c, &c->mgroups[line]);
		r->groups.removed++;
		return -1;
	}
	r->vifs_stale |= first;
	at_once(r, g, JOIN);
	return 0;
}

void group_line_retry(struct router *r, uint32_t line)
{
	at_once(r, &r->conf->mgroups[line], RETRY);
}

void group_line_del(struct router *r, uint32_t line)
{
	struct conf_rule *g = &r->conf->mgroups[line];
	const struct conf_name *n = &r->conf->names[g->iif];
	enum fam fam = flow_range_fam(&g->range);

	hash_del(&r->groups.by_line, &line_ops, r->conf, line_key(g), line);
	at_once(r, g, LEAVE);
	conf_del_mroute(r->conf, g);
	r->groups.removed++;
	r->vifs_stale |= !n->refs[fam];
	member_trim(&r->groups);
}

void group_line_count(struct router *r, const struct conf_rule *g, struct group_count *out)
{
	memset(out, 0, sizeof *out);
	if (g->iif != CONF_NONE)
		each_interface(r, g, 0, COUNT, out);
}
