/* SPDX-License-Identifier: ISC
 *
 * The values of a configuration: interface names and output sets, each kept
 * once, and the directives that refer to them.  References are counted here,
 * because VIFs are handed out by them.  No text and no kernel.
 */
#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

struct name_key {
	const char *s;
	size_t n;
};

struct set_key {
	const uint16_t *names;
	uint32_t n;
};

static size_t name_len(const struct conf_name *name)
{
	return (size_t)name->len + name->wild;
}

static uint32_t name_hash(const void *ctx, uint32_t id)
{
	const struct conf *c = ctx;

	return hash_bytes(c->names[id].name, name_len(&c->names[id]));
}

static bool name_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct conf *c = ctx;
	const struct name_key *k = key;

	return name_len(&c->names[id]) == k->n && !memcmp(c->names[id].name, k->s, k->n);
}

static uint32_t set_hash(const void *ctx, uint32_t id)
{
	const struct conf *c = ctx;
	const struct conf_set *s = &c->sets[id];

	return hash_bytes(c->pool + s->off, s->n * sizeof *c->pool);
}

static bool set_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct conf *c = ctx;
	const struct set_key *k = key;

	return c->sets[id].n == k->n &&
	       !memcmp(c->pool + c->sets[id].off, k->names, k->n * sizeof *k->names);
}

static const struct hash_ops name_ops = { name_hash, name_equal };
static const struct hash_ops set_ops = { set_hash, set_equal };

/* Makes room in an array, of whatever type, that *at points to. */
static bool room(void *at, uint32_t *cap, uint64_t need, size_t size)
{
	void *v;

	memcpy(&v, at, sizeof v);
	v = grow(v, cap, need, size);
	if (v)
		memcpy(at, &v, sizeof v);
	return v != NULL;
}

/* Makes room for more elements of an array of c; false with ENOMEM. */
#define ROOM(c, what, more) \
	((c)->c##what - (c)->n##what >= (more) || \
	 room(&(c)->what, &(c)->c##what, (uint64_t)(c)->n##what + (more), sizeof *(c)->what))

struct conf *conf_new(void)
{
	struct conf *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	if (!ROOM(c, sets, 1) || conf_file(c, "command") < 0) {
		conf_free(c);
		errno = ENOMEM;
		return NULL;
	}
	c->sets[c->nsets++] = (struct conf_set){ 0 };
	return c;
}

void conf_free(struct conf *c)
{
	if (!c)
		return;
	for (uint32_t i = 0; i < c->nfiles; i++)
		free(c->files[i]);
	hash_free(&c->by_name);
	hash_free(&c->by_set);
	free(c->names);
	free(c->sets);
	free(c->pool);
	free(c->phyints);
	free(c->mgroups);
	free(c->mroutes);
	free(c->files);
	free(c);
}

int conf_file(struct conf *c, const char *name)
{
	if (c->nfiles >= UINT16_MAX) {
		errno = EMFILE;
		return -1;
	}
	if (!ROOM(c, files, 1) || !(c->files[c->nfiles] = strdup(name)))
		return -1;
	return (int)c->nfiles++;
}

uint16_t conf_name_find(const struct conf *c, const char *s, size_t n)
{
	const struct name_key key = { s, n };
	uint32_t id = hash_find(&c->by_name, &name_ops, c, hash_bytes(s, n), &key);

	return id == HASH_NONE ? CONF_NONE : (uint16_t)id;
}

uint16_t conf_name(struct conf *c, const char *s, size_t n)
{
	const struct name_key key = { s, n };
	uint32_t h = hash_bytes(s, n), id = hash_find(&c->by_name, &name_ops, c, h, &key);

	if (id != HASH_NONE)
		return (uint16_t)id;
	if (!n || n >= CONF_IFNAME || c->nnames >= CONF_NONE) {
		errno = n && n < CONF_IFNAME ? ENOSPC : EINVAL;
		return CONF_NONE;
	}
	if (!ROOM(c, names, 1))
		return CONF_NONE;
	struct conf_name *v = &c->names[c->nnames];

	*v = (struct conf_name){ .wild = s[n - 1] == '+' };
	memcpy(v->name, s, n);
	v->len = (uint8_t)(n - v->wild);
	if (hash_add(&c->by_name, &name_ops, c, h, c->nnames) < 0)
		return CONF_NONE;
	return (uint16_t)c->nnames++;
}

uint32_t conf_set(struct conf *c, const uint16_t *names, uint32_t n)
{
	const struct set_key key = { names, n };

	if (!n)
		return 0;
	uint32_t h = hash_bytes(names, n * sizeof *names);
	uint32_t id = hash_find(&c->by_set, &set_ops, c, h, &key);

	if (id != HASH_NONE)
		return id;
	if (n > UINT16_MAX || !ROOM(c, pool, n) || !ROOM(c, sets, 1))
		return UINT32_MAX;
	memcpy(c->pool + c->npool, names, n * sizeof *names);
	c->sets[c->nsets] = (struct conf_set){ .off = c->npool, .n = (uint16_t)n };
	if (hash_add(&c->by_set, &set_ops, c, h, c->nsets) < 0)
		return UINT32_MAX;
	c->npool += n;
	return c->nsets++;
}

static void name_ref(struct conf *c, uint16_t id, enum fam fam)
{
	if (!c->names[id].refs[fam]++)
		c->names[id].first[fam] = ++c->rank;
}

static void set_ref(struct conf *c, uint32_t set, enum fam fam)
{
	struct conf_set *s = &c->sets[set];

	if (!s->rules[fam]++)
		for (uint32_t i = 0; i < s->n; i++)
			name_ref(c, c->pool[s->off + i], fam);
}

static void set_unref(struct conf *c, uint32_t set, enum fam fam)
{
	struct conf_set *s = &c->sets[set];

	if (!--s->rules[fam])
		for (uint32_t i = 0; i < s->n; i++)
			c->names[c->pool[s->off + i]].refs[fam]--;
}

/* Puts a new rule or group at its place and counts what it refers to. */
static void enter(struct conf *c, struct mroute *at, const struct mroute *m)
{
	enum fam fam = addr_fam(&m->group);

	*at = *m;
	name_ref(c, m->iif, fam);
	set_ref(c, m->oifs, fam);
}

void conf_expect(struct conf *c, uint32_t n)
{
	(void)ROOM(c, mroutes, n);
}

int conf_add_mroute(struct conf *c, const struct mroute *m)
{
	if (!ROOM(c, mroutes, 1))
		return -1;
	enter(c, &c->mroutes[c->nmroutes], m);
	return (int)c->nmroutes++;
}

int conf_add_mgroup(struct conf *c, const struct mroute *g)
{
	if (!ROOM(c, mgroups, 1))
		return -1;
	enter(c, &c->mgroups[c->nmgroups], g);
	return (int)c->nmgroups++;
}

/* Counts that a phyint line enables its interface, or no longer does. */
static void phyint_enable(struct conf *c, struct phyint *p, int8_t enable)
{
	if ((p->enable == 1) != (enable == 1))
		for (int fam = 0; fam < FAM_N; fam++) {
			if (enable == 1)
				name_ref(c, p->name, (enum fam)fam);
			else
				c->names[p->name].refs[fam]--;
		}
	p->enable = enable;
}

int conf_add_phyint(struct conf *c, const struct phyint *p)
{
	uint32_t *at = &c->names[p->name].phyint;

	if (!*at) {
		if (!ROOM(c, phyints, 1))
			return -1;
		c->phyints[c->nphyints] = (struct phyint){ .where = p->where, .name = p->name, .enable = -1 };
		*at = ++c->nphyints;
	}
	struct phyint *q = &c->phyints[*at - 1];

	if (p->enable >= 0)
		phyint_enable(c, q, p->enable);
	q->mrdisc |= p->mrdisc;
	if (p->ttl)
		q->ttl = p->ttl;
	return (int)*at - 1;
}

void conf_mroute_oifs(struct conf *c, struct mroute *m, uint32_t set)
{
	enum fam fam = addr_fam(&m->group);

	/* The new set first: a name in both keeps its rank. */
	set_ref(c, set, fam);
	set_unref(c, m->oifs, fam);
	m->oifs = set;
}

void conf_del_mroute(struct conf *c, struct mroute *m)
{
	if (m->iif == CONF_NONE)
		return;
	c->names[m->iif].refs[addr_fam(&m->group)]--;
	set_unref(c, m->oifs, addr_fam(&m->group));
	m->iif = CONF_NONE;
}

unsigned mgroup_bits(const struct mroute *g)
{
	return 128u - g->glen + (conf_any_source(&g->group, g->slen) ? 0 : 128u - g->slen);
}
