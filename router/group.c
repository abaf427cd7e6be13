/* SPDX-License-Identifier: ISC
 *
 * Group memberships: lines of the conf are expanded for each interface that they
 * mean; a membership counts the lines that want it, so that overlapping ranges
 * come and go one by one.  A reload counts anew and leaves what came out with
 * none.
 */
#include "router/group.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "router/member.h"
#include "router/router.h"

static uint32_t line_key(const struct mroute *g)
{
	return hash_words(&g->source, 2 * sizeof g->source) ^
	       (g->slen * 0x9e3779b1u + g->glen * 0x85ebca6bu + g->iif * 0xc2b2ae35u);
}

static uint32_t line_hash(const void *ctx, uint32_t id)
{
	const struct conf *c = ctx;

	return line_key(&c->mgroups[id]);
}

static bool line_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct conf *c = ctx;
	const struct mroute *a = &c->mgroups[id], *b = key;

	return a->iif == b->iif && a->slen == b->slen && a->glen == b->glen &&
	       addr_eq(&a->source, &b->source) && addr_eq(&a->group, &b->group);
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
	groups_init(t);
}

/* Address number i of a prefix that has at most 2^CONF_JOIN_BITS of them. */
static struct addr nth(const struct addr *a, uint32_t i)
{
	struct addr out = *a;

	out.w[3] = htonl(ntohl(out.w[3]) + i);
	return out;
}

/* What is done to a membership of a line; at is HASH_NONE when there is none with that key. */
typedef void member_fn(struct router *r, uint32_t at, const struct member *key, void *ctx);

static void want(struct router *r, uint32_t at, const struct member *key, void *ctx)
{
	(void)ctx;
	if (at == HASH_NONE)
		at = member_add(&r->groups, key);
	r->groups.v[at].refs++;
}

static void want_now(struct router *r, uint32_t at, const struct member *key, void *ctx)
{
	(void)ctx;
	if (at == HASH_NONE)
		at = member_add(&r->groups, key);
	if (!r->groups.v[at].refs++)
		member_touch(r, at);
}

static void unwant(struct router *r, uint32_t at, const struct member *key, void *ctx)
{
	(void)key;
	(void)ctx;
	if (at != HASH_NONE && r->groups.v[at].refs && !--r->groups.v[at].refs)
		member_touch(r, at);
}

static void retry(struct router *r, uint32_t at, const struct member *key, void *ctx)
{
	(void)key;
	(void)ctx;
	if (at != HASH_NONE && r->groups.v[at].err)
		member_touch(r, at);
}

static void count(struct router *r, uint32_t at, const struct member *key, void *ctx)
{
	const struct member *m = r->groups.v;
	struct group_count *c = ctx;

	(void)key;
	if (at == HASH_NONE)
		return;
	m += at;
	if (m->queued) {
		c->waiting++;
	} else if (m->err) {
		c->failed++;
		c->err = m->err;
	} else {
		c->joined++;
	}
}

/* Calls fn for each membership of a line on an interface; for unwant() the newest groups first: the kernel
 * looks through them from that end (net/ipv4/igmp.c, net/ipv6/mcast.c), but not so through sources. */
static void expand(struct router *r, const struct mroute *g, int ifindex, member_fn *fn, void *ctx)
{
	bool any = conf_any_source(&g->group, g->slen);
	uint32_t sources = any ? 1 : UINT32_C(1) << (128 - g->slen), n = UINT32_C(1) << mgroup_bits(g);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = fn == unwant ? (n - 1 - i) / sources : i / sources;
		struct member key = { .ifindex = ifindex, .group = nth(&g->group, k) };

		if (!any)
			key.source = nth(&g->source, i % sources);
		fn(r, member_find(&r->groups, &key), &key, ctx);
	}
}

/* Does so for each usable interface that the line means, or for one of them; without fn it only makes
 * room for them.  0, or -1 with ENOMEM. */
static int each_interface(struct router *r, const struct mroute *g, int only, member_fn *fn, void *ctx)
{
	const struct conf_name *n = &r->conf->names[g->iif];
	uint32_t found = 0;

	for (struct iface *i = NULL; (i = iface_match(&r->ifs, n, i));)
		if ((!only || i->ifindex == only) && iface_usable(i)) {
			found++;
			if (fn)
				expand(r, g, i->ifindex, fn, ctx);
		}
	if (fn || !found)
		return 0;
	if (found > UINT32_MAX >> mgroup_bits(g)) {
		errno = ENOMEM;
		return -1;
	}
	return member_reserve(&r->groups, found << mgroup_bits(g));
}

void groups_sync(struct router *r, int ifindex)
{
	struct groups *t = &r->groups;

	for (uint32_t at = 0; at < t->n; at++)
		if (t->v[at].used && (!ifindex || t->v[at].ifindex == ifindex))
			t->v[at].refs = 0;
	for (uint32_t k = 0; k < r->conf->nmgroups; k++) {
		const struct mroute *g = &r->conf->mgroups[k];

		if (g->iif == CONF_NONE)
			continue;
		if (each_interface(r, g, ifindex, NULL, NULL) == 0)
			each_interface(r, g, ifindex, want, NULL);
		else
			log_limited(&r->lim_join, r->now, LOG_LVL_ERR, "%s: out of memory, some groups are not joined",
				    r->conf->names[g->iif].name);
	}
	/* What is left first may make room for what is joined then. */
	for (uint32_t at = t->n; at-- > 0;)
		if (t->v[at].used && !t->v[at].refs && (!ifindex || t->v[at].ifindex == ifindex))
			member_touch(r, at);
	for (uint32_t at = 0; at < t->n; at++)
		if (t->v[at].used && t->v[at].refs && !t->v[at].joined && (!ifindex || t->v[at].ifindex == ifindex))
			member_touch(r, at);
}

void groups_link_gone(struct router *r, int ifindex)
{
	struct groups *t = &r->groups;

	for (uint32_t at = t->n; at-- > 0;) {
		struct member *m = &t->v[at];

		if (!m->used || m->ifindex != ifindex)
			continue;
		m->refs = 0;
		m->gone = true;
		member_touch(r, at);
	}
}

int groups_index(struct router *r)
{
	struct groups *t = &r->groups;
	struct conf *c = r->conf;
	struct hash fresh = { 0 };

	t->removed = 0;
	for (uint32_t k = 0; k < c->nmgroups; k++) {
		uint32_t h = line_key(&c->mgroups[k]);

		if (c->mgroups[k].iif == CONF_NONE) {
			t->removed++;
		} else if (hash_find(&fresh, &line_ops, c, h, &c->mgroups[k]) != HASH_NONE) {
			conf_del_mroute(c, &c->mgroups[k]);
			t->removed++;
		} else if (hash_add(&fresh, &line_ops, c, h, k) < 0) {
			hash_free(&fresh);
			return -1;
		}
	}
	hash_free(&t->by_line);
	t->by_line = fresh;
	return 0;
}

uint32_t group_line_find(const struct router *r, const struct mroute *g)
{
	return hash_find(&r->groups.by_line, &line_ops, r->conf, line_key(g), g);
}

int group_line_add(struct router *r, const struct mroute *g)
{
	struct conf *c = r->conf;
	bool first = !c->names[g->iif].refs[addr_fam(&g->group)];
	int line;

	if (each_interface(r, g, 0, NULL, NULL) < 0 || (line = conf_add_mgroup(c, g)) < 0)
		return -1;
	if (hash_add(&r->groups.by_line, &line_ops, c, line_key(g), (uint32_t)line) < 0) {
		conf_del_mroute(c, &c->mgroups[line]);
		r->groups.removed++;
		return -1;
	}
	r->vifs_stale |= first;
	groups_begin(&r->groups);
	each_interface(r, g, 0, want_now, NULL);
	return 0;
}

void group_line_retry(struct router *r, uint32_t line)
{
	groups_begin(&r->groups);
	each_interface(r, &r->conf->mgroups[line], 0, retry, NULL);
}

void group_line_del(struct router *r, uint32_t line)
{
	struct mroute *g = &r->conf->mgroups[line];
	const struct conf_name *n = &r->conf->names[g->iif];
	enum fam fam = addr_fam(&g->group);

	hash_del(&r->groups.by_line, &line_ops, r->conf, line_key(g), line);
	groups_begin(&r->groups);
	each_interface(r, g, 0, unwant, NULL);
	conf_del_mroute(r->conf, g);
	r->groups.removed++;
	r->vifs_stale |= !n->refs[fam];
	member_trim(&r->groups);
}

void group_line_count(struct router *r, const struct mroute *g, struct group_count *out)
{
	*out = (struct group_count){ 0 };
	if (g->iif != CONF_NONE)
		each_interface(r, g, 0, count, out);
}
