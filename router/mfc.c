/* SPDX-License-Identifier: ISC
 *
 * Entries in one array, found by a hash index; the learned and the blocked
 * ones are in a list each, ordered by how long they have been idle, so that
 * the one to give up is found at once.
 */
#include "router/mfc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(offsetof(struct mfc, group) == sizeof(struct addr), "source, then group");
_Static_assert(sizeof(struct mfc) <= 40, "100,000 of these is a normal size");

static uint32_t sg_hash(const void *ctx, uint32_t id)
{
	const struct mfcs *t = ctx;

	return hash_words(&t->v[id].source, 2 * sizeof(struct addr));
}

static bool sg_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct mfcs *t = ctx;

	return addr_pair_eq(&t->v[id].source, key);
}

static const struct hash_ops ops = { sg_hash, sg_equal };

void mfcs_init(struct mfcs *t)
{
	memset(t, 0, sizeof *t);
	memset(t->head, 0xff, sizeof t->head);
	memset(t->tail, 0xff, sizeof t->tail);
	t->free = HASH_NONE;
}

void mfcs_free(struct mfcs *t)
{
	free(t->v);
	free(t->flow);
	free(t->dirty);
	hash_free(&t->by_sg);
	mfcs_init(t);
}

uint32_t mfc_find(const struct mfcs *t, const struct addr *s, const struct addr *g)
{
	const struct addr key[2] = { *s, *g };

	return hash_find(&t->by_sg, &ops, t, hash_words(key, sizeof key), key);
}

void mfc_prefetch(const struct mfcs *t, const struct addr *sg)
{
	hash_prefetch(&t->by_sg, hash_words(sg, 2 * sizeof *sg));
}

struct mfc_flow *mfc_flow(struct mfcs *t, uint32_t at)
{
	struct mfc_flow *f = &t->flow[at];

	if (!(t->v[at].flags & MFC_NOTED)) {
		*f = (struct mfc_flow){ .prev = HASH_NONE, .next = HASH_NONE };
		t->v[at].flags |= MFC_NOTED;
		if (t->nflow <= at)
			t->nflow = at + 1;
	}
	return f;
}

static bool is_listed(const struct mfc *e)
{
	return e->state == MFC_LEARNED || e->state == MFC_BLOCKED;
}

static void unlink_entry(struct mfcs *t, uint32_t at)
{
	const struct mfc *e = &t->v[at];

	t->count[e->state]--;
	if (!is_listed(e))
		return;
	const struct mfc_flow *f = mfc_flow(t, at);

	if (f->prev != HASH_NONE)
		t->flow[f->prev].next = f->next;
	else
		t->head[e->state] = f->next;
	if (f->next != HASH_NONE)
		t->flow[f->next].prev = f->prev;
	else
		t->tail[e->state] = f->prev;
}

static void link_entry(struct mfcs *t, uint32_t at)
{
	const struct mfc *e = &t->v[at];

	t->count[e->state]++;
	if (!is_listed(e))
		return;
	struct mfc_flow *f = mfc_flow(t, at);

	f->next = HASH_NONE;
	f->prev = t->tail[e->state];
	if (f->prev != HASH_NONE)
		t->flow[f->prev].next = at;
	else
		t->head[e->state] = at;
	t->tail[e->state] = at;
}

int mfc_reserve(struct mfcs *t, uint32_t n)
{
	if (n > UINT32_MAX / 4 - t->n) {
		errno = ENOMEM;
		return -1;
	}
	if (t->n + n > t->cap) {
		uint32_t cap = t->cap * 2 > t->n + n ? t->cap * 2 : t->n + n;
		struct mfc *v = realloc(t->v, cap * sizeof *v);

		if (!v)
			return -1;
		t->v = v;
		/* Its pages are touched as far as mfc_flow() was, and no further. */
		struct mfc_flow *flow = malloc(cap * sizeof *flow);

		if (!flow)
			return -1;
		if (t->nflow)
			memcpy(flow, t->flow, t->nflow * sizeof *flow);
		free(t->flow);
		t->flow = flow;
		t->cap = cap;
	}
	return hash_reserve(&t->by_sg, &ops, t, t->by_sg.used + n);
}

/* Adds the entry (key[0], key[1]), whose hash is h. */
static uint32_t add_entry(struct mfcs *t, const struct addr *key, uint32_t h, enum mfc_state state)
{
	uint32_t at = t->free;

	if (at == HASH_NONE) {
		if (t->n == t->cap && mfc_reserve(t, 64) < 0)
			return HASH_NONE;
		at = t->n;
	}
	struct mfc *e = &t->v[at];
	uint32_t next = at == t->n ? HASH_NONE : e->oifs;
	uint8_t dirty = at == t->n ? 0 : e->flags & MFC_DIRTY;

	memset(e, 0, sizeof *e);
	e->flags = dirty | t->seen;
	e->source = key[0];
	e->group = key[1];
	if (hash_add(&t->by_sg, &ops, t, h, at) < 0) {
		e->oifs = next;
		return HASH_NONE;
	}
	if (at == t->n)
		t->n++;
	else
		t->free = next;
	e->state = state;
	e->iif = MFC_NO_VIF;
	link_entry(t, at);
	return at;
}

uint32_t mfc_new(struct mfcs *t, const struct addr *s, const struct addr *g, enum mfc_state state)
{
	const struct addr key[2] = { *s, *g };

	return add_entry(t, key, hash_words(key, sizeof key), state);
}

uint32_t mfc_get(struct mfcs *t, const struct addr *s, const struct addr *g, enum mfc_state state)
{
	const struct addr key[2] = { *s, *g };
	uint32_t h = hash_words(key, sizeof key), at = hash_find(&t->by_sg, &ops, t, h, key);

	return at != HASH_NONE ? at : add_entry(t, key, h, state);
}

void mfc_round(struct mfcs *t)
{
	t->seen ^= MFC_SEEN;
}

bool mfc_first_look(struct mfcs *t, uint32_t at)
{
	struct mfc *e = &t->v[at];

	if ((e->flags & MFC_SEEN) == t->seen)
		return false;
	e->flags ^= MFC_SEEN;
	return true;
}

void mfc_del(struct mfcs *t, uint32_t at)
{
	struct mfc *e = &t->v[at];

	unlink_entry(t, at);
	hash_del(&t->by_sg, &ops, t, sg_hash(t, at), at);
	/* A dirty mark survives its entry: the list names the place, which may be used again. */
	e->flags &= MFC_DIRTY;
	e->state = MFC_FREE;
	e->oifs = t->free;
	t->free = at;
	t->removals++;
}

void mfc_state(struct mfcs *t, uint32_t at, enum mfc_state state)
{
	unlink_entry(t, at);
	t->v[at].state = state;
	link_entry(t, at);
}

void mfc_touch(struct mfcs *t, uint32_t at)
{
	if (t->tail[t->v[at].state] == at)
		return;
	unlink_entry(t, at);
	link_entry(t, at);
}

int mfc_dirty(struct mfcs *t, uint32_t at)
{
	if (t->v[at].flags & MFC_DIRTY)
		return 0;
	if (t->ndirty == t->cdirty) {
		uint32_t cap = t->cdirty ? t->cdirty * 2 : 64;
		uint32_t *v = realloc(t->dirty, cap * sizeof *v);

		if (!v)
			return -1;
		t->dirty = v;
		t->cdirty = cap;
	}
	t->v[at].flags |= MFC_DIRTY;
	t->dirty[t->ndirty++] = at;
	return 0;
}

const char *mfc_state_str(enum mfc_state state)
{
	static const char *const names[] = { "free", "static", "learned", "blocked" };

	return names[state];
}
