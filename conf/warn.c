/* SPDX-License-Identifier: ISC
 *
 * Warnings about a configuration whose lines are all right one by one: what
 * cannot work as it is written, whatever the machine looks like.  Nothing here
 * is an error.  How rules overlap is looked at in overlap.c.
 */
#include "conf/warn.h"

#include <stdlib.h>
#include <string.h>

#define MAX_VIFS 32		/* MAXVIFS of linux/mroute.h, MAXMIFS of linux/mroute6.h */

/* RFC 4291, 2.7: scopes 1 and 2 stay on the interface and on the link; RFC 5771, section 4. */
static bool is_link_local(const struct addr *g, uint8_t len)
{
	if (addr_fam(g) == FAM_4)
		return len >= ADDR_V4_BITS + 24 && g->b[12] == 224 && !g->b[13] && !g->b[14];
	unsigned scope = g->b[1] & 0xf;

	return len >= 16 && (scope == 1 || scope == 2);
}

/* RFC 4607, section 1: 232.0.0.0/8 and ff3x::/32. */
static bool is_ssm(const struct addr *g, uint8_t len)
{
	if (addr_fam(g) == FAM_4)
		return len >= ADDR_V4_BITS + 8 && g->b[12] == 232;
	return len >= 32 && g->b[1] >> 4 == 3 && !g->b[2] && !g->b[3];
}

/* Looks at the groups of the rules or memberships v[n]. */
static void warn_groups(struct diags *d, const struct mroute *v, uint32_t n)
{
	char s[ADDR_STRLEN];

	for (const struct mroute *end = v + n; v < end; v++) {
		bool local = is_link_local(&v->group, v->glen);

		if (v->iif == CONF_NONE || (!local && !(is_ssm(&v->group, v->glen) && conf_any_source(&v->group, v->slen))))
			continue;
		WARN(d, v->where, local ? "group %s is link-local: routers never forward it" :
		     "group %s is in the range for one source (SSM, RFC 4607): add \"source ADDR\"",
		     prefix_str(&v->group, v->glen, s));
	}
}

/* ---- names ---- */

static void use(struct names *w, uint16_t id, enum fam fam, struct where where)
{
	struct use *u = &w->v[id].use[fam];

	if (!u->used)
		*u = (struct use){ where, true };
}

/* Enters the names of the rules or groups v[n]; done: by set and family. */
static void use_all(struct names *w, bool *done, const struct mroute *v, uint32_t n)
{
	const struct conf *c = w->c;

	for (const struct mroute *m = v; m < v + n; m++) {
		const struct conf_set *set = &c->sets[m->oifs];
		enum fam fam = addr_fam(&m->group);

		if (m->iif == CONF_NONE)
			continue;
		use(w, m->iif, fam, m->where);
		if (done[m->oifs * FAM_N + fam])
			continue;
		done[m->oifs * FAM_N + fam] = true;
		for (uint32_t k = 0; k < set->n; k++)
			use(w, c->pool[set->off + k], fam, m->where);
	}
}

/* The next wider wildcard that also stands in the configuration: eth1 -> eth1+ -> eth+ -> +. */
static uint16_t wider(const struct conf *c, uint32_t wild_lens, const struct conf_name *n)
{
	char s[CONF_IFNAME];

	for (int len = n->len - n->wild; len >= 0; len--) {
		if (!(wild_lens >> len & 1))
			continue;
		memcpy(s, n->name, (size_t)len);
		s[len] = '+';
		uint16_t id = conf_name_find(c, s, (size_t)len + 1);

		if (id != CONF_NONE)
			return id;
	}
	return CONF_NONE;
}

/* The phyint line that enables or disables a name: its own goes before a wider one's. */
static const struct phyint *ruling(const struct names *w, uint16_t id)
{
	for (; id != CONF_NONE; id = w->v[id].wider) {
		uint32_t p = w->c->names[id].phyint;

		if (p && w->c->phyints[p - 1].enable >= 0)
			return &w->c->phyints[p - 1];
	}
	return NULL;
}

static void warn_disabled(const struct names *w, struct diags *d)
{
	for (uint32_t id = 0; id < w->c->nnames; id++) {
		const struct phyint *p = ruling(w, (uint16_t)id);

		if (!p || p->enable)
			continue;
		for (int fam = 0; fam < FAM_N; fam++) {
			if (!w->v[id].use[fam].used)
				continue;
			WARN(d, w->v[id].use[fam].where, "%s is used here, but disabled in line %lu of %s",
			     w->c->names[id].name, (unsigned long)p->where.line,
			     w->c->files[p->where.file]);
			break;
		}
	}
}

static void warn_thresholds(const struct names *w, struct diags *d)
{
	const struct conf *c = w->c;

	for (uint32_t id = 0; id < c->nnames; id++)
		for (uint16_t by = (uint16_t)id; by != CONF_NONE; by = w->v[by].wider) {
			uint32_t p = c->names[by].phyint;

			if (!p || c->phyints[p - 1].ttl <= 1 || !w->v[id].use[FAM_6].used)
				continue;
			if (!w->v[by].told)
				WARN(d, c->phyints[p - 1].where, "ttl-threshold %u of %s does nothing for "
				     "IPv6, where Linux has no thresholds", c->phyints[p - 1].ttl,
				     c->names[by].name);
			w->v[by].told = true;
			break;
		}
}

static int by_rank(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

/* Interfaces get their VIF by rank: finds the first one that gets none. */
static void warn_vifs(const struct names *w, struct diags *d, enum fam fam, uint32_t *ranks)
{
	const struct conf *c = w->c;
	uint32_t n = 0;

	for (uint32_t id = 0; id < c->nnames; id++) {
		const struct phyint *p = ruling(w, (uint16_t)id);

		if (c->names[id].refs[fam] && !c->names[id].wild && (!p || p->enable))
			ranks[n++] = c->names[id].first[fam];
	}
	if (n <= MAX_VIFS)
		return;
	qsort(ranks, n, sizeof *ranks, by_rank);
	for (uint32_t id = 0; id < c->nnames; id++) {
		const struct conf_name *name = &c->names[id];
		const struct use *u = &w->v[id].use[fam];

		if (name->first[fam] != ranks[MAX_VIFS] || !name->refs[fam])
			continue;
		WARN(d, u->used || !name->phyint ? u->where : c->phyints[name->phyint - 1].where,
		     "%s would be number %d of %lu %s interfaces, and the kernel takes %d: it waits",
		     name->name, MAX_VIFS + 1, (unsigned long)n, fam_str(fam), MAX_VIFS);
	}
}

/* ---- memberships ---- */

/* Usual limits of one socket: net.ipv4.igmp_max_memberships, net.ipv4.igmp_max_msf; for IPv6
 * net.core.optmem_max of 20 KiB in pieces of struct ipv6_mc_socklist (net/ipv6/mcast.c), and
 * net.ipv6.mld_max_msf.  And of one process: the soft limit of descriptors. */
#define USUAL_SOCKETS 1000

static void warn_joins(const struct conf *c, struct diags *d)
{
	static const unsigned groups[FAM_N] = { 20, 400 }, sources[FAM_N] = { 10, 64 };
	uint64_t filled[FAM_N] = { 0 }, sockets = 0;

	for (uint32_t i = 0; i < c->nmgroups; i++) {
		const struct mroute *g = &c->mgroups[i];
		enum fam fam = addr_fam(&g->group);
		uint64_t s = conf_any_source(&g->group, g->slen) ? 1 : 1ull << (128 - g->slen);

		if (g->iif == CONF_NONE || mgroup_bits(g) > CONF_JOIN_BITS)
			continue;
		filled[fam] += (1ull << (128 - g->glen)) * ((s + sources[fam] - 1) / sources[fam]);
		sockets = filled[FAM_4] / groups[FAM_4] + filled[FAM_6] / groups[FAM_6];
		if (sockets <= USUAL_SOCKETS)
			continue;
		WARN(d, g->where, "from here on the memberships need more than %d sockets with the usual "
		     "limits: raise net.ipv4.igmp_max_memberships or the descriptors of the daemon "
		     "(ulimit -n)", USUAL_SOCKETS);
		return;
	}
}

static bool warn_names(const struct conf *c, struct names *w, struct diags *d)
{
	uint32_t wild_lens = 0;

	for (uint32_t id = 0; id < c->nnames; id++)
		if (c->names[id].wild)
			wild_lens |= 1u << c->names[id].len;
	for (uint32_t id = 0; id < c->nnames; id++)
		w->v[id].wider = wider(c, wild_lens, &c->names[id]);

	bool *done = calloc(c->nsets, FAM_N * sizeof *done);
	uint32_t *ranks = malloc((c->nnames + 1u) * sizeof *ranks);
	bool ok = done && ranks;

	if (ok) {
		use_all(w, done, c->mgroups, c->nmgroups);
		use_all(w, done, c->mroutes, c->nmroutes);
		warn_disabled(w, d);
		warn_thresholds(w, d);
		warn_vifs(w, d, FAM_4, ranks);
		warn_vifs(w, d, FAM_6, ranks);
	}
	free(done);
	free(ranks);
	return ok;
}

void conf_warn(const struct conf *c, struct diags *d)
{
	struct names w = { .c = c, .v = calloc(c->nnames + 1u, sizeof *w.v) };

	warn_groups(d, c->mgroups, c->nmgroups);
	warn_groups(d, c->mroutes, c->nmroutes);
	warn_joins(c, d);
	if (!w.v || !warn_names(c, &w, d) || !warn_rules(&w, d))
		WARN(d, (struct where){ .file = c->nfiles > 1 },
		     "out of memory: not all was looked at that there may be warnings about");
	free(w.v);
}
