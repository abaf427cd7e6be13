/* SPDX-License-Identifier: ISC
 *
 * The commands against what stops a packet, each the smallest that helps: loose
 * reverse path filtering before none, one accepted group before an open chain.
 * ip_forward is not among them: multicast does not heed it (net/ipv4/ipmr.c).
 */
#include "applets/doctor/remedy.h"

#include <stdio.h>
#include <string.h>

/* ---- words ---- */

bool cure_among(const char *word, const char *list)
{
	while (*list && strcmp(word, list))
		list += strlen(list) + 1;
	return *list;
}

const char cure_six[FAM_N][2] = { "", "6" };

void cure_link(struct findings *f, const char *name, const char *what)
{
	char word[WORD_LEN];

	finding_fix(f, "ip link set dev %s %s", shell_word(name, word), what);
}

/* ---- reverse path filter: __fib_validate_source() of net/ipv4/fib_frontend.c ---- */

bool cure_rp_refuses(const struct host *h, const struct probe_link *in, const struct addr *src,
		     struct probe_route *r, char *why)
{
	if (addr_fam(src) != FAM_4 || in->rp_filter <= 0 || probe_route(src, r) < 0)
		return false;
	if (!r->none) {
		if (r->local)
			return false;
		for (unsigned i = 0; i < r->n; i++)
			if (r->oif[i] == in->ifindex)
				return false;
		/* Loose is content with any route, but not on an interface without an address. */
		if (in->rp_filter > 1 && in->address[FAM_4])
			return false;
	}
	snprintf(why, RP_WHY, "%s%s%s%s", r->none ? "there is no route back" : "the route back leads elsewhere",
		 r->n ? " (" : "", r->n ? host_name(h, r->oif[0]) : "", r->n ? ")" : "");
	return true;
}

void cure_rp_filter(struct host *h, const struct probe_link *in, const struct addr *src,
		    uint8_t slen, const struct probe_route *r)
{
	bool none = src && r->none, loose = src && !none && in->address[FAM_4];
	const char *all = h->links.rp_all ? " net.ipv4.conf.all.rp_filter=0" : "";
	char name[64], key[WORD_LEN], word[WORD_LEN], text[ADDR_STRLEN];

	/* With slashes where the name has a dot (sysctl(8)). */
	snprintf(name, sizeof name, strchr(in->name, '.') ? "net/ipv4/conf/%s/rp_filter" :
		 "net.ipv4.conf.%s.rp_filter", in->name);
	shell_word(name, key);
	/* The larger value of all and the interface counts, so 2 here is loose. */
	if (loose) {
		finding_fix(&h->found, "sysctl -w %s=2", key);
		finding_or(&h->found);
	}
	if (none || loose) {
		finding_fix(&h->found, "ip route add %s dev %s", prefix_str(src, slen, text), shell_word(in->name, word));
		finding_or(&h->found);
	}
	if (!loose)
		finding_fix(&h->found, "sysctl -w%s%s%s%s", all, in->rp_own ? " " : "", in->rp_own ? key : "",
			    in->rp_own ? "=0" : "");
}

/* ---- packet filter ---- */

bool cure_nft_name(const char *name)
{
	return *name && !strpbrk(name, "\"'\\*");
}

/* True for a chain that iptables made: those it manages itself. */
static bool of_iptables(const struct probe_chain *c)
{
	return cure_among(c->table, "filter\0mangle\0raw\0security\0nat\0") &&
	       cure_among(c->name, "FORWARD\0PREROUTING\0POSTROUTING\0") && strcmp(c->family, "inet");
}

void cure_chain(struct findings *f, const struct probe_chain *c, const struct probe_packet *p,
		uint8_t glen)
{
	const char *six = cure_six[flow_fam(&p->flow)], *way = "i", *dev = p->iif_name;
	char word[WORD_LEN], text[ADDR_STRLEN], at[WORD_LEN + 4];

	at[0] = '\0';
	if (c->hook == HOOK_AFTER) {
		way = "o";
		dev = p->oif_name;
	}
	prefix_str(&p->flow.group, glen, text);
	if (of_iptables(c)) {
		bool filter = !strcmp(c->table, "filter");

		if (dev)
			snprintf(at, sizeof at, " -%s %s", way, shell_word(dev, word));
		finding_fix(f, "ip%stables%s%s -I %s%s -d %s -j ACCEPT", six, filter ? "" : " -t ",
			    filter ? "" : c->table, c->name, at, text);
	} else if (word_plain(c->table, "_-./") && word_plain(c->name, "_-./")) {
		if (dev && cure_nft_name(dev))
			snprintf(at, sizeof at, "%sifname \"%s\" ", way, dev);
		finding_fix(f, "nft 'insert rule %s %s %s %sip%s daddr %s accept'", c->family, c->table, c->name,
			    at, six, text);
	}
}

/* ---- tables ---- */

void cure_table(struct findings *f, enum fam fam, const char *iif, uint32_t table)
{
	char word[WORD_LEN];

	finding_fix(f, "ip %smrule add iif %s lookup %u", fam == FAM_4 ? "" : "-6 ", shell_word(iif, word),
		    table);
}
