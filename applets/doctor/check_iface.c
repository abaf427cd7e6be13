/* SPDX-License-Identifier: ISC
 *
 * See check_iface.h.
 */
#include "applets/doctor/check_iface.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "applets/doctor/remedy.h"

/* A name of the configuration, while it is being looked at. */
struct check_name {
	const struct host_use *use;
	const char *file;
	char at[PATH_MAX + 64];		/* "NAME (FILE:LINE)", where it is used first */
};

/* Ports of a VRF are interfaces for IP; those of others hand their frames over. */
static void check_port(struct host *h, const struct check_name *n, const struct probe_link *l)
{
	const struct probe_link *master = host_link(h, l->master);
	struct buf file = { 0 };

	if (!master || !strcmp(master->kind, "vrf") || !(n->use->in || n->use->join))
		return;
	h->found.what = "port";
	finding_add(&h->found, FINDING_ERROR, "%s is a port of %s: frames arrive on %s, name that", n->at,
		    master->name, master->name);
	/* Only where both names are no more than words to sed. */
	if (!remedy_is_plain(l->name, "_-") || !remedy_is_plain(master->name, "_-."))
		return;
	buf_shell_word(&file, n->file);
	finding_fix(&h->found, "sed -i 's/\\b%s\\b/%s/g' %s", l->name, master->name, buf_cstr(&file));
	finding_fix(&h->found, "smcroutectl reload");
	buf_free(&file);
}

static void check_address(struct host *h, const struct check_name *n, const struct probe_link *l)
{
	h->found.what = "address";
	if (!n->use->join || !(l->flags & LINK_UP))
		return;
	for (const struct host_fam *k = h->of; k < h->of + FAM_N; k++)
		if (n->use->fam[k->fam] && !l->address[k->fam])
			finding_add(&h->found, FINDING_NOTE, "%s has no %s address: routing does not need one, but "
				    "memberships are reported from %s", n->at, k->name, k->fam == FAM_4 ?
				    "0.0.0.0, which some switches ignore" : "a link-local one only");
}

static void check_link(struct host *h, const struct check_name *n, const struct probe_link *l)
{
	bool down = !(l->flags & LINK_UP), mute = !(l->flags & LINK_MULTICAST);

	if (down || mute) {
		finding_add(&h->found, FINDING_ERROR, "%s %s%s%s", n->at, down ? "is down" : "",
			    down && mute ? " and " : "", mute ? "has no MULTICAST flag" : "");
		remedy_link(&h->found, l->name, !mute ? "up" : down ? "up multicast on" : "multicast on");
	} else if (!(l->flags & LINK_RUNNING)) {
		finding_add(&h->found, FINDING_WARNING, "%s has no carrier: the other end of the link is down", n->at);
	}
	check_port(h, n, l);
	check_address(h, n, l);
}

void check_interfaces(struct host *h)
{
	const struct conf *c = h->conf;
	struct check_name n;

	for (uint32_t i = 0; i < c->nnames; i++) {
		const struct ifname *name = &c->names[i].ifname;
		uint32_t k = 0;

		n.use = &h->use[i];
		if (!n.use->where.line || n.use->is_disabled)
			continue;
		n.file = n.use->where.file < c->nfiles ? c->files[n.use->where.file] : "?";
		snprintf(n.at, sizeof n.at, "%s (%s:%u)", name->text, n.file, n.use->where.line);
		h->found.what = "interface";
		while (k < h->links.n && !host_means(h, i, &h->links.v[k]))
			k++;
		if (k == h->links.n)
			finding_add(&h->found, FINDING_WARNING, name->is_wildcard ?
				    "no interface matches %s: its rules wait" :
				    "there is no interface %s: its rules wait for it", n.at);
		/* A wildcard takes what is of use; only a name asks for this one. */
		else if (!name->is_wildcard)
			check_link(h, &n, &h->links.v[k]);
	}
}

void check_bridges(struct host *h)
{
	for (const struct probe_link *l = h->links.v; l < h->links.v + h->links.n; l++) {
		if (l->snooping != 1 || l->querier != 0 || (!host_uses(h, l, FAM_4) && !host_uses(h, l, FAM_6)))
			continue;
		finding_add(&h->found, FINDING_WARNING, "%s snoops and nobody on it asks for members: it and the "
			    "switches behind it forget who wants a group", l->name);
		remedy_link(&h->found, l->name, "type bridge mcast_querier 1");
		finding_or(&h->found);
		remedy_link(&h->found, l->name, "type bridge mcast_snooping 0");
	}
}

/* What the configuration wants against what the router has. */
void check_vifs(struct host *h, const struct host_fam *k)
{
	const struct probe_link *l, *end = h->links.v + h->links.n;
	unsigned wanted = 0;

	if (!h->conf->nmroutes)
		return;
	for (l = h->links.v; l < end; l++)
		wanted += (l->flags & LINK_MULTICAST) && host_uses(h, l, k->fam);
	if (wanted > KERNEL_VIFS) {
		finding_add(&h->found, FINDING_ERROR, "the configuration means %u interfaces of this host for %s, and "
			    "a kernel table has room for %u: %u wait; name fewer, or run a second smcrouted with "
			    "another table (-t)", wanted, k->name, KERNEL_VIFS, wanted - KERNEL_VIFS);
		return;
	}
	for (l = h->links.v; k->taken == 1 && !k->is_foreign && l < end; l++) {
		if (l->routing[k->fam] != 0 || !(l->flags & LINK_MULTICAST) || !host_uses(h, l, k->fam))
			continue;
		finding_add(&h->found, FINDING_ERROR, "%s is in the configuration and has no %s VIF (mc_forwarding 0, "
			    "for the router alone to change): the router that runs here does not know of it", l->name,
			    k->name);
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
		remedy_link(&h->found, l->name, "promisc on");
	}
}
