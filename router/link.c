/* SPDX-License-Identifier: ISC
 *
 * Interfaces that come, change and go, as rtnetlink tells it.  Marks what that
 * concerns; sync.c does the rest.
 */
#include "router/router.h"

#include <stdio.h>
#include <string.h>

#include "router/sync.h"

/* Of several that match, an exact name goes before a
 * wildcard and a longer wildcard before a shorter one, so that the order of lines does not matter. */
void link_configure(struct router *r, uint32_t at)
{
	struct iface *i = &r->ifs.v[at];
	bool disabled = false, mrdisc = false;
	int enable_by = -1, ttl_by = -1;
	uint8_t ttl = 1;

	for (uint32_t k = 0; k < r->conf->nphyints; k++) {
		const struct phyint *p = &r->conf->phyints[k];
		const struct conf_name *n = &r->conf->names[p->name];
		int weight = n->wild ? n->len : CONF_IFNAME;

		if (!iface_name_matches(i->name, n->name, n->len, n->wild))
			continue;
		if (p->enable >= 0 && weight > enable_by) {
			disabled = !p->enable;
			enable_by = weight;
		}
		if (p->ttl && weight > ttl_by) {
			ttl = p->ttl;
			ttl_by = weight;
		}
		mrdisc |= p->mrdisc;
	}
	if (i->disabled != disabled)
		r->vifs_stale = i->groups_stale = true;
	r->mrdisc.stale |= i->mrdisc != mrdisc;
	i->disabled = disabled;
	i->mrdisc = mrdisc;
	if (i->ttl == ttl)
		return;
	i->ttl = ttl;
	if (i->vif[FAM_4] < 0)
		return;
	r->ttl[i->vif[FAM_4]] = ttl;
	for (uint32_t e = 0; e < r->mfc.n; e++)
		if (r->mfc.v[e].state != MFC_FREE && addr_fam(&r->mfc.v[e].group) == FAM_4 &&
		    (r->mfc.v[e].oifs >> i->vif[FAM_4] & 1)) {
			r->mfc.v[e].flags |= MFC_STALE;
			mfc_dirty(&r->mfc, e);
		}
}

/* True when anything in the configuration could mean an interface of that name. */
static bool name_matters(const struct router *r, const char *name)
{
	if (conf_name_find(r->conf, name, strlen(name)) != CONF_NONE)
		return true;
	for (uint32_t id = 0; id < r->conf->nnames; id++)
		if (r->conf->names[id].wild &&
		    iface_name_matches(name, r->conf->names[id].name, r->conf->names[id].len, true))
			return true;
	return false;
}

static void link_event(struct router *r, const char *name, const char *what)
{
	struct event ev = { .kind = EVENT_LINK, .iif = name, .text = what };

	log_debug("%s: %s", name, what);
	router_event(r, &ev);
}

static void link_gone(struct router *r, uint32_t at)
{
	struct iface *i = &r->ifs.v[at];

	/* The kernel removed the VIF with the device (net/ipv4/ipmr.c, ipmr_device_event). */
	for (enum fam f = 0; f < FAM_N; f++)
		if (i->vif[f] >= 0) {
			sync_leave_vif(r, f, i->vif[f]);
			iface_slot_free(&r->ifs, f, at);
			r->vifs_stale = true;
		}
	if (name_matters(r, i->name))
		r->vifs_stale = true;
	groups_link_gone(r, i->ifindex);
	link_event(r, i->name, "gone");
	r->mrdisc.stale |= i->mrdisc;
	iface_del(&r->ifs, at);
}

/* Makes sure that nobody else has the name: after lost events an interface may still be known by it. */
static void free_name(struct router *r, const char *name, int ifindex)
{
	uint32_t other = iface_find_name(&r->ifs, name);
	char away[KERNEL_IFNAME];

	if (other == IFACE_NONE || r->ifs.v[other].ifindex == ifindex)
		return;
	/* No interface can be called that: the kernel refuses '/' (net/core/dev.c, dev_valid_name). */
	snprintf(away, sizeof away, "/%d", r->ifs.v[other].ifindex);
	iface_rename(&r->ifs, other, away);
	r->vifs_stale = true;
}

static void link_new(struct router *r, const struct link_event *ev)
{
	uint32_t at = iface_find(&r->ifs, ev->ifindex);
	bool is_new = at == IFACE_NONE;

	free_name(r, ev->name, ev->ifindex);
	if (is_new) {
		at = iface_add(&r->ifs, ev->ifindex, ev->name);
		if (at == IFACE_NONE) {
			log_limited(&r->lim_kernel, r->now, LOG_LVL_ERR, "%s: out of memory", ev->name);
			return;
		}
	}
	struct iface *i = &r->ifs.v[at];
	bool renamed = strcmp(i->name, ev->name) != 0;
	bool mattered = name_matters(r, i->name);
	unsigned was = i->flags;
	uint32_t mtu = i->mtu;

	if (renamed) {
		char text[64];

		snprintf(text, sizeof text, "renamed from %s", i->name);
		iface_rename(&r->ifs, at, ev->name);
		/* The rule for its old name is no longer for it (net/core/fib_rules.c, detach_rules). */
		i->table_told[FAM_4] = i->table_told[FAM_6] = false;
		link_event(r, i->name, text);
	}
	i->swept = false;
	i->flags = ev->flags;
	i->mtu = ev->mtu;
	i->master = ev->master;
	if (is_new || renamed)
		link_configure(r, at);
	if ((is_new || renamed || ((was ^ i->flags) & LINK_MULTICAST) || i->vif_errno[FAM_4] || i->vif_errno[FAM_6]) &&
	    (mattered || name_matters(r, i->name)))
		r->vifs_stale = i->groups_stale = true;
	r->mrdisc.stale |= i->mrdisc && (is_new || was != i->flags);
	if (was & ~i->flags & LINK_UP)
		mrdisc_down(r, i->ifindex);
	/* What could not be joined before may be possible now. */
	if (r->groups.failed && (was != i->flags || mtu != i->mtu))
		i->groups_stale = true;
	r->groups.some_stale |= i->groups_stale;
	if (is_new)
		link_event(r, i->name, "new");
	else if ((was ^ i->flags) & LINK_UP)
		link_event(r, i->name, i->flags & LINK_UP ? "up" : "down");
	else if ((was ^ i->flags) & LINK_MULTICAST)
		link_event(r, i->name, i->flags & LINK_MULTICAST ? "multicast on" : "multicast off");
}

void router_link_event(struct router *r, const struct link_event *ev)
{
	uint32_t at;

	switch (ev->kind) {
	case LINK_SWEEP_BEGIN:
		for (at = 0; at < r->ifs.n; at++)
			r->ifs.v[at].swept = true;
		break;
	case LINK_NEW:
		link_new(r, ev);
		break;
	case LINK_DEL:
		at = iface_find(&r->ifs, ev->ifindex);
		if (at != IFACE_NONE)
			link_gone(r, at);
		break;
	case LINK_ADDR:
		at = iface_find(&r->ifs, ev->ifindex);
		if (at != IFACE_NONE)
			r->groups.some_stale |= r->ifs.v[at].groups_stale |= r->groups.failed > 0;
		mrdisc_address(r, ev->ifindex);
		break;
	case LINK_SWEEP_END:
		for (at = 0; at < r->ifs.n; at++)
			if (r->ifs.v[at].ifindex && r->ifs.v[at].swept)
				link_gone(r, at);
		break;
	}
}
