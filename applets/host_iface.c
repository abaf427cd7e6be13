/* SPDX-License-Identifier: ISC
 *
 * Checks of the interfaces that a configuration names, and of what the router
 * has made of them.
 */
#include "applets/host.h"

#include <stdio.h>
#include <string.h>

/* "FILE:LINE" where a name is used first. */
static const char *place(const struct host *h, uint32_t name, char *buf, size_t len)
{
	const struct where *w = &h->use[name].where;

	snprintf(buf, len, "%s:%lu", w->file < h->conf->nfiles ? h->conf->files[w->file] : "?",
		 (unsigned long)w->line);
	return buf;
}

/* A command that names another interface in the configuration, when both names and the file's can
 * stand in it as they are. */
static void fix_rename(struct host *h, uint32_t name, const char *to)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/.";
	const struct where *w = &h->use[name].where;
	const char *from = h->conf->names[name].name;
	const char *file = w->file < h->conf->nfiles ? h->conf->files[w->file] : "";

	if (strspn(from, plain) != strlen(from) || strspn(to, plain) != strlen(to) || strchr(to, '/') ||
	    strchr(from, '/') || strchr(from, '.') || !*file || file[strspn(file, plain)])
		return;
	finding_fix(&h->found, "sed -i 's/\\b%s\\b/%s/g' %s", from, to, file);
	finding_fix(&h->found, "smcroutectl reload");
}

static void port(struct host *h, uint32_t name, const struct look_link *l, const char *at)
{
	const struct look_link *master = host_link(h, l->master);

	/* Ports of a VRF are interfaces for IP; those of others hand their frames over. */
	if (!master || !strcmp(master->kind, "vrf"))
		return;
	if (!h->use[name].in && !h->use[name].join)
		return;
	finding_add(&h->found, FINDING_ERROR, "port", "%s (%s) is a port of %s: frames arrive on %s, name that",
		    l->name, at, master->name, master->name);
	fix_rename(h, name, master->name);
}

static void addresses(struct host *h, uint32_t name, const struct look_link *l, const char *at)
{
	const struct host_use *u = &h->use[name];

	if (!u->join || !(l->flags & LINK_UP))
		return;
	if (u->fam[FAM_4] && !l->address[FAM_4])
		finding_add(&h->found, FINDING_NOTE, "address", "%s (%s) has no IPv4 address: routing does not need "
			    "one, but memberships are reported from 0.0.0.0, which some switches ignore",
			    l->name, at);
	if (u->fam[FAM_6] && !l->address[FAM_6])
		finding_add(&h->found, FINDING_NOTE, "address", "%s (%s) has no IPv6 address: routing does not need "
			    "one, but memberships are reported from a link-local one only", l->name, at);
}

static void one_link(struct host *h, uint32_t name, const struct look_link *l, const char *at)
{
	bool down = !(l->flags & LINK_UP), mute = !(l->flags & LINK_MULTICAST);
	char word[WORD_LEN];

	if (down || mute) {
		finding_add(&h->found, FINDING_ERROR, "interface", "%s (%s) %s", l->name, at, down && mute ?
			    "is down and has no MULTICAST flag" : down ? "is down" : "has no MULTICAST flag");
		finding_fix(&h->found, "ip link set dev %s%s%s", shell_word(l->name, word), down ? " up" : "",
			    mute ? " multicast on" : "");
	} else if (!(l->flags & LINK_RUNNING)) {
		finding_add(&h->found, FINDING_WARNING, "interface", "%s (%s) has no carrier: the other end of the "
			    "link is down", l->name, at);
	}
	port(h, name, l, at);
	addresses(h, name, l, at);
}

void check_interfaces(struct host *h)
{
	char at[300];

	for (uint32_t i = 0; i < h->conf->nnames; i++) {
		const struct conf_name *n = &h->conf->names[i];
		const struct look_link *l;
		uint32_t next = 0, found = 0;

		if (!h->use[i].where.line || h->use[i].disabled)
			continue;
		place(h, i, at, sizeof at);
		while ((l = host_match(h, n, &next))) {
			found++;
			/* A wildcard takes what is of use; only a name asks for this one. */
			if (!n->wild)
				one_link(h, i, l, at);
		}
		if (!found)
			finding_add(&h->found, FINDING_WARNING, "interface", n->wild ?
				    "no interface matches %s (%s): its rules wait" :
				    "there is no interface %s (%s): its rules wait for it", n->name, at);
	}
}

/* Whether the configuration uses an interface in a family. */
static bool used(const struct host *h, const struct look_link *l, enum fam fam)
{
	bool yes = false;

	for (uint32_t i = 0; i < h->conf->nnames; i++) {
		if (!host_means(&h->conf->names[i], l))
			continue;
		if (h->use[i].disabled)
			return false;
		yes |= h->use[i].fam[fam];
	}
	return yes;
}

void check_bridges(struct host *h)
{
	char word[WORD_LEN];

	for (uint32_t i = 0; i < h->links.n; i++) {
		const struct look_link *l = &h->links.v[i];

		if (l->snooping != 1 || l->querier != 0 || (!used(h, l, FAM_4) && !used(h, l, FAM_6)))
			continue;
		finding_add(&h->found, FINDING_WARNING, "snooping", "%s snoops and nobody on it asks for members: it "
			    "and the switches behind it forget who wants a group", l->name);
		finding_fix(&h->found, "ip link set dev %s type bridge mcast_querier 1", shell_word(l->name, word));
		finding_or(&h->found, "ip link set dev %s type bridge mcast_snooping 0", shell_word(l->name, word));
	}
}

/* What the configuration wants against what the router has. */
static void check_family_vifs(struct host *h, enum fam fam)
{
	unsigned wanted = 0, there = 0;

	for (uint32_t i = 0; i < h->links.n; i++) {
		const struct look_link *l = &h->links.v[i];

		if (!used(h, l, fam) || !(l->flags & LINK_MULTICAST))
			continue;
		wanted++;
		there += l->routing[fam] == 1;
	}
	if (wanted > KERNEL_VIFS)
		finding_add(&h->found, FINDING_ERROR, "vifs", "the configuration means %u interfaces of this host for "
			    "%s, and a kernel table has room for %u: %u wait; name fewer, or run a second "
			    "smcrouted with another table (-t)", wanted, fam_str(fam), KERNEL_VIFS,
			    wanted - KERNEL_VIFS);
	else if (h->links.taken[fam] == 1 && (host_ours(h, fam) || !h->holder[fam]))
		for (uint32_t i = 0; i < h->links.n && there < wanted; i++) {
			const struct look_link *l = &h->links.v[i];

			if (!used(h, l, fam) || !(l->flags & LINK_MULTICAST) || l->routing[fam] != 0)
				continue;
			finding_add(&h->found, FINDING_ERROR, "vifs", "%s is in the configuration and has no %s VIF "
				    "(mc_forwarding 0, for the router alone to change): the router that runs here "
				    "does not know of it", l->name, fam_str(fam));
			finding_fix(&h->found, "smcroutectl reload");
		}
}

void check_vifs(struct host *h)
{
	for (enum fam fam = 0; fam < FAM_N; fam++)
		if (h->conf->nmroutes)
			check_family_vifs(h, fam);
}

void check_allmulti(struct host *h)
{
	char word[WORD_LEN];

	for (enum fam fam = 0; fam < FAM_N; fam++)
		for (int i = 0; i < h->nvifs[fam]; i++) {
			const struct look_link *l = host_link(h, h->vifs[fam][i].ifindex);

			if (!l || l->allmulti == 1 || !(l->flags & LINK_MULTICAST))
				continue;
			if (l->allmulti < 0) {
				finding_add(&h->found, FINDING_UNSEEN, "allmulti", "whether interfaces take in all "
					    "multicast frames: this kernel does not tell (IFLA_ALLMULTI, 6.0)");
				continue;
			}
			finding_add(&h->found, FINDING_WARNING, "allmulti", "%s routes and does not take in all "
				    "multicast frames", l->name);
			finding_fix(&h->found, "ip link set dev %s promisc on", shell_word(l->name, word));
		}
}
