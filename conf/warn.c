/* SPDX-License-Identifier: ISC
 * See warn.h. */
#include "conf/warn.h"

#include <stdlib.h>

#include "conf/aside.h"
#include "conf/crossing.h"
#include "conf/match.h"
#include "conf/overlap.h"
#include "conf/relay.h"
#include "conf/ring.h"
#include "conf/superfluous.h"

#define WARN_MAX_VIFS 32		/* MAXVIFS of linux/mroute.h, MAXMIFS of linux/mroute6.h */

/* Limits of one socket that are usual: net.ipv4.igmp_max_memberships, net.ipv4.igmp_max_msf; for IPv6
 * net.core.optmem_max of 20 KiB in pieces of struct ipv6_mc_socklist (net/ipv6/mcast.c), and net.ipv6.mld_max_msf.
 * And of one process: the soft limit of descriptors. */
#define WARN_USUAL_SOCKETS 1000
static const unsigned warn_usual_groups[FAM_N] = { 20, 400 }, warn_usual_sources[FAM_N] = { 10, 64 };

struct warner {
	const struct conf *c;
	struct diags *d;
	struct warn_name {
		struct where use[FAM_N];	/* where a rule or group first refers to it; line 0: nowhere */
		bool is_reported;
	} *names;			/* by name */
	uint16_t *wider;		/* by name: the next wider wildcard, CONF_NONE = none */
	uint64_t *ranks;		/* scratch, room for each name */
};

const char *warn_tool(const char *group)
{
	return !strcmp(group, "224.0.0.251") || !strcmp(group, "ff02::fb") ?
	       "; for mDNS a reflector is the tool, as avahi has one" : "";
}

/* Looks at the groups of the rules or memberships v[n]. */
static void warn_groups(struct diags *d, const struct conf_rule *v, uint32_t n)
{
	char s[ADDR_STRLEN];

	for (; n; v++, n--) {
		const struct addr *group = &v->range.flow.group;
		bool is_local = match_link_local(group, v->range.group_len);

		prefix_str(group, v->range.group_len, s);
		if (is_local)
			diag_add(d, v->where, false, "group %s is link-local: routers never forward it%s", s,
				 warn_tool(s));
		else if (match_is_ssm(group, v->range.group_len) && flow_range_any_source(&v->range))
			diag_add(d, v->where, false,
				 "group %s is in the range for one source (SSM, RFC 4607): add \"source ADDR\"", s);
	}
}

/* Looks at the sources of the rules that let something out. */
static void warn_sources(const struct conf *c, struct diags *d)
{
	char s[ADDR_STRLEN];

	for (uint32_t i = 0; i < c->nmroutes; i++) {
		const struct conf_rule *v = &c->mroutes[i];

		if (v->oifs && match_range_stays(&v->range))
			diag_add(d, v->where, false, "source %s stays on its link or host: routers never forward it",
				 prefix_str(&v->range.flow.source, v->range.source_len, s));
	}
}

/* How many addresses a prefix has. */
static uint64_t warn_addresses(unsigned len)
{
	return len > 64 ? 1ull << (128 - len) : UINT64_MAX;
}

static void warn_joins(const struct conf *c, struct diags *d)
{
	uint64_t filled[FAM_N] = { 0 };

	for (uint32_t i = 0; i < c->nmgroups; i++) {
		const struct flow_range *range = &c->mgroups[i].range;
		enum fam fam = flow_range_fam(range);
		uint64_t s = flow_range_any_source(range) ? 1 : warn_addresses(range->source_len);

		filled[fam] += warn_addresses(range->group_len) *
			       ((s + warn_usual_sources[fam] - 1) / warn_usual_sources[fam]);
		if (filled[FAM_4] / warn_usual_groups[FAM_4] + filled[FAM_6] / warn_usual_groups[FAM_6] <=
		    WARN_USUAL_SOCKETS)
			continue;
		diag_add(d, c->mgroups[i].where, false, "from here on the memberships need more than %d sockets with "
			 "the usual limits: raise net.ipv4.igmp_max_memberships or the descriptors of the daemon "
			 "(ulimit -n)", WARN_USUAL_SOCKETS);
		return;
	}
}

static void warn_enter_use(struct warner *w, uint16_t id, enum fam fam, struct where where)
{
	struct where *at = &w->names[id].use[fam];

	if (!at->line)
		*at = where;
}

/* Enters the names of the rules or groups v[n]. */
static void warn_enter_uses(struct warner *w, const struct conf_rule *v, uint32_t n)
{
	for (; n; v++, n--) {
		const struct conf_set *set = &w->c->sets[v->oifs];
		enum fam fam = flow_range_fam(&v->range);

		warn_enter_use(w, v->iif, fam, v->where);
		for (uint32_t k = 0; k < set->n; k++)
			warn_enter_use(w, w->c->pool[set->off + k], fam, v->where);
	}
}

static void warn_disabled(const struct warner *w, uint16_t id)
{
	const struct phyint *p = match_conf_phyint(w->c, &w->c->names[id].ifname).enable_line;
	const struct where *use = w->names[id].use;

	use += !use->line;
	if (p && !p->enable && use->line)
		diag_add(w->d, *use, false, "%s is used here, but disabled in line %lu of %s",
			 w->c->names[id].ifname.text, (unsigned long)p->where.line, w->c->files[p->where.file]);
}

static void warn_threshold(const struct warner *w, uint16_t id)
{
	const struct phyint *p = match_conf_phyint(w->c, &w->c->names[id].ifname).ttl_line;

	if (!w->names[id].use[FAM_6].line || !p || p->ttl <= 1 || w->names[p->name].is_reported)
		return;
	w->names[p->name].is_reported = true;
	diag_add(w->d, p->where, false, "ttl-threshold %u of %s does nothing for IPv6, where Linux has no thresholds",
		 p->ttl, p->ifname.text);
}

static int warn_compare_ranks(const void *x, const void *y)
{
	uint64_t a = *(const uint64_t *)x, b = *(const uint64_t *)y;

	return a < b ? -1 : a > b;
}

/* Interfaces get their VIF by rank: finds the first one that gets none. */
static void warn_vifs(const struct warner *w, enum fam fam)
{
	const struct conf *c = w->c;
	uint32_t n = 0;

	for (uint32_t id = 0; id < c->nnames; id++) {
		const struct conf_name *name = &c->names[id];

		if (name->first[fam] && !name->ifname.is_wildcard && !match_conf_phyint(c, &name->ifname).is_disabled)
			w->ranks[n++] = (uint64_t)name->first[fam] << 16 | id;
	}
	if (n <= WARN_MAX_VIFS)
		return;
	qsort(w->ranks, n, sizeof *w->ranks, warn_compare_ranks);

	const struct conf_name *late = &c->names[(uint16_t)w->ranks[WARN_MAX_VIFS]];
	const struct where *use = &w->names[late - c->names].use[fam];

	/* A name that no rule has is there for its phyint line. */
	diag_add(w->d, use->line || !late->phyint ? *use : c->phyints[late->phyint - 1].where, false,
		 "%s would be number %d of %lu %s interfaces, and the kernel takes %d: it waits", late->ifname.text,
		 WARN_MAX_VIFS + 1, (unsigned long)n, fam_str(fam), WARN_MAX_VIFS);
}

static void warn_names(struct warner *w)
{
	const struct conf *c = w->c;

	warn_enter_uses(w, c->mgroups, c->nmgroups);
	warn_enter_uses(w, c->mroutes, c->nmroutes);
	for (uint32_t id = 0; id < c->nnames; id++) {
		w->wider[id] = match_wider(c, &c->names[id].ifname);
		warn_disabled(w, (uint16_t)id);
		warn_threshold(w, (uint16_t)id);
	}
	warn_vifs(w, FAM_4);
	warn_vifs(w, FAM_6);
}

/* Looks at rules that are about the same packets; false when memory ran out. */
static bool warn_overlaps(const struct warner *w, bool *is_partial)
{
	struct overlap *o = overlap_new(w->c, w->wider, w->d);
	bool ok;

	if (!o)
		return false;
	superfluous_warn(o);
	ok = crossing_warn(o) && ring_warn(o);
	overlap_tell_rest(o);
	*is_partial |= o->is_partial;
	overlap_free(o);
	return ok;
}

void conf_warn(const struct conf *c, struct diags *d)
{
	struct warner w = { .c = c, .d = d };
	const char *missed = NULL;
	bool is_partial = false, ok;

	warn_groups(d, c->mgroups, c->nmgroups);
	warn_groups(d, c->mroutes, c->nmroutes);
	warn_sources(c, d);
	warn_joins(c, d);
	w.names = calloc(c->nnames + 1u, sizeof *w.names);
	w.wider = calloc(c->nnames + 1u, sizeof *w.wider);
	w.ranks = calloc(c->nnames + 1u, sizeof *w.ranks);
	ok = w.names && w.wider && w.ranks;
	if (ok)
		warn_names(&w);
	if (!ok || !relay_warn(c, d, &is_partial) || !aside_warn(c, d, &is_partial) || !warn_overlaps(&w, &is_partial))
		missed = "out of memory: not all was looked at that there may be warnings about";
	else if (is_partial)
		missed = "too many prefix lengths or joins: not all overlaps of rules were looked at";
	if (missed)
		diag_add(d, (struct where){ .file = c->nfiles > 1 }, false, "%s", missed);
	free(w.names);
	free(w.wider);
	free(w.ranks);
}
