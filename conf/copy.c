/* SPDX-License-Identifier: ISC
 *
 * A conf without what it no longer uses: names, output lists and places that
 * directives left behind when clients removed them.
 */
#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct copy {
	struct conf *to;
	const struct conf *from;
	uint32_t *sets;		/* by set of `from`: its number in `to`, UINT32_MAX = none yet */
};

/* Makes a name of `from` one of `to`; CONF_NONE when memory ran out. */
static uint16_t copy_name(const struct copy *y, uint16_t id)
{
	const char *name = y->from->names[id].ifname.text;

	return conf_name(y->to, name, strlen(name));
}

/* The same for a set; UINT32_MAX. */
static uint32_t copy_set(const struct copy *y, uint32_t id)
{
	const struct conf_set *s = &y->from->sets[id];
	uint16_t *names = malloc((s->n + 1u) * sizeof *names);
	bool ok = names != NULL;

	for (uint32_t i = 0; ok && i < s->n; i++) {
		names[i] = copy_name(y, y->from->pool[s->off + i]);
		ok = names[i] != CONF_NONE;
	}
	uint32_t set = ok ? conf_set(y->to, names, s->n) : UINT32_MAX;

	free(names);
	return set;
}

static bool copy_phyints(const struct copy *y)
{
	for (uint32_t i = 0; i < y->from->nphyints; i++) {
		struct phyint p = y->from->phyints[i];

		p.name = copy_name(y, p.name);
		if (p.name == CONF_NONE || conf_add_phyint(y->to, &p) < 0)
			return false;
	}
	return true;
}

/* Copies the rules or groups v[n] with `add`. */
static bool copy_flows(const struct copy *y, const struct conf_rule *v, uint32_t n,
		       int (*add)(struct conf *c, const struct conf_rule *m))
{
	for (; n; v++, n--) {
		struct conf_rule m = *v;
		uint32_t *set = &y->sets[m.oifs];

		if (m.iif == CONF_NONE)
			continue;
		if (*set == UINT32_MAX)
			*set = copy_set(y, m.oifs);
		m.oifs = *set;
		m.iif = copy_name(y, m.iif);
		if (m.iif == CONF_NONE || m.oifs == UINT32_MAX || add(y->to, &m) < 0)
			return false;
	}
	return true;
}

/* The directives are copied kind by kind; the ranks keep the order of first references. */
static void copy_ranks(struct conf *to, const struct conf *from)
{
	to->rank = from->rank;
	for (uint32_t i = 0; i < to->nnames; i++) {
		struct conf_name *name = &to->names[i];
		uint16_t old = conf_name_find(from, name->ifname.text, strlen(name->ifname.text));

		memcpy(name->first, from->names[old].first, sizeof name->first);
	}
}

struct conf *conf_copy(const struct conf *c)
{
	struct copy y = { conf_new(), c, malloc(c->nsets * sizeof *y.sets) };
	bool ok = y.to && y.sets;

	if (ok)
		memset(y.sets, 0xff, c->nsets * sizeof *y.sets);
	for (uint32_t i = 1; ok && i < c->nfiles; i++)
		ok = conf_file(y.to, c->files[i]) == (int)i;
	ok = ok && copy_phyints(&y) && copy_flows(&y, c->mgroups, c->nmgroups, conf_add_mgroup) &&
	     copy_flows(&y, c->mroutes, c->nmroutes, conf_add_mroute);
	free(y.sets);
	if (!ok) {
		conf_free(y.to);
		errno = ENOMEM;
		return NULL;
	}
	copy_ranks(y.to, c);
	return y.to;
}
