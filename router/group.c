/* SPDX-License-Identifier: ISC
 *
 * A line of the conf is expanded for each interface that it means; a membership
 * counts the lines that want it, so that overlapping ranges come and go one by
 * one.  A reload counts anew and leaves what came out with none.
 */
#include "router/group.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "router/router.h"

/* source, group and ifindex stand together in struct member. */
#define KEY_BYTES (2 * sizeof(struct addr) + sizeof(int))

_Static_assert(offsetof(struct member, ifindex) == 2 * sizeof(struct addr), "the key is one run of bytes");

static uint32_t member_hash(const void *ctx, uint32_t id)
{
	const struct groups *t = ctx;

	return hash_words(&t->v[id].source, KEY_BYTES);
}

static bool member_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct groups *t = ctx;

	return !memcmp(&t->v[id].source, key, KEY_BYTES);
}

static const struct hash_ops member_ops = { member_hash, member_equal };

static uint32_t line_key(const struct mgroup *g)
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
	const struct mgroup *a = &c->mgroups[id], *b = key;

	return a->iif == b->iif && a->slen == b->slen && a->glen == b->glen &&
	       addr_eq(&a->source, &b->source) && addr_eq(&a->group, &b->group);
}

static const struct hash_ops line_ops = { line_hash, line_equal };

void groups_init(struct groups *t)
{
	memset(t, 0, sizeof *t);
	t->free = HASH_NONE;
}

void groups_free(struct groups *t)
{
	free(t->v);
	hash_free(&t->by_sg);
	hash_free(&t->by_line);
	groups_init(t);
}

/* ---- one membership ---- */

static uint32_t member_new(struct groups *t, const struct member *key)
{
	uint32_t at = t->free;

	if (at == HASH_NONE) {
		if (t->n == t->cap) {
			uint32_t cap = t->cap ? t->cap * 2 : 16;
			struct member *v = realloc(t->v, cap * sizeof *v);

			if (!v)
				return HASH_NONE;
			t->v = v;
			t->cap = cap;
		}
		at = t->n;
	}
	uint32_t next = at == t->n ? HASH_NONE : t->v[at].refs;
	t->v[at] = *key;
	t->v[at].used = true;
	if (hash_add(&t->by_sg, &member_ops, t, member_hash(t, at), at) < 0) {
		t->v[at].used = false;
		t->v[at].refs = next;
		return HASH_NONE;
	}
	if (at == t->n)
		t->n++;
	else
		t->free = next;
	t->live++;
	return at;
}

static void try_join(struct router *r, struct member *m)
{
	bool failed_before = m->err != 0;

	if (kernel_join(m->ifindex, member_is_asm(m) ? NULL : &m->source, &m->group, &m->slot) == 0) {
		m->joined = true;
		m->err = 0;
		r->changes.joined++;
	} else {
		m->err = (uint16_t)errno;
		r->changes.failed++;
		r->changes.err = errno;
		r->count.errors++;
	}
	r->groups.failed += (m->err != 0) - failed_before;
}

static void member_del(struct router *r, uint32_t at)
{
	struct groups *t = &r->groups;
	struct member *m = &t->v[at];

	if (m->joined) {
		kernel_leave(m->ifindex, member_is_asm(m) ? NULL : &m->source, &m->group, m->slot);
		r->changes.left++;
	}
	t->failed -= m->err != 0;
	hash_del(&t->by_sg, &member_ops, t, member_hash(t, at), at);
	m->used = m->joined = false;
	m->refs = t->free;
	t->free = at;
	t->live--;
}

/* ---- lines and interfaces ---- */

/* Address number i of a prefix that has at most 2^CONF_JOIN_BITS of them. */
static struct addr nth(const struct addr *a, uint32_t i)
{
	struct addr out = *a;

	out.w[3] = htonl(ntohl(out.w[3]) + i);
	return out;
}

/* Counts line g once more (or, add false, once less) on an interface. */
static void apply_line(struct router *r, const struct mgroup *g, int ifindex, bool add)
{
	struct groups *t = &r->groups;
	bool any = conf_any_source(&g->group, g->slen);
	uint32_t sources = any ? 1 : UINT32_C(1) << (128 - g->slen), groups = UINT32_C(1) << (128 - g->glen);

	for (uint32_t n = 0; n < sources * groups; n++) {
		/* The kernel searches its list from the newest: 16,384 leaves take 0.03 s in that order, 5 s in the other. */
		uint32_t k = add ? n : sources * groups - 1 - n;
		struct member key = { .ifindex = ifindex, .group = nth(&g->group, k / sources) };

		if (!any)
			key.source = nth(&g->source, k % sources);
		uint32_t at = hash_find(&t->by_sg, &member_ops, t, hash_words(&key.source, KEY_BYTES), &key.source);
		if (!add) {
			if (at != HASH_NONE && !--t->v[at].refs)
				member_del(r, at);
			continue;
		}
		bool fresh = at == HASH_NONE;
		if (fresh)
			at = member_new(t, &key);
		if (at == HASH_NONE) {
			r->changes.failed++;
			r->changes.err = ENOMEM;
			return;
		}
		t->v[at].refs++;
		if (fresh)
			try_join(r, &t->v[at]);
	}
}

static void each_interface(struct router *r, const struct mgroup *g, int only, bool add)
{
	const struct conf_name *n = &r->conf->names[g->iif];

	for (uint32_t at = n->wild ? 0 : iface_find_name(&r->ifs, n->name); at < r->ifs.n; at++) {
		const struct iface *i = &r->ifs.v[at];

		if (i->ifindex && (!only || i->ifindex == only) && iface_usable(i) &&
		    iface_name_matches(i->name, n->name, n->len, n->wild))
			apply_line(r, g, i->ifindex, add);
		if (!n->wild)
			break;
	}
}

void groups_sync(struct router *r, int ifindex)
{
	struct groups *t = &r->groups;

	for (uint32_t at = 0; at < t->n; at++)
		if (t->v[at].used && (!ifindex || t->v[at].ifindex == ifindex))
			t->v[at].refs = 0;
	for (uint32_t k = 0; k < r->conf->nmgroups; k++)
		if (r->conf->mgroups[k].iif != CONF_NONE)
			each_interface(r, &r->conf->mgroups[k], ifindex, true);
	for (uint32_t at = t->n; at-- > 0;) {
		struct member *m = &t->v[at];

		if (!m->used || (ifindex && m->ifindex != ifindex))
			continue;
		if (!m->refs)
			member_del(r, at);
		else if (m->err)
			try_join(r, m);
	}
}

void groups_link_gone(struct router *r, int ifindex)
{
	for (uint32_t at = r->groups.n; at-- > 0;)
		if (r->groups.v[at].used && r->groups.v[at].ifindex == ifindex)
			member_del(r, at);
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
			conf_del_mgroup(c, &c->mgroups[k]);
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

uint32_t group_line_find(const struct router *r, const struct mgroup *g)
{
	return hash_find(&r->groups.by_line, &line_ops, r->conf, line_key(g), g);
}

int group_line_add(struct router *r, const struct mgroup *g)
{
	struct conf *c = r->conf;
	bool first = !c->names[g->iif].refs[addr_fam(&g->group)];
	int line = conf_add_mgroup(c, g);

	if (line < 0)
		return -1;
	if (hash_add(&r->groups.by_line, &line_ops, c, line_key(g), (uint32_t)line) < 0) {
		conf_del_mgroup(c, &c->mgroups[line]);
		r->groups.removed++;
		return -1;
	}
	r->vifs_stale |= first;
	each_interface(r, g, 0, true);
	return 0;
}

void group_line_del(struct router *r, uint32_t line)
{
	struct mgroup *g = &r->conf->mgroups[line];
	const struct conf_name *n = &r->conf->names[g->iif];
	enum fam fam = addr_fam(&g->group);

	hash_del(&r->groups.by_line, &line_ops, r->conf, line_key(g), line);
	each_interface(r, g, 0, false);
	conf_del_mgroup(r->conf, g);
	r->groups.removed++;
	r->vifs_stale |= !n->refs[fam];
}
