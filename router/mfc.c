/* SPDX-License-Identifier: ISC
 *
 * Entries in one array, found by a hash index.
 */
#include "router/mfc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

_Static_assert(sizeof(struct mfc) <= 40, "100,000 of these is a normal size");

/* What an entry is found by: its flow; one of any source by its iif, too. */
struct mfc_key {
	struct flow flow;
	uint8_t iif;			/* MFC_NO_VIF for one source */
};

static uint32_t mfc_key_hash(const struct mfc_key *key)
{
	return flow_hash(&key->flow) + key->iif * 0x9e3779b1u;
}

static struct mfc_key mfc_key_of(const struct mfc *e)
{
	return (struct mfc_key){ e->flow, flow_any_source(&e->flow) ? e->iif : MFC_NO_VIF };
}

static struct mfc_key mfc_key_any(const struct addr *group, int iif)
{
	struct mfc_key key = { .flow.group = *group, .iif = (uint8_t)iif };
	uint8_t len;

	addr_any(addr_fam(group), &key.flow.source, &len);
	return key;
}

static uint32_t mfc_hash(const void *ctx, uint32_t id)
{
	const struct mfcs *t = ctx;
	const struct mfc_key key = mfc_key_of(&t->v[id]);

	return mfc_key_hash(&key);
}

static bool mfc_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct mfcs *t = ctx;
	const struct mfc_key *wanted = key;

	return flow_eq(&t->v[id].flow, &wanted->flow) &&
	       (wanted->iif == MFC_NO_VIF || t->v[id].iif == wanted->iif);
}

static const struct hash_ops mfc_ops = { mfc_hash, mfc_equal };

int mfcs_init(struct mfcs *t)
{
	memset(t, 0, sizeof *t);
	t->free = HASH_NONE;
	return shares_init(&t->shares);
}

void mfcs_free(struct mfcs *t)
{
	free(t->v);
	shares_free(&t->shares);
	free(t->dirty);
	hash_free(&t->by_sg);
}

static uint32_t mfc_find_key(const struct mfcs *t, const struct mfc_key *key)
{
	return hash_find(&t->by_sg, &mfc_ops, t, mfc_key_hash(key), key);
}

uint32_t mfc_find(const struct mfcs *t, const struct flow *flow)
{
	return mfc_find_key(t, &(struct mfc_key){ *flow, MFC_NO_VIF });
}

uint32_t mfc_find_any(const struct mfcs *t, const struct addr *group, int iif)
{
	struct mfc_key key = mfc_key_any(group, iif);

	return mfc_find_key(t, &key);
}

bool mfc_has_any(const struct mfcs *t, const struct addr *group, int iif)
{
	uint32_t at = t->count[MFC_KERNEL] ? mfc_find_any(t, group, iif) : HASH_NONE;

	return at != HASH_NONE && t->v[at].state == MFC_KERNEL;
}

uint32_t mfc_any_vifs(const struct mfcs *t, const struct addr *group)
{
	uint32_t vifs = 0;

	for (int vif = 0; t->count[MFC_KERNEL] && vif < 32; vif++)
		if (mfc_has_any(t, group, vif))
			vifs |= UINT32_C(1) << vif;
	return vifs;
}

struct mfc_use *mfc_use(struct mfcs *t, uint32_t at)
{
	struct mfc_use *f = &t->shares.use[at];

	if (!(t->v[at].flags & MFC_USED)) {
		*f = (struct mfc_use){ .list = HASH_NONE };
		t->v[at].flags |= MFC_USED;
		if (t->nuse <= at)
			t->nuse = at + 1;
	}
	return f;
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
		/* Its pages are touched as far as mfc_use() was, and no further. */
		struct mfc_use *use = malloc(cap * sizeof *use);

		if (!use)
			return -1;
		if (t->nuse)
			memcpy(use, t->shares.use, t->nuse * sizeof *use);
		free(t->shares.use);
		t->shares.use = use;
		t->cap = cap;
	}
	return hash_reserve(&t->by_sg, &mfc_ops, t, t->by_sg.used + n);
}

static uint32_t mfc_get_key(struct mfcs *t, const struct mfc_key *key, enum mfc_state state)
{
	uint32_t at = mfc_find_key(t, key);

	if (at != HASH_NONE)
		return at;
	at = t->free;
	if (mfc_reserve(t, at == HASH_NONE) < 0 || hash_reserve(&t->by_sg, &mfc_ops, t, t->by_sg.used + 1) < 0)
		return HASH_NONE;
	if (at == HASH_NONE) {
		at = t->n++;
	} else {
		t->free = t->v[at].next_free;
	}
	t->v[at] = (struct mfc){
		.flow = key->flow, .iif = key->iif, .state = (uint8_t)state,
	};
	hash_add(&t->by_sg, &mfc_ops, t, mfc_key_hash(key), at);
	t->count[state]++;
	return at;
}

uint32_t mfc_get(struct mfcs *t, const struct flow *flow, enum mfc_state state)
{
	return mfc_get_key(t, &(struct mfc_key){ *flow, MFC_NO_VIF }, state);
}

uint32_t mfc_get_any(struct mfcs *t, const struct addr *group, int iif)
{
	struct mfc_key key = mfc_key_any(group, iif);
	uint32_t at = mfc_find_key(t, &key);

	if (at == HASH_NONE && (at = mfc_get_key(t, &key, MFC_ASIDE)) != HASH_NONE)
		t->v[at].hindrance = HASH_NONE;
	return at;
}

void mfc_del(struct mfcs *t, uint32_t at)
{
	struct mfc *e = &t->v[at];

	if (e->flags & MFC_USED)
		share_leave(&t->shares, at);
	t->count[e->state]--;
	mfc_set_reflects(t, at, false);
	hash_del(&t->by_sg, &mfc_ops, t, mfc_hash(t, at), at);
	e->flags = 0;
	e->state = MFC_FREE;
	e->next_free = t->free;
	t->free = at;
	t->removals++;
}

void mfc_state(struct mfcs *t, uint32_t at, enum mfc_state state, int64_t now)
{
	struct mfc *e = &t->v[at];

	mfc_use(t, at)->used = (uint32_t)(now / MFC_TICK);
	t->count[e->state]--;
	t->count[state]++;
	e->state = (uint8_t)state;
	if (mfc_is_dynamic(e))
		share_renew(&t->shares, at);
	else
		share_leave(&t->shares, at);
}

void mfc_share(struct mfcs *t, uint32_t at, uint32_t template)
{
	const struct mfc *e = &t->v[at];

	mfc_use(t, at);
	share_join(&t->shares, at, share_slot(flow_fam(&e->flow), e->iif), template);
}

bool mfc_sample(struct mfcs *t, uint32_t at, uint32_t packets, int64_t now)
{
	struct mfc_use *f = mfc_use(t, at);
	bool was_used = packets != f->seen;

	f->seen = packets;
	if (was_used)
		mfc_state(t, at, t->v[at].state, now);
	return was_used;
}

void mfc_set_reflects(struct mfcs *t, uint32_t at, bool reflects)
{
	uint8_t *flags = &t->v[at].flags;

	t->reflecting += reflects - !!(*flags & MFC_REFLECTS);
	*flags = (uint8_t)((*flags & ~MFC_REFLECTS) | (reflects ? MFC_REFLECTS : 0));
}

int mfc_dirty(struct mfcs *t, uint32_t at)
{
	if (t->v[at].flags & MFC_DIRTY)
		return 0;
	/* One who marks all the time shall not make the list grow for ever. */
	uint32_t gone = t->looked[MFC_LOOK_REST];

	if (t->ndirty == t->cdirty && gone > t->ndirty / 2) {
		memmove(t->dirty, t->dirty + gone, (t->ndirty - gone) * sizeof *t->dirty);
		t->ndirty -= gone;
		for (int look = 0; look < MFC_LOOKS; look++)
			t->looked[look] -= t->looked[look] < gone ? t->looked[look] : gone;
	}

	uint32_t *v = grow(t->dirty, &t->cdirty, t->ndirty + 1, sizeof *v);

	if (!v)
		return -1;
	t->dirty = v;
	t->v[at].flags |= MFC_DIRTY;
	t->dirty[t->ndirty++] = at;
	return 0;
}

/* Puts an entry at a free place. */
static void mfc_move(struct mfcs *t, uint32_t from, uint32_t to)
{
	hash_move(&t->by_sg, mfc_hash(t, from), from, to);
	t->v[to] = t->v[from];
	if (t->v[to].flags & MFC_USED)
		share_move(&t->shares, from, to);
}

bool mfc_settle(struct mfcs *t)
{
	uint32_t cap = t->cap;

	if (t->ndirty || !grow_is_loose(t->removals - t->settled, t->by_sg.used, t->n))
		return false;
	t->settled = t->removals;
	for (uint32_t to = 0; to < t->n;)
		if (t->v[t->n - 1].state == MFC_FREE)
			t->n--;
		else if (t->v[to].state != MFC_FREE)
			to++;
		else
			mfc_move(t, --t->n, to++);
	t->free = HASH_NONE;
	if (t->nuse > t->n)
		t->nuse = t->n;
	t->shares.use = grow_trim(t->shares.use, &cap, t->n, sizeof *t->shares.use);
	t->v = grow_trim(t->v, &t->cap, t->n, sizeof *t->v);
	/* One of the two may have failed. */
	if (cap < t->cap)
		t->cap = cap;
	hash_trim(&t->by_sg, &mfc_ops, t);
	return true;
}

void mfc_clean(struct mfcs *t)
{
	t->ndirty = 0;
	memset(t->looked, 0, sizeof t->looked);
	if (t->cdirty > 4096) {
		free(t->dirty);
		t->dirty = NULL;
		t->cdirty = 0;
	}
}

const char *mfc_state_str(enum mfc_state state)
{
	static const char names[MFC_STATES][8] = { "free", "static", "kernel", "aside", "learned", "blocked" };

	return names[state];
}
