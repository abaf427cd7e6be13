/* SPDX-License-Identifier: ISC
 *
 * The values of a configuration: interface names and output sets, each kept once, and the directives that refer to
 * them.  Names are ranked here, because VIFs are handed out in that order.  No text and no kernel.
 */
#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

struct set_key {
	const uint16_t *names;
	uint32_t n;
};

static uint32_t name_hash(const void *ctx, uint32_t id)
{
	const struct conf *c = ctx;

	return hash_bytes(c->names[id].ifname.text, IFNAME_SIZE);
}

static bool name_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct conf *c = ctx;

	return !memcmp(c->names[id].ifname.text, key, IFNAME_SIZE);
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

	return c->sets[id].n == k->n && !memcmp(c->pool + c->sets[id].off, k->names, k->n * sizeof *k->names);
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
	room(&(c)->what, &(c)->c##what, (uint64_t)(c)->n##what + (more), sizeof *(c)->what)

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
	char key[IFNAME_SIZE] = "";

	if (n >= sizeof key)
		return CONF_NONE;
	memcpy(key, s, n);
	/* HASH_NONE becomes CONF_NONE. */
	return (uint16_t)hash_find(&c->by_name, &name_ops, c, hash_bytes(key, sizeof key), key);
}

uint16_t conf_name(struct conf *c, const char *s, size_t n)
{
	uint16_t id = conf_name_find(c, s, n);

	if (id != CONF_NONE)
		return id;
	if (!n || n >= IFNAME_SIZE || c->nnames >= CONF_NONE) {
		errno = ENOSPC;
		return CONF_NONE;
	}
	if (!ROOM(c, names, 1))
		return CONF_NONE;
	c->names[c->nnames] = (struct conf_name){ .ifname = ifname_of(s, n) };
	if (hash_add(&c->by_name, &name_ops, c, name_hash(c, c->nnames), c->nnames) < 0)
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

/* Ranks a name that a line of a family wants a VIF for. */
static void conf_rank_name(struct conf *c, uint16_t id, enum fam fam)
{
	if (!c->names[id].first[fam])
		c->names[id].first[fam] = ++c->rank;
}

/* Ranks all that a rule or group names. */
static void conf_rank_rule(struct conf *c, const struct conf_rule *m)
{
	enum fam fam = flow_range_fam(&m->range);
	struct conf_set *set = &c->sets[m->oifs];

	conf_rank_name(c, m->iif, fam);
	for (uint32_t i = 0; i < set->n && !set->is_ranked[fam]; i++)
		conf_rank_name(c, c->pool[set->off + i], fam);
	set->is_ranked[fam] = true;
}

void conf_expect(struct conf *c, uint32_t n)
{
	(void)ROOM(c, mroutes, n);
}

static int add(struct conf *c, struct conf_rule **v, uint32_t *n, uint32_t *cap, const struct conf_rule *m)
{
	if (!room(v, cap, *n + UINT64_C(1), sizeof **v))
		return -1;
	(*v)[*n] = *m;
	conf_rank_rule(c, m);
	return (int)(*n)++;
}

int conf_add_mroute(struct conf *c, const struct conf_rule *m)
{
	return add(c, &c->mroutes, &c->nmroutes, &c->cmroutes, m);
}

int conf_add_mgroup(struct conf *c, const struct conf_rule *g)
{
	return add(c, &c->mgroups, &c->nmgroups, &c->cmgroups, g);
}

int conf_add_phyint(struct conf *c, const struct phyint *p)
{
	uint32_t *at = &c->names[p->name].phyint;

	if (!*at) {
		if (!ROOM(c, phyints, 1))
			return -1;
		c->phyints[c->nphyints] = (struct phyint){
			.ifname = c->names[p->name].ifname, .where = p->where, .name = p->name, .enable = -1
		};
		*at = ++c->nphyints;
	}
	struct phyint *q = &c->phyints[*at - 1];

	if (p->enable >= 0) {
		for (enum fam f = 0; p->enable && f < FAM_N; f++)
			conf_rank_name(c, p->name, f);
		q->enable = p->enable;
	}
	q->mrdisc |= p->mrdisc;
	if (p->ttl)
		q->ttl = p->ttl;
	if (p->refresh)
		q->refresh = p->refresh;
	return (int)*at - 1;
}

unsigned conf_join_bits(const struct flow_range *range)
{
	return 128u - range->group_len + (flow_range_any_source(range) ? 0 : 128u - range->source_len);
}
