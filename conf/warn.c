/* SPDX-License-Identifier: ISC
 *
 * Warnings about a configuration whose lines are all right one by one: what
 * cannot work as it is written, whatever the machine looks like.  Nothing here
 * is an error.  How rules overlap is looked at in overlap.c.
 */
#include "conf/warn.h"

#include <stdlib.h>

#include "conf/match.h"

#define MAX_VIFS 32		/* MAXVIFS of linux/mroute.h, MAXMIFS of linux/mroute6.h */

/* RFC 4607, section 1: 232.0.0.0/8 and ff3x::/32. */
static bool is_ssm(const struct addr *g, uint8_t len)
{
	if (addr_fam(g) == FAM_4)
		return len >= ADDR_V4_BITS + 8 && g->b[12] == 232;
	return len >= 32 && g->b[1] >> 4 == 3 && !g->b[2] && !g->b[3];
}

/* Looks at the groups of the rules or memberships v[n]. */
static void warn_groups(struct diags *d, const struct conf_rule *v, uint32_t n)
{
	char s[ADDR_STRLEN];

	for (; n; v++, n--) {
		bool local = match_link_local(&v->range.flow.group, v->range.group_len);

		if (!local && !(is_ssm(&v->range.flow.group, v->range.group_len) && flow_range_any_source(&v->range)))
			continue;
		WARN(d, v->where, local ? "group %s is link-local: routers never forward it" :
		     "group %s is in the range for one source (SSM, RFC 4607): add \"source ADDR\"",
		     prefix_str(&v->range.flow.group, v->range.group_len, s));
	}
}

/* ---- names ---- */

static void use(struct names *w, uint16_t id, enum fam fam, struct where where)
{
	struct where *at = &w->v[id].use[fam];

	if (!at->line)
		*at = where;
}

/* Enters the names of the rules or groups m[n]; done: by set and family. */
static void use_all(struct names *w, bool *done, const struct conf_rule *m, uint32_t n)
{
	const struct conf *c = w->c;

	for (; n; m++, n--) {
		const struct conf_set *set = &c->sets[m->oifs];
		enum fam fam = flow_range_fam(&m->range);

		use(w, m->iif, fam, m->where);
		if (done[m->oifs * FAM_N + fam])
			continue;
		done[m->oifs * FAM_N + fam] = true;
		for (uint32_t k = 0; k < set->n; k++)
			use(w, c->pool[set->off + k], fam, m->where);
	}
}

/* The phyint line of a name itself, or NULL. */
static const struct phyint *phyint_of(const struct conf *c, uint32_t id)
{
	uint32_t p = c->names[id].phyint;

	return p ? &c->phyints[p - 1] : NULL;
}

static void warn_disabled(const struct names *w, struct diags *d, uint16_t id)
{
	const struct phyint *p = match_conf_phyint(w->c, &w->c->names[id].ifname).enable_line;
	const struct where *use = w->v[id].use;

	use += !use->line;
	if (p && !p->enable && use->line)
		WARN(d, *use, "%s is used here, but disabled in line %lu of %s", w->c->names[id].ifname.text,
		     (unsigned long)p->where.line, w->c->files[p->where.file]);
}

static void warn_threshold(const struct names *w, struct diags *d, uint16_t id)
{
	const struct phyint *p = match_conf_phyint(w->c, &w->c->names[id].ifname).ttl_line;

	if (!w->v[id].use[FAM_6].line || !p || p->ttl <= 1 || w->v[p->name].told)
		return;
	w->v[p->name].told = true;
	WARN(d, p->where, "ttl-threshold %u of %s does nothing for IPv6, where Linux has no thresholds",
	     p->ttl, p->ifname.text);
}

static int by_rank(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

/* Interfaces get their VIF by rank: finds the first one that gets none.  ranks: room for each. */
static void warn_vifs(const struct names *w, struct diags *d, enum fam fam, uint64_t *ranks)
{
	const struct conf *c = w->c;
	uint32_t n = 0;

	for (uint32_t id = 0; id < c->nnames; id++) {
		const struct conf_name *name = &c->names[id];

		if (name->first[fam] && !name->ifname.is_wildcard &&
		    !match_conf_phyint(c, &name->ifname).is_disabled)
			ranks[n++] = (uint64_t)name->first[fam] << 16 | id;
	}
	if (n <= MAX_VIFS)
		return;
	qsort(ranks, n, sizeof *ranks, by_rank);

	uint16_t late = (uint16_t)ranks[MAX_VIFS];
	const struct where *use = &w->v[late].use[fam];
	const struct phyint *p = phyint_of(c, late);

	WARN(d, use->line || !p ? *use : p->where,
	     "%s would be number %d of %lu %s interfaces, and the kernel takes %d: it waits",
	     c->names[late].ifname.text, MAX_VIFS + 1, (unsigned long)n, fam_str(fam), MAX_VIFS);
}

/* ---- memberships ---- */

/* Usual limits of one socket: net.ipv4.igmp_max_memberships, net.ipv4.igmp_max_msf; for IPv6
 * net.core.optmem_max of 20 KiB in pieces of struct ipv6_mc_socklist (net/ipv6/mcast.c), and
 * net.ipv6.mld_max_msf.  And of one process: the soft limit of descriptors. */
#define USUAL_SOCKETS 1000

static void warn_joins(const struct conf *c, struct diags *d)
{
	static const unsigned groups[FAM_N] = { 20, 400 }, sources[FAM_N] = { 10, 64 };
	uint64_t filled[FAM_N] = { 0 };

	for (uint32_t i = 0; i < c->nmgroups; i++) {
		const struct conf_rule *g = &c->mgroups[i];
		enum fam fam = flow_range_fam(&g->range);
		uint64_t s = flow_range_any_source(&g->range) ? 1 : 1ull << (128 - g->range.source_len);

		filled[fam] += (1ull << (128 - g->range.group_len)) * ((s + sources[fam] - 1) / sources[fam]);
		if (filled[FAM_4] / groups[FAM_4] + filled[FAM_6] / groups[FAM_6] <= USUAL_SOCKETS)
			continue;
		WARN(d, g->where, "from here on the memberships need more than %d sockets with the usual "
		     "limits: raise net.ipv4.igmp_max_memberships or the descriptors of the daemon "
		     "(ulimit -n)", USUAL_SOCKETS);
		return;
	}
}

static bool warn_names(const struct conf *c, struct names *w, struct diags *d)
{
	bool *done = calloc(c->nsets, FAM_N * sizeof *done);
	uint64_t *ranks = malloc((c->nnames + 1u) * sizeof *ranks);
	bool ok = done && ranks;

	for (uint32_t id = 0; id < c->nnames; id++)
		w->v[id].wider = match_wider(c, &c->names[id].ifname);
	if (ok) {
		use_all(w, done, c->mgroups, c->nmgroups);
		use_all(w, done, c->mroutes, c->nmroutes);
		for (uint32_t id = 0; id < c->nnames; id++) {
			warn_disabled(w, d, (uint16_t)id);
			warn_threshold(w, d, (uint16_t)id);
		}
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
	const char *missed = NULL;
	bool partial = false;

	warn_groups(d, c->mgroups, c->nmgroups);
	warn_groups(d, c->mroutes, c->nmroutes);
	warn_joins(c, d);
	if (!w.v || !warn_names(c, &w, d) || !warn_rules(&w, d, &partial))
		missed = "out of memory: not all was looked at that there may be warnings about";
	else if (partial)
		missed = "too many prefix lengths: not all overlaps of rules were looked at";
	if (missed)
		WARN(d, (struct where){ .file = c->nfiles > 1 }, "%s", missed);
	free(w.v);
}
