/* SPDX-License-Identifier: ISC
 *
 * Joins are expanded for each interface that they mean; a membership counts the joins
 * that want it, so that overlapping ranges come and go one by one.  A sync counts anew
 * and leaves what came out with none.  Sole caller of kernel_join() and kernel_leave().
 */
#include "router/group.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"
#include "router/entry.h"

/* Joined or left in one go.  Among 65,536 memberships of an IPv6 interface one takes a millisecond. */
#define SLICE 16

static uint32_t member_key_hash(const struct member *m)
{
	return flow_hash(&m->flow) ^ hash_bytes(&m->ifindex, sizeof m->ifindex);
}

static uint32_t member_hash(const void *ctx, uint32_t id)
{
	const struct groups *t = ctx;

	return member_key_hash(&t->v[id]);
}

static bool member_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct member *a = &((const struct groups *)ctx)->v[id], *b = key;

	return a->ifindex == b->ifindex && flow_eq(&a->flow, &b->flow);
}

static const struct hash_ops member_ops = { member_hash, member_equal };

struct groups *groups_new(void)
{
	struct groups *t = calloc(1, sizeof *t);

	if (t) {
		t->free = t->head = HASH_NONE;
		t->slice = SLICE;
	}
	return t;
}

void groups_free(struct groups *t)
{
	if (!t)
		return;
	free(t->v);
	hash_free(&t->by_member);
	free(t);
}

bool member_is_asm(const struct member *m)
{
	return addr_eq(&m->flow.source, &(struct addr){ 0 });
}

/* Makes room for n more: free places are taken first.  0, or -1 with ENOMEM. */
static int member_reserve(struct groups *t, uint64_t n)
{
	struct member *v;

	if (!n)
		return 0;
	v = grow(t->v, &t->cap, t->live + n, sizeof *v);
	if (!v)
		return -1;
	t->v = v;
	return hash_reserve(&t->by_member, &member_ops, t, (uint32_t)(t->live + n));
}

/* Adds one that is not there yet; there must be room for it. */
static uint32_t member_add(struct groups *t, const struct member *key)
{
	uint32_t at = t->free;

	if (at == HASH_NONE)
		at = t->n++;
	else
		t->free = t->v[at].next_free;
	t->v[at] = *key;
	t->v[at].used = true;
	hash_add(&t->by_member, &member_ops, t, member_hash(t, at), at);
	t->live++;
	return at;
}

static void member_free(struct groups *t, uint32_t at)
{
	hash_del(&t->by_member, &member_ops, t, member_hash(t, at), at);
	t->v[at].used = false;
	t->v[at].next_free = t->free;
	t->free = at;
	t->live--;
}

static void member_log_failure(struct router *r, const struct member *m)
{
	const char *limit = kernel_join_limit(m->err, addr_fam(&m->flow.group));
	char s[ADDR_STRLEN], g[ADDR_STRLEN];

	log_limited(&r->lim_join, r->now, LOG_LVL_ERR, "%s: cannot join (%s, %s): %s%s%s%s",
		    iface_str(iface_find(&r->ifs, m->ifindex)), member_is_asm(m) ? "*" : addr_str(&m->flow.source, s),
		    addr_str(&m->flow.group, g), strerror(m->err), *limit ? " (" : "", limit, *limit ? ")" : "");
}

/* Makes the kernel match what is wanted of one, which is forgotten when that is nothing. */
static void member_settle(struct router *r, uint32_t at)
{
	struct groups *t = r->groups;
	struct member *m = &t->v[at];
	const struct addr *src = member_is_asm(m) ? NULL : &m->flow.source;

	t->failed -= m->err != 0;
	m->err = 0;
	if (m->joined && (m->gone || !m->refs)) {
		if (kernel_leave(m->ifindex, src, &m->flow.group, m->slot) < 0 &&
		    (errno == ENOMEM || errno == ENOBUFS)) {
			state_leave_failed(r, iface_str(iface_find(&r->ifs, m->ifindex)), &m->flow);
			t->is_left = true;
			return;
		}
		m->joined = false;
	}
	m->gone = false;
	r->reflect.is_stale = true;
	if (!m->refs) {
		member_free(t, at);
	} else if (!m->joined && kernel_join(m->ifindex, src, &m->flow.group, &m->slot) < 0) {
		m->err = (uint16_t)errno;
		t->failed++;
		r->count.errors++;
		member_log_failure(r, m);
	} else {
		m->joined = true;
	}
}

/* Has the kernel match what is wanted of one: at once while the slice lasts, later otherwise. */
static void member_touch(struct router *r, uint32_t at)
{
	struct groups *t = r->groups;
	struct member *m = &t->v[at];

	if (m->queued)
		return;
	if (t->slice) {
		t->slice--;
		member_settle(r, at);
		return;
	}
	m->queued = true;
	m->next = HASH_NONE;
	if (t->head == HASH_NONE)
		t->head = at;
	else
		t->v[t->tail].next = at;
	t->tail = at;
	t->queued++;
}

void groups_tick(struct router *r)
{
	struct groups *t = r->groups;

	for (t->slice = SLICE; t->slice && t->head != HASH_NONE; t->slice--) {
		uint32_t at = t->head;

		t->head = t->v[at].next;
		t->v[at].queued = false;
		t->done++;
		member_settle(r, at);
	}
	t->slice = SLICE;
}

/* Address number i of a prefix that has at most 2^CONF_JOIN_BITS of them. */
static struct addr group_nth(struct addr a, uint32_t i)
{
	a.w[3] = htonl(ntohl(a.w[3]) + i);
	return a;
}

/* What is done to the memberships of a join. */
enum group_verb {
	GROUP_RESERVE,	/* makes room for them */
	GROUP_WANT,	/* adds them where there are none and counts the join; groups_sync() does the rest */
	GROUP_JOIN,	/* the same, and joins those that no other line wants */
	GROUP_LEAVE,	/* counts it no longer, and leaves those that no other line wants */
	GROUP_RETRY,	/* tries those again that failed */
	GROUP_COUNT,	/* looks what they came to */
};

static void group_one(struct router *r, const struct member *key, enum group_verb verb, struct group_count *c)
{
	uint32_t at = hash_find(&r->groups->by_member, &member_ops, r->groups, member_key_hash(key), key);
	bool differs = false;

	if (at == HASH_NONE && verb <= GROUP_JOIN)
		at = member_add(r->groups, key);
	if (at == HASH_NONE)
		return;
	struct member *m = &r->groups->v[at];

	switch (verb) {
	case GROUP_WANT:
		m->refs++;
		break;
	case GROUP_JOIN:
		differs = !m->refs++;
		break;
	case GROUP_LEAVE:
		differs = m->refs && !--m->refs;
		break;
	case GROUP_RETRY:
		differs = m->err;
		break;
	default:
		c->waiting += m->queued;
		c->failed += !m->queued && m->err;
		c->joined += !m->queued && !m->err;
		if (!m->queued && m->err)
			c->err = m->err;
	}
	if (differs)
		member_touch(r, at);
}

/* 2^bits.  No join has more than 2^CONF_JOIN_BITS memberships: larger ones are refused where they are asked for. */
static uint32_t group_power(unsigned bits)
{
	return bits > CONF_JOIN_BITS ? 1 : UINT32_C(1) << bits;
}

/* Does it to each membership of a join on an interface; GROUP_LEAVE: the newest groups first, as the kernel
 * looks through them from that end (net/ipv4/igmp.c, net/ipv6/mcast.c), but not so through sources. */
static void group_expand(struct router *r, const struct flow_range *range, int ifindex, enum group_verb verb,
			 struct group_count *c)
{
	bool any = flow_range_any_source(range);
	uint32_t sources = any ? 1 : group_power(128u - range->source_len), n = group_power(conf_join_bits(range));

	for (uint32_t i = 0; i < n; i++) {
		uint32_t k = (verb == GROUP_LEAVE ? n - 1 - i : i) / sources;
		struct member key = { .ifindex = ifindex, .flow.group = group_nth(range->flow.group, k) };

		if (!any)
			key.flow.source = group_nth(range->flow.source, i % sources);
		group_one(r, &key, verb, c);
	}
}

/* Does it on each usable interface that the name means, or, unless `only` is 0, on that one of them.  0, or for
 * GROUP_RESERVE -1 with ENOMEM; c: for GROUP_COUNT. */
static int group_each_interface(struct router *r, const struct ifname *iif, const struct flow_range *range, int only,
				enum group_verb verb, struct group_count *c)
{
	uint64_t n = 0;

	for (struct iface *i = NULL; (i = iface_match(&r->ifs, iif, i));)
		if ((!only || i->ifindex == only) && iface_usable(i, iif)) {
			n += group_power(conf_join_bits(range));
			if (verb != GROUP_RESERVE)
				group_expand(r, range, i->ifindex, verb, c);
		}
	return verb == GROUP_RESERVE ? member_reserve(r->groups, n) : 0;
}

static bool member_is_on(const struct member *m, int ifindex)
{
	return m->used && (!ifindex || m->ifindex == ifindex);
}

/* Brings the memberships of one interface in line, or of all with 0. */
static void groups_sync_on(struct router *r, int ifindex)
{
	const struct rules *joins = &r->rules.joins;
	struct groups *t = r->groups;

	for (uint32_t at = 0; at < t->n; at++)
		if (member_is_on(&t->v[at], ifindex))
			t->v[at].refs = 0;
	for (uint32_t id = joins->first; id != HASH_NONE; id = joins->v[id].next) {
		const struct flow_range *range = &joins->v[id].range;
		const struct ifname *iif = &r->rules.names.v[joins->v[id].iif].ifname;

		if (group_each_interface(r, iif, range, ifindex, GROUP_RESERVE, NULL) == 0)
			group_each_interface(r, iif, range, ifindex, GROUP_WANT, NULL);
		else
			log_limited(&r->lim_join, r->now, LOG_LVL_ERR, "%s: out of memory, some groups are not joined",
				    iif->text);
	}
	/* What is left first may make room for what is joined then. */
	for (uint32_t at = t->n; at-- > 0;)
		if (t->v[at].used && !t->v[at].refs)
			member_touch(r, at);
	for (uint32_t at = 0; at < t->n; at++)
		if (member_is_on(&t->v[at], ifindex) && t->v[at].refs && (!t->v[at].joined || t->v[at].gone))
			member_touch(r, at);
}

void groups_sync(struct router *r)
{
	struct groups *t = r->groups;

	if (!t->stale && !t->some_stale)
		return;
	t->slice = SLICE;
	if (t->stale)
		groups_sync_on(r, 0);
	for (struct iface *i = NULL; (i = iface_next(&r->ifs, i));) {
		if (i->groups_stale && !t->stale)
			groups_sync_on(r, i->ifindex);
		i->groups_stale = false;
	}
	t->stale = t->some_stale = false;
}

void groups_link_gone(struct router *r, int ifindex)
{
	struct groups *t = r->groups;

	for (uint32_t at = t->n; at-- > 0;)
		if (member_is_on(&t->v[at], ifindex)) {
			t->v[at].refs = 0;
			t->v[at].gone = true;
			member_touch(r, at);
		}
}

static void group_do(struct router *r, uint32_t join, enum group_verb verb)
{
	const struct rule *rule = &r->rules.joins.v[join];

	r->groups->slice = SLICE;
	group_each_interface(r, &r->rules.names.v[rule->iif].ifname, &rule->range, 0, verb, NULL);
}

int group_join(struct router *r, const struct ifname *iif, const struct flow_range *range)
{
	uint32_t name, join;

	if (group_each_interface(r, iif, range, 0, GROUP_RESERVE, NULL) < 0)
		return -1;
	name = name_hold(&r->rules.names, iif);
	if (name == HASH_NONE)
		return -1;
	join = rules_add(&r->rules, &r->rules.joins, range, name, 0);
	name_drop(&r->rules.names, name);
	if (join == HASH_NONE)
		return -1;
	entry_sync_reflecting(r);
	group_do(r, join, GROUP_JOIN);
	return 0;
}

void group_retry(struct router *r, uint32_t join)
{
	group_do(r, join, GROUP_RETRY);
}

void group_leave(struct router *r, uint32_t join)
{
	group_do(r, join, GROUP_LEAVE);
	rules_del(&r->rules, &r->rules.joins, join);
}

bool groups_settle(struct groups *t)
{
	uint32_t to = 0;

	if (t->head != HASH_NONE || !grow_is_loose(t->n - t->live, t->live, t->n))
		return false;
	for (uint32_t at = 0; at < t->n; at++)
		if (t->v[at].used) {
			hash_move(&t->by_member, member_hash(t, at), at, to);
			t->v[to++] = t->v[at];
		}
	t->n = to;
	t->free = HASH_NONE;
	t->v = grow_trim(t->v, &t->cap, t->n, sizeof *t->v);
	hash_trim(&t->by_member, &member_ops, t);
	return true;
}

struct group_count group_count(struct router *r, const struct ifname *iif, const struct flow_range *range)
{
	struct group_count n = { 0 };

	group_each_interface(r, iif, range, 0, GROUP_COUNT, &n);
	return n;
}
