/* SPDX-License-Identifier: ISC
 *
 * An array of names, found by a hash index.  There are few, so a free place is looked for.
 */
#include "router/owners.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

/* What the owners without a name are called where all are listed. */
static const char *const owners_unnamed[OWNER_NAMED] = { [OWNER_CONFIG] = "config", [OWNER_UNNAMED] = "unnamed" };

static uint32_t owners_hash_name(const char *name)
{
	return hash_bytes(name, strlen(name));
}

static uint32_t owners_hash(const void *ctx, uint32_t at)
{
	return owners_hash_name(((const struct owners *)ctx)->v[at].name);
}

static bool owners_equal(const void *ctx, uint32_t at, const void *key)
{
	return !strcmp(((const struct owners *)ctx)->v[at].name, key);
}

static const struct hash_ops owners_ops = { owners_hash, owners_equal };

void owners_free(struct owners *t)
{
	free(t->v);
	hash_free(&t->by_name);
}

const char *owner_check(const char *name)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t len = strlen(name);

	if (!len || len > OWNER_NAME_MAX)
		return "the name of an owner has 1 to 64 characters";
	if (name[strspn(name, good)] || *name == '-')
		return "the name of an owner is made of letters, digits and . _ - and does not begin with -";
	for (int i = 0; i < OWNER_NAMED; i++)
		if (!strcmp(name, owners_unnamed[i]))
			return "this stands for what has no owner with a name: take another one";
	return NULL;
}

uint32_t owner_find(const struct owners *t, const char *name)
{
	uint32_t at = hash_find(&t->by_name, &owners_ops, t, owners_hash_name(name), name);

	return at == HASH_NONE ? HASH_NONE : at + OWNER_NAMED;
}

uint32_t owner_hold(struct owners *t, const char *name)
{
	uint32_t owner = owner_find(t, name), at = 0;

	if (owner != HASH_NONE) {
		owner_refer(t, owner);
		return owner;
	}
	while (at < t->n && t->v[at].refs)
		at++;
	if (at + OWNER_NAMED == OWNER_SEVERAL) {
		errno = ENOSPC;
		return HASH_NONE;
	}

	struct owner *v = grow(t->v, &t->cap, at + 1, sizeof *v);

	if (!v)
		return HASH_NONE;
	t->v = v;
	v[at] = (struct owner){ .refs = 1 };
	memcpy(v[at].name, name, strlen(name) + 1);
	if (hash_add(&t->by_name, &owners_ops, t, owners_hash_name(v[at].name), at) < 0) {
		v[at].refs = 0;
		return HASH_NONE;
	}
	t->n += at == t->n;
	return at + OWNER_NAMED;
}

void owner_refer(struct owners *t, uint32_t owner)
{
	if (owner >= OWNER_NAMED)
		t->v[owner - OWNER_NAMED].refs++;
}

void owner_drop(struct owners *t, uint32_t owner)
{
	uint32_t at = owner - OWNER_NAMED;

	if (owner >= OWNER_NAMED && !--t->v[at].refs)
		hash_del(&t->by_name, &owners_ops, t, owners_hash(t, at), at);
}

bool owners_settle(struct owners *t)
{
	uint32_t n = t->n;

	if (!grow_is_loose(n - t->by_name.used, t->by_name.used, n) || t->v[n - 1].refs)
		return false;
	while (t->n && !t->v[t->n - 1].refs)
		t->n--;
	t->v = grow_trim(t->v, &t->cap, t->n, sizeof *t->v);
	hash_trim(&t->by_name, &owners_ops, t);
	return true;
}

const char *owner_name(const struct owners *t, uint32_t owner)
{
	return owner < OWNER_NAMED ? owners_unnamed[owner] : t->v[owner - OWNER_NAMED].name;
}
