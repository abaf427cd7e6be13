/* SPDX-License-Identifier: ISC
 *
 * Asks the interfaces that a name means.
 */
#include "router/reason.h"

#include <errno.h>
#include <string.h>

#include "router/claims.h"
#include "router/group.h"
#include "router/inkernel.h"
#include "router/reflect.h"

const char reason_missing[] = "no such interface";

/* Why the kernel refused an interface. */
static const char *reason_refused(const struct iface *i, enum fam fam)
{
	static const char *const lacks[FAM_N] = { "no IPv4 address", "no IPv6 address" };

	return i->vif_errno[fam] == EADDRNOTAVAIL ? lacks[fam] : strerror(i->vif_errno[fam]);
}

const char *reason_of_iface(const struct iface *i, const struct ifname *name, enum fam fam, bool routes)
{
	return i->disabled ? "disabled" : !iface_usable(i, name) ? "no MULTICAST flag" :
	       !routes || i->vif[fam] >= 0 ? NULL :
	       i->waits[fam] ? "no free VIF" :
	       i->vif_errno[fam] ? reason_refused(i, fam) : "not in use";
}

const char *reason_of_name(const struct router *r, const struct ifname *name, enum fam fam, bool routes,
			   const char **which)
{
	const char *reason = name->is_wildcard ? "no interface matches" : reason_missing, *why;
	bool any = false;

	*which = name->text;
	if (routes && !r->up[fam])
		return *r->lacks[fam] ? r->lacks[fam] :
		       fam == FAM_4 ? "no IPv4 multicast routing" : "no IPv6 multicast routing";
	for (struct iface *i = NULL; (i = iface_match(&r->ifs, name, i));) {
		why = reason_of_iface(i, name, fam, routes);
		if (why && iface_usable(i, name)) {
			*which = i->name;
			return why;
		}
		any |= !why;
		reason = why;
	}
	return any ? NULL : reason;
}

const char *reason_of_join(const struct router *r, const struct ifname *iif, enum fam fam)
{
	const char *which;

	return reason_of_name(r, iif, fam, false, &which);
}

bool reason_is_there(const struct router *r, const struct rule *rule)
{
	const char *which;

	return !ruleset_is_bound(&r->rules, rule) || reflect_reason(r, rule, &which) || inkernel_is_aside(r, rule);
}

/* Why a name of a route is of no use now, NULL when all are. */
static const char *reason_of_names(const struct router *r, const struct rule *rule, const char **which)
{
	const struct names *t = &r->rules.names;
	const struct oif_list *list = &t->lists[rule->oifs];
	enum fam fam = flow_range_fam(&rule->range);
	const char *reason;

	if (r->up[fam] && ruleset_is_bound(&r->rules, rule))
		return NULL;
	reason = reason_of_name(r, &t->v[rule->iif].ifname, fam, true, which);
	for (uint32_t i = 0; !reason && i < list->n; i++)
		reason = reason_of_name(r, &t->v[list->names[i]].ifname, fam, true, which);
	return reason;
}

const char *reason_of_route(const struct router *r, const struct rule *rule, struct buf *text, const char **which)
{
	const char *reason = reflect_reason(r, rule, which);

	if (!reason)
		reason = reason_of_names(r, rule, which);
	if (reason)
		return reason;
	*which = NULL;
	text->len = 0;
	return inkernel_reason(r, rule, text) ? buf_cstr(text) : NULL;
}

const char *reason_of_interface(const struct iface *i)
{
	for (enum fam f = 0; f < FAM_N; f++) {
		if (i->waits[f])
			return "no free VIF";
		if (i->vif_errno[f] && i->wanted[f])
			return reason_refused(i, f);
	}
	return NULL;
}

bool reason_is_join_refused(struct router *r)
{
	const struct rules *t = &r->rules.joins;
	bool is_refused = false;
	struct claim claim;

	if (!r->groups->failed)
		return false;
	for (uint32_t id = t->first; id != HASH_NONE && !is_refused; id = t->v[id].next)
		is_refused = claims_find(t, id, OWNER_CONFIG, &claim) &&
			     group_count(r, &r->rules.names.v[t->v[id].iif].ifname, &t->v[id].range).failed;
	return is_refused;
}
