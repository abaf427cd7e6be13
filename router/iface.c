/* SPDX-License-Identifier: ISC
 *
 * Interfaces in one array with places that stay put, found by index and by
 * name through two hash indexes; the VIF numbers are bits and a small table.
 */
#include "router/iface.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint32_t index_hash(const void *ctx, uint32_t id)
{
	const struct ifaces *t = ctx;

	return hash_words(&t->v[id].ifindex, sizeof t->v[id].ifindex);
}

static bool index_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct ifaces *t = ctx;
	const int *ifindex = key;

	return t->v[id].ifindex == *ifindex;
}

static uint32_t name_hash(const void *ctx, uint32_t id)
{
	const struct ifaces *t = ctx;

	return hash_bytes(t->v[id].name, strlen(t->v[id].name));
}

static bool name_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct ifaces *t = ctx;

	return !strcmp(t->v[id].name, key);
}

static const struct hash_ops by_index = { index_hash, index_equal };
static const struct hash_ops by_name = { name_hash, name_equal };

void ifaces_init(struct ifaces *t)
{
	memset(t, 0, sizeof *t);
	memset(t->vif, 0xff, sizeof t->vif);
}

void ifaces_free(struct ifaces *t)
{
	free(t->v);
	hash_free(&t->by_index);
	hash_free(&t->by_name);
	ifaces_init(t);
}

uint32_t iface_find(const struct ifaces *t, int ifindex)
{
	return hash_find(&t->by_index, &by_index, t, hash_words(&ifindex, sizeof ifindex), &ifindex);
}

uint32_t iface_find_name(const struct ifaces *t, const char *name)
{
	return hash_find(&t->by_name, &by_name, t, hash_bytes(name, strlen(name)), name);
}

/* A free place: only looked for while there are some. */
static uint32_t place(struct ifaces *t)
{
	if (t->live < t->n)
		for (uint32_t i = 0; i < t->n; i++)
			if (!t->v[i].ifindex)
				return i;
	if (t->n == t->cap) {
		uint32_t cap = t->cap ? t->cap * 2 : 16;
		struct iface *v = realloc(t->v, cap * sizeof *v);

		if (!v)
			return IFACE_NONE;
		t->v = v;
		t->cap = cap;
	}
	return t->n++;
}

uint32_t iface_add(struct ifaces *t, int ifindex, const char *name)
{
	uint32_t at;

	if (hash_reserve(&t->by_index, &by_index, t, t->live + 1) < 0 ||
	    hash_reserve(&t->by_name, &by_name, t, t->live + 1) < 0)
		return IFACE_NONE;
	at = place(t);
	if (at == IFACE_NONE)
		return IFACE_NONE;
	struct iface *i = &t->v[at];
	memset(i, 0, sizeof *i);
	i->ifindex = ifindex;
	memcpy(i->name, name, strnlen(name, sizeof i->name - 1));
	i->vif[FAM_4] = i->vif[FAM_6] = -1;
	i->ttl = 1;
	hash_add(&t->by_index, &by_index, t, index_hash(t, at), at);
	hash_add(&t->by_name, &by_name, t, name_hash(t, at), at);
	t->live++;
	return at;
}

void iface_rename(struct ifaces *t, uint32_t at, const char *name)
{
	struct iface *i = &t->v[at];

	hash_del(&t->by_name, &by_name, t, name_hash(t, at), at);
	memset(i->name, 0, sizeof i->name);
	memcpy(i->name, name, strnlen(name, sizeof i->name - 1));
	hash_add(&t->by_name, &by_name, t, name_hash(t, at), at);
}

void iface_del(struct ifaces *t, uint32_t at)
{
	hash_del(&t->by_index, &by_index, t, index_hash(t, at), at);
	hash_del(&t->by_name, &by_name, t, name_hash(t, at), at);
	t->v[at].ifindex = 0;
	t->live--;
}

bool iface_name_matches(const char *name, const char *pattern, unsigned len, bool wild)
{
	return wild ? !strncmp(name, pattern, len) : !strcmp(name, pattern);
}

int iface_slot_alloc(struct ifaces *t, enum fam fam, uint32_t at)
{
	if (t->used[fam] == UINT32_MAX)
		return -1;
	int vif = __builtin_ctz(~t->used[fam]);

	t->used[fam] |= UINT32_C(1) << vif;
	t->vif[fam][vif] = at;
	t->v[at].vif[fam] = (int8_t)vif;
	return vif;
}

void iface_slot_free(struct ifaces *t, enum fam fam, uint32_t at)
{
	int vif = t->v[at].vif[fam];

	if (vif < 0)
		return;
	t->used[fam] &= ~(UINT32_C(1) << vif);
	t->vif[fam][vif] = IFACE_NONE;
	t->v[at].vif[fam] = -1;
}

struct iface *iface_by_vif(struct ifaces *t, enum fam fam, int vif)
{
	if (vif < 0 || vif >= KERNEL_VIFS || t->vif[fam][vif] == IFACE_NONE)
		return NULL;
	return &t->v[t->vif[fam][vif]];
}
