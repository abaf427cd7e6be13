/* SPDX-License-Identifier: ISC
 *
 * Lists through struct mfc_use, and a heap a slot.
 */
#include "router/share.h"

#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

struct share_key {
	uint32_t slot, template;
};

static uint32_t share_key_hash(struct share_key key)
{
	return hash_bytes(&key, sizeof key);
}

static uint32_t share_hash(const void *ctx, uint32_t id)
{
	const struct shares *s = ctx;

	return share_key_hash((struct share_key){ s->v[id].slot, s->v[id].template });
}

static bool share_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct shares *s = ctx;
	const struct share_key *wanted = key;

	return s->v[id].slot == wanted->slot && s->v[id].template == wanted->template;
}

static const struct hash_ops share_ops = { share_hash, share_equal };

static struct share share_empty(uint32_t slot, uint32_t template)
{
	struct share share = { .slot = slot, .template = template };

	memset(share.list, 0xff, sizeof share.list);
	return share;
}

int shares_init(struct shares *s)
{
	*s = (struct shares){ .free = HASH_NONE };
	s->v = grow(NULL, &s->cap, SHARE_SLOTS, sizeof *s->v);
	if (!s->v)
		return -1;
	for (; s->n < SHARE_SLOTS; s->n++)
		s->v[s->n] = share_empty(s->n, HASH_NONE);
	return 0;
}

void shares_free(struct shares *s)
{
	for (unsigned i = 0; i < SHARE_SLOTS; i++)
		free(s->slot[i].heap);
	free(s->v);
	free(s->use);
	hash_free(&s->by_template);
}

/* ---- the heap of a slot ---- */

static void share_place(struct shares *s, struct share_slot *slot, uint32_t place, uint32_t id)
{
	slot->heap[place] = id;
	s->v[id].place = place;
}

/* Moves a share to where its count belongs. */
static void share_sift(struct shares *s, uint32_t id)
{
	struct share_slot *slot = &s->slot[s->v[id].slot];
	uint32_t count = s->v[id].count, place = s->v[id].place, child;

	for (; place && s->v[slot->heap[(place - 1) / 2]].count < count; place = (place - 1) / 2)
		share_place(s, slot, place, slot->heap[(place - 1) / 2]);
	for (; (child = 2 * place + 1) < slot->n; place = child) {
		if (child + 1 < slot->n && s->v[slot->heap[child + 1]].count > s->v[slot->heap[child]].count)
			child++;
		if (s->v[slot->heap[child]].count <= count)
			break;
		share_place(s, slot, place, slot->heap[child]);
	}
	share_place(s, slot, place, id);
}

/* ---- shares come and go ---- */

/* A place for one more share of a slot, and room in all that refers to it: HASH_NONE with ENOMEM. */
static uint32_t share_get_place(struct shares *s, struct share_slot *slot)
{
	uint32_t *heap = grow(slot->heap, &slot->cap, slot->n + 1, sizeof *heap);

	if (!heap)
		return HASH_NONE;
	slot->heap = heap;
	if (s->free == HASH_NONE) {
		struct share *v = grow(s->v, &s->cap, s->n + 1, sizeof *v);

		if (!v)
			return HASH_NONE;
		s->v = v;
	}
	if (hash_reserve(&s->by_template, &share_ops, s, s->by_template.used + 1) < 0)
		return HASH_NONE;
	uint32_t id = s->free;

	if (id == HASH_NONE)
		return s->n++;
	s->free = s->v[id].next_free;
	return id;
}

/* The share of a template in a slot, which is added when there is none; the slot's own without memory for that. */
static uint32_t share_get(struct shares *s, uint32_t slot, uint32_t template)
{
	const struct share_key key = { slot, template };
	uint32_t hash = share_key_hash(key);
	uint32_t id = template == HASH_NONE ? slot : hash_find(&s->by_template, &share_ops, s, hash, &key);

	if (id != HASH_NONE)
		return id;
	id = share_get_place(s, &s->slot[slot]);
	if (id == HASH_NONE)
		return slot;
	s->v[id] = share_empty(slot, template);
	hash_add(&s->by_template, &share_ops, s, hash, id);
	share_place(s, &s->slot[slot], s->slot[slot].n++, id);
	return id;
}

/* Counts an entry that came to a share or left it; one of a template without entries goes. */
static void share_count(struct shares *s, uint32_t id, int change)
{
	struct share *share = &s->v[id];
	struct share_slot *slot = &s->slot[share->slot];

	share->count += (uint32_t)change;
	slot->count += (uint32_t)change;
	if (id < SHARE_SLOTS)
		return;
	share_sift(s, id);
	if (share->count)
		return;
	/* It is a leaf of the heap now, if not the last one. */
	uint32_t last = slot->heap[--slot->n], place = share->place;

	hash_del(&s->by_template, &share_ops, s, share_hash(s, id), id);
	if (last != id) {
		share_place(s, slot, place, last);
		share_sift(s, last);
	}
	share->next_free = s->free;
	s->free = id;
}

/* ---- lists ---- */

static void share_unlink(struct shares *s, uint32_t at)
{
	struct mfc_use *u = &s->use[at];
	struct share_list *l = &s->v[u->list / SHARE_CLASSES].list[u->list % SHARE_CLASSES];

	*(u->prev == HASH_NONE ? &l->head : &s->use[u->prev].next) = u->next;
	*(u->next == HASH_NONE ? &l->tail : &s->use[u->next].prev) = u->prev;
}

static void share_link(struct shares *s, uint32_t at, uint32_t id)
{
	struct mfc_use *u = &s->use[at];
	enum share_class class = s->v[id].template != HASH_NONE && u->seen > 1 ? SHARE_USED : SHARE_ONCE;
	struct share_list *l = &s->v[id].list[class];

	u->list = id * SHARE_CLASSES + class;
	u->next = HASH_NONE;
	u->prev = l->tail;
	*(l->tail == HASH_NONE ? &l->head : &s->use[l->tail].next) = at;
	l->tail = at;
}

void share_leave(struct shares *s, uint32_t at)
{
	uint32_t id = share_of(s, at);

	if (id == HASH_NONE)
		return;
	share_unlink(s, at);
	s->use[at].list = HASH_NONE;
	share_count(s, id, -1);
}

void share_join(struct shares *s, uint32_t at, unsigned slot, uint32_t template)
{
	uint32_t id = share_get(s, slot, template);

	if (id == share_of(s, at))
		return;
	share_count(s, id, 1);
	share_leave(s, at);
	share_link(s, at, id);
}

void share_renew(struct shares *s, uint32_t at)
{
	uint32_t id = share_of(s, at);

	if (id == HASH_NONE)
		return;
	share_unlink(s, at);
	share_link(s, at, id);
}

void share_move(struct shares *s, uint32_t from, uint32_t to)
{
	struct mfc_use *u = &s->use[to];
	struct share_list *l;

	*u = s->use[from];
	if (u->list == HASH_NONE)
		return;
	l = &s->v[u->list / SHARE_CLASSES].list[u->list % SHARE_CLASSES];
	*(u->prev == HASH_NONE ? &l->head : &s->use[u->prev].next) = to;
	*(u->next == HASH_NONE ? &l->tail : &s->use[u->next].prev) = to;
}

void shares_rename(struct shares *s, const uint32_t *now)
{
	for (uint32_t id = SHARE_SLOTS; id < s->n; id++) {
		struct share *share = &s->v[id];

		/* This place holds no share. */
		if (!share->count)
			continue;
		hash_del(&s->by_template, &share_ops, s, share_hash(s, id), id);
		share->template = now[share->template];
		hash_add(&s->by_template, &share_ops, s, share_hash(s, id), id);
	}
}

unsigned share_biggest(const struct shares *s, unsigned own)
{
	unsigned most = own;

	for (unsigned i = 0; i < SHARE_SLOTS; i++)
		if (s->slot[i].count > s->slot[most].count)
			most = i;
	return most;
}
