/* SPDX-License-Identifier: ISC
 *
 * A conf without what it no longer uses: names, output lists and places that
 * directives left behind when clients removed them.
 */
#include "conf/conf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Number in `to` of a name of `from`. */
static uint16_t same_name(struct conf *to, const struct conf *from, uint16_t id)
{
	return conf_name(to, from->names[id].name, strlen(from->names[id].name));
}

static uint32_t same_set(struct conf *to, const struct conf *from, uint32_t id)
{
	const struct conf_set *s = &from->sets[id];
	uint16_t *names = malloc((s->n + 1u) * sizeof *names);
	uint32_t set = UINT32_MAX;

	if (!names)
		return set;
	for (uint32_t i = 0; i < s->n; i++)
		names[i] = same_name(to, from, from->pool[s->off + i]);
	set = conf_set(to, names, s->n);
	free(names);
	return set;
}

/* Copies the rules or groups v[n] with `add`. */
static bool copy_flows(struct conf *to, const struct conf *from, const struct mroute *v, uint32_t n, uint32_t *sets,
		       int (*add)(struct conf *c, const struct mroute *m))
{
	for (; n; v++, n--) {
		struct mroute m = *v;

		if (m.iif == CONF_NONE)
			continue;
		if (sets[m.oifs] == UINT32_MAX)
			sets[m.oifs] = same_set(to, from, m.oifs);
		m.oifs = sets[m.oifs];
		m.iif = same_name(to, from, m.iif);
		if (m.iif == CONF_NONE || m.oifs == UINT32_MAX || add(to, &m) < 0)
			return false;
	}
	return true;
}

static bool copy_directives(struct conf *to, const struct conf *from, uint32_t *sets)
{
	for (uint32_t i = 0; i < from->nphyints; i++) {
		struct phyint p = from->phyints[i];

		p.name = same_name(to, from, p.name);
		if (p.name == CONF_NONE || conf_add_phyint(to, &p) < 0)
			return false;
	}
	return copy_flows(to, from, from->mgroups, from->nmgroups, sets, conf_add_mgroup) &&
	       copy_flows(to, from, from->mroutes, from->nmroutes, sets, conf_add_mroute);
}

/* The directives are copied kind by kind; the ranks keep the order of first references. */
static void copy_ranks(struct conf *to, const struct conf *from)
{
	to->rank = from->rank;
	for (uint32_t i = 0; i < to->nnames; i++) {
		uint16_t old = conf_name_find(from, to->names[i].name, strlen(to->names[i].name));

		memcpy(to->names[i].first, from->names[old].first, sizeof to->names[i].first);
	}
}

struct conf *conf_copy(const struct conf *c)
{
	struct conf *to = conf_new();
	uint32_t *sets = malloc(c->nsets * sizeof *sets);
	bool ok = to && sets;

	if (ok)
		memset(sets, 0xff, c->nsets * sizeof *sets);
	for (uint32_t i = 1; ok && i < c->nfiles; i++)
		ok = conf_file(to, c->files[i]) == (int)i;
	ok = ok && copy_directives(to, c, sets);
	free(sets);
	if (!ok) {
		conf_free(to);
		errno = ENOMEM;
		return NULL;
	}
	copy_ranks(to, c);
	return to;
}
