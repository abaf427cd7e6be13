/* SPDX-License-Identifier: ISC
 *
 * Checks of the interfaces that a configuration names, and of what the router
 * has made of them.
 */
#include "applets/doctor/host.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "applets/doctor/remedy.h"
#include "conf/match.h"

/* A name of the configuration, while it is being looked at. */
struct named {
	const struct host_use *use;
	const char *file;
	char at[PATH_MAX + 64];		/* "NAME (FILE:LINE)", where it is used first */
};

/* A command that names another interface in the configuration, when both names and the file's can
 * stand in it as they are. */
static void fix_rename(struct host *h, const char *from, const char *to, const char *file)
{
	if (!word_plain(from, "_-") || !word_plain(to, "_-.") || !word_plain(file, "_-/."))
		return;
	finding_fix(&h->found, "sed -i 's/\\b%s\\b/%s/g' %s", from, to, file);
	finding_fix(&h->found, "smcroutectl reload");
}

static void port(struct host *h, const struct named *n, const struct probe_link *l)
{
	const struct probe_link *master = host_link(h, l->master);

	/* Ports of a VRF are interfaces for IP; those of others hand their frames over. */
	if (!master || !strcmp(master->kind, "vrf") || !(n->use->in || n->use->join))
		return;
	h->found.what = "port";
	finding_add(&h->found, FINDING_ERROR, "%s is a port of %s: frames arrive on %s, name that", n->at,
		    master->name, master->name);
	fix_rename(h, l->name, master->name, n->file);
}

static void addresses(struct host *h, const struct named *n, const struct probe_link *l)
{
	h->found.what = "address";
	if (!n->use->join || !(l->flags & LINK_UP))
		return;
	for (const struct host_fam *k = h->of; k < h->of + FAM_N; k++)
		if (n->use->fam[k->fam] && !l->address[k->fam])
			finding_add(&h->found, FINDING_NOTE, "%s has no %s address: routing does not need one, but memberships "
				    "are reported from %s", n->at, k->name, k->fam == FAM_4 ?
				    "0.0.0.0, which some switches ignore" : "a link-local one only");
}

static void one_link(struct host *h, const struct named *n, const struct probe_link *l)
{
	bool down = !(l->flags & LINK_UP), mute = !(l->flags & LINK_MULTICAST);

	if (down || mute) {
		finding_add(&h->found, FINDING_ERROR, "%s %s%s%s", n->at, down ? "is down" : "",
			    down && mute ? " and " : "", mute ? "has no MULTICAST flag" : "");
		cure_link(&h->found, l->name, !mute ? "up" : down ? "up multicast on" : "multicast on");
	} else if (!(l->flags & LINK_RUNNING)) {
		finding_add(&h->found, FINDING_WARNING, "%s has no carrier: the other end of the link is down", n->at);
	}
	port(h, n, l);
	addresses(h, n, l);
}

void check_interfaces(struct host *h)
{
	const struct conf *c = h->conf;
	struct named n;

	for (uint32_t i = 0; i < c->nnames; i++) {
		const struct conf_name *name = &c->names[i];
		const struct probe_link *l;
		uint32_t next = 0;

		n.use = &h->use[i];
		if (!n.use->where.line || n.use->disabled)
			continue;
		n.file = n.use->where.file < c->nfiles ? c->files[n.use->where.file] : "?";
		snprintf(n.at, sizeof n.at, "%s (%s:%u)", name->ifname.text, n.file, n.use->where.line);
		h->found.what = "interface";
		l = host_match(h, i, &next);
		if (!l)
			finding_add(&h->found, FINDING_WARNING, name->ifname.is_wildcard ?
				    "no interface matches %s: its rules wait" :
				    "there is no interface %s: its rules wait for it", n.at);
		/* A wildcard takes what is of use; only a name asks for this one. */
		else if (!name->ifname.is_wildcard)
			one_link(h, &n, l);
	}
}

/* Whether the configuration uses an interface in a family. */
static bool used(const struct host *h, const struct probe_link *l, enum fam fam)
{
	const struct conf *c = h->conf;
	bool yes = false;

	for (uint32_t i = 0; i < c->nnames; i++)
		yes |= h->use[i].fam[fam] && host_means(h, i, l);
	return yes && !match_phyint(c->phyints, c->nphyints, l->name).is_disabled;
}

void check_bridges(struct host *h)
{
	for (uint32_t i = 0; i < h->links.n; i++) {
		const struct probe_link *l = &h->links.v[i];

		if (l->snooping != 1 || l->querier != 0 || (!used(h, l, FAM_4) && !used(h, l, FAM_6)))
			continue;
		finding_add(&h->found, FINDING_WARNING, "%s snoops and nobody on it asks for members: it and the switches "
			    "behind it forget who wants a group", l->name);
		cure_link(&h->found, l->name, "type bridge mcast_querier 1");
		finding_or(&h->found);
		cure_link(&h->found, l->name, "type bridge mcast_snooping 0");
	}
}

/* What the configuration wants against what the router has. */
void check_vifs(struct host *h, const struct host_fam *k)
{
	unsigned wanted = 0;

	if (!h->conf->nmroutes)
		return;
	for (uint32_t i = 0; i < h->links.n; i++) {
		const struct probe_link *l = &h->links.v[i];

		if ((l->flags & LINK_MULTICAST) && used(h, l, k->fam))
			wanted++;
	}
	if (wanted > KERNEL_VIFS) {
		finding_add(&h->found, FINDING_ERROR, "the configuration means %u interfaces of this host for %s, and a "
			    "kernel table has room for %u: %u wait; name fewer, or run a second smcrouted with another "
			    "table (-t)", wanted, k->name, KERNEL_VIFS, wanted - KERNEL_VIFS);
		return;
	}
	for (uint32_t i = 0; k->taken == 1 && !k->foreign && i < h->links.n; i++) {
		const struct probe_link *l = &h->links.v[i];

		if (l->routing[k->fam] != 0 || !(l->flags & LINK_MULTICAST) || !used(h, l, k->fam))
			continue;
		finding_add(&h->found, FINDING_ERROR, "%s is in the configuration and has no %s VIF (mc_forwarding 0, for "
			    "the router alone to change): the router that runs here does not know of it", l->name, k->name);
		finding_fix(&h->found, "smcroutectl reload");
	}
}

void check_allmulti(struct host *h, const struct host_fam *k)
{
	for (int i = 0; i < k->vifs.n; i++) {
		const struct probe_link *l = host_link(h, k->vifs.v[i].ifindex);

		if (!l || l->allmulti == 1 || !(l->flags & LINK_MULTICAST))
			continue;
		if (l->allmulti < 0) {
			finding_add(&h->found, FINDING_UNSEEN, "whether interfaces take in all multicast frames: this "
				    "kernel does not tell (IFLA_ALLMULTI, 6.0)");
			continue;
		}
		finding_add(&h->found, FINDING_WARNING, "%s routes and does not take in all multicast frames", l->name);
		cure_link(&h->found, l->name, "promisc on");
	}
}
