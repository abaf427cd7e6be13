/* SPDX-License-Identifier: ISC */
#include "kernel/sources.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "lib/grow.h"
#include "lib/hash.h"

/* The key comes first. */
struct sources {
	struct addr group;
	int ifindex;
	uint32_t n;
};
#define SOURCES_KEY offsetof(struct sources, n)

static struct {
	struct sources *v;
	uint32_t n, cap;
	struct hash index;
} sources;

static uint32_t sources_hash(const void *ctx, uint32_t id)
{
	(void)ctx;
	return hash_bytes(&sources.v[id], SOURCES_KEY);
}

static bool sources_equal(const void *ctx, uint32_t id, const void *key)
{
	(void)ctx;
	return !memcmp(&sources.v[id], key, SOURCES_KEY);
}

static const struct hash_ops sources_ops = { sources_hash, sources_equal };

/* The place of a group on an interface, or HASH_NONE. */
static uint32_t sources_find(int ifindex, const struct addr *grp)
{
	struct sources key = { .group = *grp, .ifindex = ifindex };

	return hash_find(&sources.index, &sources_ops, NULL, hash_bytes(&key, SOURCES_KEY), &key);
}

bool sources_have_room(int ifindex, const struct addr *grp)
{
	uint32_t limit = kernel_group_sources(), at;
	struct sources *v;

	if (!limit)
		return true;
	at = sources_find(ifindex, grp);
	if (at != HASH_NONE)
		return sources.v[at].n < limit;
	v = grow(sources.v, &sources.cap, sources.n + 1, sizeof *v);
	if (!v)
		return false;
	sources.v = v;
	return hash_reserve(&sources.index, &sources_ops, NULL, sources.n + 1) == 0;
}

void sources_more(int ifindex, const struct addr *grp)
{
	uint32_t at = kernel_group_sources() ? sources_find(ifindex, grp) : 0;

	if (!kernel_group_sources())
		return;
	if (at == HASH_NONE) {
		at = sources.n++;
		sources.v[at] = (struct sources){ .group = *grp, .ifindex = ifindex };
		hash_add(&sources.index, &sources_ops, NULL, sources_hash(NULL, at), at);
	}
	sources.v[at].n++;
}

void sources_less(int ifindex, const struct addr *grp)
{
	uint32_t at = kernel_group_sources() ? sources_find(ifindex, grp) : HASH_NONE, last = sources.n - 1;

	if (at == HASH_NONE || --sources.v[at].n)
		return;
	hash_del(&sources.index, &sources_ops, NULL, sources_hash(NULL, at), at);
	if (at != last) {
		hash_move(&sources.index, sources_hash(NULL, last), last, at);
		sources.v[at] = sources.v[last];
	}
	sources.n = last;
}

void sources_forget(void)
{
	hash_free(&sources.index);
	free(sources.v);
	memset(&sources, 0, sizeof sources);
}
