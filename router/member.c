/* SPDX-License-Identifier: ISC
 *
 * Single memberships and the queue of those to be joined or left.  For each of
 * them Linux looks through all of the interface or socket (net/ipv6/mcast.c),
 * hence the slices.
 */
#include "router/member.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"
#include "router/router.h"

/* Joined or left in one go.  Among 65,536 memberships of an IPv6 interface one takes a millisecond. */
#define SLICE 16

/* source, group and ifindex stand together in struct member. */
#define KEY_BYTES (2 * sizeof(struct addr) + sizeof(int))

_Static_assert(offsetof(struct member, ifindex) == 2 * sizeof(struct addr), "the key is one run of bytes");

static uint32_t member_hash(const void *ctx, uint32_t id)
{
	const struct groups *t = ctx;

	return hash_words(&t->v[id].flow, KEY_BYTES);
}

static bool member_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct groups *t = ctx;

	return !memcmp(&t->v[id].flow, key, KEY_BYTES);
}

static const struct hash_ops member_ops = { member_hash, member_equal };

int member_reserve(struct groups *t, uint64_t n)
{
	/* Free places are taken first, so this is enough. */
	struct member *v = grow(t->v, &t->cap, t->live + n, sizeof *v);

	if (!v)
		return n ? -1 : 0;
	t->v = v;
	return hash_reserve(&t->by_sg, &member_ops, t, (uint32_t)(t->live + n));
}

uint32_t member_find(const struct groups *t, const struct member *key)
{
	return hash_find(&t->by_sg, &member_ops, t, hash_words(&key->flow, KEY_BYTES), &key->flow);
}

uint32_t member_add(struct groups *t, const struct member *key)
{
	uint32_t at = t->free;

	if (at == HASH_NONE)
		at = t->n++;
	else
		t->free = t->v[at].refs;
	t->v[at] = *key;
	t->v[at].used = true;
	hash_add(&t->by_sg, &member_ops, t, member_hash(t, at), at);
	t->live++;
	return at;
}

static void member_free(struct groups *t, uint32_t at)
{
	hash_del(&t->by_sg, &member_ops, t, member_hash(t, at), at);
	t->v[at].used = false;
	t->v[at].refs = t->free;
	t->free = at;
	t->live--;
}

static void log_failure(struct router *r, const struct member *m)
{
	const char *limit = kernel_join_limit(m->err, addr_fam(&m->flow.group));
	char s[ADDR_STRLEN], g[ADDR_STRLEN];

	log_limited(&r->lim_join, r->now, LOG_LVL_ERR, "%s: cannot join (%s, %s): %s%s%s%s",
		    iface_str(iface_find(&r->ifs, m->ifindex)), member_is_asm(m) ? "*" : addr_str(&m->flow.source, s),
		    addr_str(&m->flow.group, g), strerror(m->err), *limit ? " (" : "", limit, *limit ? ")" : "");
}

/* Makes the kernel match what is wanted of one, which is forgotten when that is nothing. */
static void settle(struct router *r, uint32_t at)
{
	struct groups *t = &r->groups;
	struct member *m = &t->v[at];
	const struct addr *src = member_is_asm(m) ? NULL : &m->flow.source;

	t->failed -= m->err != 0;
	m->err = 0;
	if (m->joined && (m->gone || !m->refs)) {
		kernel_leave(m->ifindex, src, &m->flow.group, m->slot);
		m->joined = false;
	}
	m->gone = false;
	if (!m->refs) {
		member_free(t, at);
	} else if (!m->joined && kernel_join(m->ifindex, src, &m->flow.group, &m->slot) < 0) {
		m->err = (uint16_t)errno;
		t->failed++;
		r->count.errors++;
		log_failure(r, m);
	} else {
		m->joined = true;
	}
}

void member_touch(struct router *r, uint32_t at)
{
	struct groups *t = &r->groups;
	struct member *m = &t->v[at];

	if (m->queued)
		return;
	if (t->slice) {
		t->slice--;
		settle(r, at);
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

void member_trim(struct groups *t)
{
	if (t->live)
		return;
	free(t->v);
	hash_free(&t->by_sg);
	t->v = NULL;
	t->n = t->cap = 0;
	t->free = HASH_NONE;
}

void groups_begin(struct groups *t)
{
	t->slice = SLICE;
}

void groups_tick(struct router *r)
{
	struct groups *t = &r->groups;

	for (groups_begin(t); t->slice && t->head != HASH_NONE; t->slice--) {
		uint32_t at = t->head;

		t->head = t->v[at].next;
		t->v[at].queued = false;
		t->done++;
		settle(r, at);
	}
	member_trim(t);
	groups_begin(t);
}
