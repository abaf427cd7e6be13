/* SPDX-License-Identifier: ISC
 *
 * Asks the interfaces that a name means; the first that is of use ends the search.
 */
#include "router/reason.h"

#include <string.h>

#include "router/reflect.h"

/* Why an interface is of no use to routes, or to memberships: NULL when it is. */
static const char *reason_of_iface(const struct iface *i, const struct ifname *name, enum fam fam, bool routes)
{
	return i->disabled ? "disabled" : !iface_usable(i, name) ? "no MULTICAST flag" :
	       !routes || i->vif[fam] >= 0 ? NULL :
	       i->waits[fam] ? "no free VIF" :
	       i->vif_errno[fam] ? strerror(i->vif_errno[fam]) : "not in use";
}

/* The reason of all interfaces that a name means: NULL when one of them is of use. */
static const char *reason_of_name(const struct router *r, const struct ifname *name, enum fam fam, bool routes)
{
	const char *reason = name->is_wildcard ? "no interface matches" : "no such interface";

	if (routes && !r->up[fam])
		return fam == FAM_4 ? "no IPv4 multicast routing" : "no IPv6 multicast routing";
	for (struct iface *i = NULL; reason && (i = iface_match(&r->ifs, name, i));)
		reason = reason_of_iface(i, name, fam, routes);
	return reason;
}

const char *reason_of_join(const struct router *r, const struct ifname *iif, enum fam fam)
{
	return reason_of_name(r, iif, fam, false);
}

const char *reason_of_route(const struct router *r, const struct rule *rule, const char **which)
{
	const struct names *t = &r->rules.names;
	const struct oif_list *list = &t->lists[rule->oifs];
	enum fam fam = flow_range_fam(&rule->range);

	const char *reason = reflect_reason(r, rule, which);

	if (reason || (r->up[fam] && ruleset_is_bound(&r->rules, rule)))
		return reason;

	const struct ifname *name = &t->v[rule->iif].ifname;

	reason = reason_of_name(r, name, fam, true);

	for (uint32_t i = 0; !reason && i < list->n; i++) {
		name = &t->v[list->names[i]].ifname;
		reason = reason_of_name(r, name, fam, true);
	}
	*which = name->text;
	return reason;
}
