/* SPDX-License-Identifier: ISC
 *
 * Names and lists in two arrays, found by a hash index each.  A place is free as soon as nobody refers to it.
 */
#include "router/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

struct list_key {
	const uint16_t *names;
	uint32_t n;
};

static uint32_t names_hash_text(const struct ifname *ifname)
{
	return hash_bytes(ifname->text, sizeof ifname->text);
}

static uint32_t names_hash_name(const void *ctx, uint32_t id)
{
	const struct names *t = ctx;

	return names_hash_text(&t->v[id].ifname);
}

static bool names_equal_name(const void *ctx, uint32_t id, const void *key)
{
	const struct names *t = ctx;
	const struct ifname *ifname = key;

	return !strcmp(t->v[id].ifname.text, ifname->text);
}

static uint32_t names_hash_list(const void *ctx, uint32_t id)
{
	const struct names *t = ctx;

	return hash_bytes(t->lists[id].names, t->lists[id].n * sizeof(uint16_t));
}

static bool names_equal_list(const void *ctx, uint32_t id, const void *key)
{
	const struct names *t = ctx;
	const struct list_key *k = key;

	return t->lists[id].n == k->n && !memcmp(t->lists[id].names, k->names, k->n * sizeof *k->names);
}

static const struct hash_ops names_name_ops = { names_hash_name, names_equal_name };
static const struct hash_ops names_list_ops = { names_hash_list, names_equal_list };

int names_init(struct names *t)
{
	*t = (struct names){ .free_name = HASH_NONE, .free_list = HASH_NONE };
	t->lists = grow(NULL, &t->clists, 1, sizeof *t->lists);
	if (!t->lists)
		return -1;
	t->lists[t->nlists++] = (struct oif_list){ .holds = 1 };
	return 0;
}

void names_free(struct names *t)
{
	for (uint32_t id = 0; id < t->nlists; id++)
		free(t->lists[id].names);
	free(t->lists);
	free(t->v);
	hash_free(&t->by_name);
	hash_free(&t->by_list);
}

uint32_t name_find(const struct names *t, const struct ifname *ifname)
{
	return hash_find(&t->by_name, &names_name_ops, t, names_hash_text(ifname), ifname);
}

uint32_t name_hold(struct names *t, const struct ifname *ifname)
{
	uint32_t id = name_find(t, ifname);

	if (id != HASH_NONE) {
		t->v[id].holds++;
		return id;
	}
	if (hash_reserve(&t->by_name, &names_name_ops, t, t->by_name.used + 1) < 0)
		return HASH_NONE;
	id = t->free_name;
	if (id != HASH_NONE) {
		t->free_name = t->v[id].next_free;
	} else if (t->n > UINT16_MAX) {
		errno = ENOSPC;
		return HASH_NONE;
	} else {
		struct name *v = grow(t->v, &t->cap, t->n + 1, sizeof *v);

		if (!v)
			return HASH_NONE;
		t->v = v;
		id = t->n++;
	}
	/* Until somebody looks there is no interface that is called so. */
	t->v[id] = (struct name){ .ifname = *ifname, .holds = 1, .bits.lacks = { 1, 1 } };
	hash_add(&t->by_name, &names_name_ops, t, names_hash_text(ifname), id);
	return id;
}

static void name_free_unused(struct names *t, uint32_t id)
{
	if (name_is_used(&t->v[id]))
		return;
	hash_del(&t->by_name, &names_name_ops, t, names_hash_name(t, id), id);
	t->v[id].next_free = t->free_name;
	t->free_name = id;
	t->freed_names++;
}

void name_drop(struct names *t, uint32_t id)
{
	t->v[id].holds--;
	name_free_unused(t, id);
}

/* Notes that a name is wanted now, or no longer: that concerns others only where interfaces are called so. */
static void name_note_refs(struct names *t, uint32_t id)
{
	t->waits_changed = true;
	if (t->v[id].is_looked_up)
		t->refs_changed |= t->v[id].is_met;
	else if (t->nfresh < NAMES_FRESH)
		t->fresh[t->nfresh++] = (uint16_t)id;
	else
		t->refs_changed = true;
}

void name_refer(struct names *t, uint32_t id, enum fam fam, unsigned side)
{
	if (t->v[id].refs[side][fam]++ || side != t->side)
		return;
	t->v[id].rank[fam] = ++t->last_rank;
	name_note_refs(t, id);
}

void name_unrefer(struct names *t, uint32_t id, enum fam fam, unsigned side)
{
	if (--t->v[id].refs[side][fam])
		return;
	if (side == t->side)
		name_note_refs(t, id);
	name_free_unused(t, id);
}

uint32_t oif_list_hold(struct names *t, const uint16_t *names, uint32_t n)
{
	const struct list_key key = { names, n };
	uint32_t hash = hash_bytes(names, n * sizeof *names);
	uint32_t id = n ? hash_find(&t->by_list, &names_list_ops, t, hash, &key) : 0;

	if (id != HASH_NONE) {
		t->lists[id].holds++;
		return id;
	}
	if (hash_reserve(&t->by_list, &names_list_ops, t, t->by_list.used + 1) < 0)
		return HASH_NONE;

	uint16_t *copy = malloc(n * sizeof *copy);
	struct oif_list *v = copy ? grow(t->lists, &t->clists, t->nlists + 1, sizeof *v) : NULL;

	if (!v) {
		free(copy);
		return HASH_NONE;
	}
	t->lists = v;
	id = t->free_list;
	if (id != HASH_NONE)
		t->free_list = v[id].next_free;
	else
		id = t->nlists++;
	memcpy(copy, names, n * sizeof *copy);
	v[id] = (struct oif_list){ .names = copy, .n = n, .holds = 1 };
	for (uint32_t i = 0; i < n; i++)
		t->v[names[i]].holds++;
	oif_list_bind(t, id);
	hash_add(&t->by_list, &names_list_ops, t, hash, id);
	return id;
}

static void oif_list_free_unused(struct names *t, uint32_t id)
{
	struct oif_list *list = &t->lists[id];

	if (list->holds || list->rules[0][FAM_4] || list->rules[0][FAM_6] || list->rules[1][FAM_4] ||
	    list->rules[1][FAM_6])
		return;
	hash_del(&t->by_list, &names_list_ops, t, names_hash_list(t, id), id);
	for (uint32_t i = 0; i < list->n; i++)
		name_drop(t, list->names[i]);
	free(list->names);
	*list = (struct oif_list){ .next_free = t->free_list };
	t->free_list = id;
	t->freed_lists++;
}

void oif_list_drop(struct names *t, uint32_t id)
{
	t->lists[id].holds--;
	oif_list_free_unused(t, id);
}

static bool oif_list_has(const uint16_t *names, uint32_t n, uint16_t name)
{
	while (n && names[n - 1] != name)
		n--;
	return n > 0;
}

bool oif_list_has_name(const struct names *t, uint32_t id, uint32_t name)
{
	return name <= UINT16_MAX && oif_list_has(t->lists[id].names, t->lists[id].n, (uint16_t)name);
}

uint32_t oif_list_combine(struct names *t, uint32_t id, const uint16_t *names, uint32_t n, bool take)
{
	const struct oif_list *old = &t->lists[id];
	uint16_t *v = malloc((old->n + n + 1) * sizeof *v);
	uint32_t nv = 0;

	if (!v)
		return HASH_NONE;
	for (uint32_t i = 0; i < old->n + (take ? 0 : n); i++) {
		uint16_t name = i < old->n ? old->names[i] : names[i - old->n];

		/* In the list itself no name is twice, and looking would cost the square of its size. */
		if (take ? !oif_list_has(names, n, name) : i < old->n || !oif_list_has(v, nv, name))
			v[nv++] = name;
	}
	id = oif_list_hold(t, v, nv);
	free(v);
	return id;
}

void oif_list_refer(struct names *t, uint32_t id, enum fam fam, unsigned side)
{
	struct oif_list *list = &t->lists[id];

	if (!list->rules[side][fam]++)
		for (uint32_t i = 0; i < list->n; i++)
			name_refer(t, list->names[i], fam, side);
}

void oif_list_unrefer(struct names *t, uint32_t id, enum fam fam, unsigned side)
{
	struct oif_list *list = &t->lists[id];

	if (!--list->rules[side][fam])
		for (uint32_t i = 0; i < list->n; i++)
			name_unrefer(t, list->names[i], fam, side);
	oif_list_free_unused(t, id);
}

void names_switch(struct names *t)
{
	t->side ^= 1;
	t->refs_changed = true;
}

bool names_sweep(struct names *t, uint32_t *at, uint32_t n)
{
	unsigned side = t->side ^ 1;

	for (; n && *at < t->nlists; n--, ++*at) {
		struct oif_list *list = &t->lists[*at];

		memset(list->rules[side], 0, sizeof list->rules[side]);
		/* The empty list is there always, and a free place has no names. */
		if (list->names)
			oif_list_free_unused(t, *at);
	}
	for (; n && *at < t->nlists + t->n; n--, ++*at) {
		uint32_t id = *at - t->nlists;
		bool was_used = name_is_used(&t->v[id]);

		memset(t->v[id].refs[side], 0, sizeof t->v[id].refs[side]);
		if (was_used)
			name_free_unused(t, id);
	}
	return *at < t->nlists + t->n;
}

/* Has lists name the places where names are now. */
static void names_rename(struct names *t, const uint32_t *now)
{
	for (uint32_t id = 1; id < t->nlists; id++) {
		struct oif_list *list = &t->lists[id];
		uint32_t hash = list->names ? names_hash_list(t, id) : 0;

		if (!list->names)
			continue;
		hash_del(&t->by_list, &names_list_ops, t, hash, id);
		for (uint32_t i = 0; i < list->n; i++)
			list->names[i] = (uint16_t)now[list->names[i]];
		hash_add(&t->by_list, &names_list_ops, t, names_hash_list(t, id), id);
	}
}

void names_settle(struct names *t, uint32_t *now)
{
	for (uint32_t id = 0; id < t->n; id++)
		now[id] = id;
	for (uint32_t to = 0; to < t->n;)
		if (!name_is_used(&t->v[t->n - 1])) {
			t->n--;
		} else if (name_is_used(&t->v[to])) {
			to++;
		} else {
			now[--t->n] = to;
			hash_move(&t->by_name, names_hash_name(t, t->n), t->n, to);
			t->v[to++] = t->v[t->n];
		}
	names_rename(t, now);
	t->free_name = HASH_NONE;
	t->freed_names = 0;
	t->v = grow_trim(t->v, &t->cap, t->n, sizeof *t->v);
	hash_trim(&t->by_name, &names_name_ops, t);
}

void oif_lists_settle(struct names *t, uint32_t *now)
{
	for (uint32_t id = 0; id < t->nlists; id++)
		now[id] = id;
	/* The empty list stays. */
	for (uint32_t to = 1; to < t->nlists;)
		if (!t->lists[t->nlists - 1].names) {
			t->nlists--;
		} else if (t->lists[to].names) {
			to++;
		} else {
			now[--t->nlists] = to;
			hash_move(&t->by_list, names_hash_list(t, t->nlists), t->nlists, to);
			t->lists[to++] = t->lists[t->nlists];
		}
	t->free_list = HASH_NONE;
	t->freed_lists = 0;
	t->lists = grow_trim(t->lists, &t->clists, t->nlists, sizeof *t->lists);
	hash_trim(&t->by_list, &names_list_ops, t);
}

bool oif_list_bind(struct names *t, uint32_t id)
{
	struct oif_list *list = &t->lists[id];
	struct vif_bits bits = { { 0 }, { 0 }, { 0 } };

	for (enum fam f = 0; f < FAM_N; f++)
		for (uint32_t i = 0; i < list->n; i++) {
			const struct vif_bits *of_name = &t->v[list->names[i]].bits;

			bits.exact[f] |= of_name->exact[f];
			bits.wild[f] |= of_name->wild[f];
			bits.lacks[f] |= of_name->lacks[f];
		}
	if (!memcmp(&list->bits, &bits, sizeof bits))
		return false;
	list->bits = bits;
	return true;
}
