/* SPDX-License-Identifier: ISC
 *
 * Interfaces in one array with places that stay put, found by index and by
 * name through two hash indexes; the VIF numbers are a small table.
 */
#include "router/iface.h"

#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

static uint32_t iface_index_hash(const void *ctx, uint32_t id)
{
	const struct ifaces *t = ctx;

	return hash_bytes(&t->v[id].ifindex, sizeof t->v[id].ifindex);
}

static bool iface_index_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct ifaces *t = ctx;
	const int *ifindex = key;

	return t->v[id].ifindex == *ifindex;
}

static uint32_t iface_name_hash(const void *ctx, uint32_t id)
{
	const struct ifaces *t = ctx;

	return hash_bytes(t->v[id].name, strlen(t->v[id].name));
}

static bool iface_name_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct ifaces *t = ctx;

	return !strcmp(t->v[id].name, key);
}

static const struct hash_ops iface_ops[IFACE_KEYS] = {
	[IFACE_BY_INDEX] = { iface_index_hash, iface_index_equal },
	[IFACE_BY_NAME] = { iface_name_hash, iface_name_equal },
};

void ifaces_init(struct ifaces *t)
{
	memset(t, 0, sizeof *t);
	memset(t->vif, 0xff, sizeof t->vif);
}

void ifaces_free(struct ifaces *t)
{
	free(t->v);
	for (int by = 0; by < IFACE_KEYS; by++)
		hash_free(&t->by[by]);
}

static struct iface *iface_at(const struct ifaces *t, uint32_t at)
{
	return at == HASH_NONE ? NULL : &t->v[at];
}

static struct iface *iface_lookup(const struct ifaces *t, int by, uint32_t h, const void *key)
{
	return iface_at(t, hash_find(&t->by[by], &iface_ops[by], t, h, key));
}

struct iface *iface_find(const struct ifaces *t, int ifindex)
{
	return iface_lookup(t, IFACE_BY_INDEX, hash_bytes(&ifindex, sizeof ifindex), &ifindex);
}

struct iface *iface_find_name(const struct ifaces *t, const char *name)
{
	return iface_lookup(t, IFACE_BY_NAME, hash_bytes(name, strlen(name)), name);
}

struct iface *iface_next(const struct ifaces *t, struct iface *last)
{
	for (uint32_t at = last ? last->place + 1 : 0; at < t->n; at++)
		if (t->v[at].ifindex)
			return &t->v[at];
	return NULL;
}

struct iface *iface_match(const struct ifaces *t, const struct ifname *n, struct iface *last)
{
	if (!n->is_wildcard)
		return last ? NULL : iface_find_name(t, n->text);
	do
		last = iface_next(t, last);
	while (last && !ifname_matches(n, last->name));
	return last;
}

const char *iface_str(const struct iface *i)
{
	return i ? i->name : "?";
}

/* Has room for one more: a free place is only looked for while there are some. */
static struct iface *iface_free_place(struct ifaces *t)
{
	if (t->live < t->n)
		for (struct iface *i = t->v; i < t->v + t->n; i++)
			if (!i->ifindex)
				return i;
	struct iface *v = grow(t->v, &t->cap, t->n + 1, sizeof *v);

	if (!v)
		return NULL;
	t->v = v;
	return &v[t->n++];
}

/* There is room for it. */
static void iface_index_in(struct ifaces *t, int by, const struct iface *i)
{
	hash_add(&t->by[by], &iface_ops[by], t, iface_ops[by].hash(t, i->place), i->place);
}

static void iface_index_out(struct ifaces *t, int by, const struct iface *i)
{
	hash_del(&t->by[by], &iface_ops[by], t, iface_ops[by].hash(t, i->place), i->place);
}

struct iface *iface_add(struct ifaces *t, int ifindex, const char *name)
{
	for (int by = 0; by < IFACE_KEYS; by++)
		if (hash_reserve(&t->by[by], &iface_ops[by], t, t->live + 1) < 0)
			return NULL;
	struct iface *i = iface_free_place(t);

	if (!i)
		return NULL;
	*i = (struct iface){ .ifindex = ifindex, .place = (uint32_t)(i - t->v), .vif = { -1, -1 }, .ttl = 1 };
	memcpy(i->name, name, sizeof i->name);
	iface_index_in(t, IFACE_BY_INDEX, i);
	iface_index_in(t, IFACE_BY_NAME, i);
	t->live++;
	return i;
}

void iface_rename(struct ifaces *t, struct iface *i, const char *name)
{
	iface_index_out(t, IFACE_BY_NAME, i);
	memcpy(i->name, name, sizeof i->name);
	iface_index_in(t, IFACE_BY_NAME, i);
}

void iface_del(struct ifaces *t, struct iface *i)
{
	iface_index_out(t, IFACE_BY_INDEX, i);
	iface_index_out(t, IFACE_BY_NAME, i);
	i->ifindex = 0;
	t->live--;
}

void iface_slot_set(struct ifaces *t, enum fam fam, struct iface *i, int vif)
{
	t->vif[fam][vif] = i->place;
	i->vif[fam] = vif;
}

int iface_slot_alloc(struct ifaces *t, enum fam fam, struct iface *i)
{
	for (int vif = 0; vif < KERNEL_VIFS; vif++)
		if (t->vif[fam][vif] == HASH_NONE && !((t->held[fam] | t->leaving[fam]) >> vif & 1)) {
			iface_slot_set(t, fam, i, vif);
			return vif;
		}
	return -1;
}

void iface_slot_free(struct ifaces *t, enum fam fam, struct iface *i)
{
	t->vif[fam][i->vif[fam]] = HASH_NONE;
	i->vif[fam] = -1;
}

struct iface *iface_by_vif(const struct ifaces *t, enum fam fam, int vif)
{
	return vif < 0 || vif >= KERNEL_VIFS ? NULL : iface_at(t, t->vif[fam][vif]);
}
