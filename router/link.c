/* SPDX-License-Identifier: ISC
 *
 * Marks what the news concern; sync.c does the rest.
 */
#include "router/link.h"

#include <stdio.h>
#include <string.h>

#include "conf/match.h"
#include "router/group.h"
#include "router/mrdisc.h"
#include "router/refresh.h"
#include "router/table.h"
#include "router/vif.h"

void link_configure(struct router *r, struct iface *i)
{
	const struct phyint_match p = match_phyint(r->rules.phyints, r->rules.nphyints, i->name);

	if (i->disabled != p.is_disabled)
		r->vifs_stale = i->groups_stale = true;
	r->mrdisc->stale |= i->mrdisc != p.has_mrdisc;
	r->refresh->is_stale |= i->refresh != p.refresh || (i->refresh && i->disabled != p.is_disabled);
	i->disabled = p.is_disabled;
	i->mrdisc = p.has_mrdisc;
	i->refresh = p.refresh;
	if (i->ttl == p.ttl)
		return;
	i->ttl = p.ttl;
	if (i->vif[FAM_4] < 0)
		return;
	r->ttl[i->vif[FAM_4]] = i->ttl;
	vif_refresh(r, FAM_4, i->vif[FAM_4]);
}

/* True when any rule could mean an interface by its name. */
static bool link_name_matters(const struct router *r, const struct iface *i)
{
	const struct names *t = &r->rules.names;

	for (uint32_t id = 0; id < t->n; id++)
		if (name_is_used(&t->v[id]) && ifname_matches(&t->v[id].ifname, i->name))
			return true;
	return false;
}

static void link_report(struct router *r, const struct iface *i, const char *what)
{
	struct event ev = { .kind = EVENT_LINK, .iif = i->name, .text = what };

	log_at(LOG_LVL_DEBUG, "%s: %s", i->name, what);
	state_event(r, &ev);
}

static void link_gone(struct router *r, struct iface *i)
{
	/* Linux has removed the VIF with the device (net/ipv4/ipmr.c, ipmr_device_event). */
	for (enum fam f = 0; f < FAM_N; f++)
		if (i->vif[f] >= 0) {
			vif_leave(r, f, i, kernel_vif_stays(f));
			r->vifs_stale = true;
		}
	r->vifs_stale |= link_name_matters(r, i);
	groups_link_gone(r, i->ifindex);
	link_report(r, i, "gone");
	r->mrdisc->stale |= i->mrdisc;
	r->refresh->is_stale |= i->refresh != 0;
	iface_del(&r->ifs, i);
}

/* Makes sure that nobody else has the name: after lost events an interface may still be known by it. */
static void link_free_name(struct router *r, const struct link_event *ev)
{
	struct iface *other = iface_find_name(&r->ifs, ev->name);
	char away[KERNEL_IFNAME] = "";

	if (!other || other->ifindex == ev->ifindex)
		return;
	/* No interface can be called that: the kernel refuses '/' (net/core/dev.c, dev_valid_name). */
	snprintf(away, sizeof away, "/%d", other->ifindex);
	iface_rename(&r->ifs, other, away);
	r->vifs_stale = r->groups->some_stale = other->groups_stale = true;
}

static void link_renamed(struct router *r, struct iface *i, const struct link_event *ev)
{
	char text[64];

	snprintf(text, sizeof text, "renamed from %s", i->name);
	iface_rename(&r->ifs, i, ev->name);
	/* The rule for its old name is no longer for it (net/core/fib_rules.c, detach_rules). */
	i->table[FAM_4] = i->table[FAM_6] = TABLE_UNKNOWN;
	link_report(r, i, text);
}

/* i: as it was before, NULL when it is new. */
static void link_new(struct router *r, const struct link_event *ev, struct iface *i)
{
	bool is_new, named;		/* named: has a name that it did not have */

	/* Where a VIF may stay, a rename is a departure and an arrival, which may have been lost. */
	if (i && strcmp(i->name, ev->name) && kernel_vif_stays(FAM_4)) {
		link_gone(r, i);
		i = NULL;
	}
	is_new = named = !i;
	link_free_name(r, ev);
	if (is_new && !(i = iface_add(&r->ifs, ev->ifindex, ev->name))) {
		log_limited(&r->lim_kernel, r->now, LOG_LVL_ERR, "%s: out of memory", ev->name);
		r->links_lost = true;
		return;
	}
	bool matters = link_name_matters(r, i);
	unsigned changes = i->flags ^ ev->flags;

	if (strcmp(i->name, ev->name)) {
		link_renamed(r, i, ev);
		named = true;
		matters |= link_name_matters(r, i);
	}
	if (changes & i->flags & LINK_UP)
		mrdisc_link(r, i->ifindex, true);
	if (changes & LINK_UP)
		refresh_link(r, i);
	/* What could not be joined before may be possible now. */
	if (r->groups->failed && (changes || i->mtu != ev->mtu))
		i->groups_stale = true;
	i->swept = false;
	i->flags = ev->flags;
	i->mtu = ev->mtu;
	i->master = ev->master;
	i->vrf = ev->vrf;
	i->copies = ev->copies;
	i->allmulti = ev->allmulti;
	if (named)
		link_configure(r, i);
	if (matters && (named || (changes & LINK_MULTICAST) || i->vif_errno[FAM_4] || i->vif_errno[FAM_6]))
		r->vifs_stale = i->groups_stale = true;
	r->mrdisc->stale |= i->mrdisc && changes;
	r->refresh->is_stale |= i->refresh && (changes & LINK_UP);
	r->groups->some_stale |= i->groups_stale;
	if (is_new)
		link_report(r, i, "new");
	else if (changes & LINK_UP)
		link_report(r, i, i->flags & LINK_UP ? "up" : "down");
	else if (changes & LINK_MULTICAST)
		link_report(r, i, i->flags & LINK_MULTICAST ? "multicast on" : "multicast off");
}

void router_link_event(struct router *r, const struct link_event *ev)
{
	struct iface *i = iface_find(&r->ifs, ev->ifindex);	/* NULL for a sweep, which is of none */

	switch (ev->kind) {
	case LINK_SWEEP_BEGIN:
		while ((i = iface_next(&r->ifs, i)))
			i->swept = true;
		break;
	case LINK_NEW:
		link_new(r, ev, i);
		break;
	case LINK_DEL:
		if (i)
			link_gone(r, i);
		break;
	case LINK_ADDR:
		if (i && r->groups->failed)
			r->groups->some_stale = i->groups_stale = true;
		mrdisc_link(r, ev->ifindex, false);
		break;
	case LINK_MEMBERS:
		r->reflect.is_stale = true;
		break;
	case LINK_ALLMULTI:
		if (i)
			i->allmulti = ev->allmulti;
		break;
	case LINK_RULES_BEGIN:
	case LINK_RULE:
	case LINK_RULES_END:
		table_event(r, ev);
		break;
	case LINK_SWEEP_END:
		while ((i = iface_next(&r->ifs, i)))
			if (i->swept)
				link_gone(r, i);
		break;
	}
}
