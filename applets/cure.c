/* SPDX-License-Identifier: ISC
 *
 * The commands against what stops a packet, each the smallest that helps: loose
 * reverse path filtering before none, one accepted group before an open chain.
 * ip_forward is not among them: multicast does not heed it (net/ipv4/ipmr.c).
 */
#include "applets/cure.h"

#include <stdio.h>
#include <string.h>

/* ---- reverse path filter: __fib_validate_source() of net/ipv4/fib_frontend.c ---- */

const char *cure_rp_reason(const struct look_link *in, const struct addr *src,
			   struct look_route *r)
{
	*r = (struct look_route){ .none = true };
	if (addr_fam(src) != FAM_4 || in->rp_filter <= 0 || kernel_look_route(src, r) < 0)
		return NULL;
	if (r->none)
		return "there is no route back";
	if (r->local)
		return NULL;
	for (unsigned i = 0; i < r->n; i++)
		if (r->oif[i] == in->ifindex)
			return NULL;
	/* Loose is content with any route, but not on an interface without an address. */
	if (in->rp_filter > 1 && in->address[FAM_4])
		return NULL;
	return "the route back leads elsewhere";
}

/* "net.ipv4.conf.NAME.rp_filter", with slashes where the name has a dot (sysctl(8)). */
static const char *rp_key(const struct look_link *in, char *buf, size_t len)
{
	char key[64], word[WORD_LEN];

	snprintf(key, sizeof key, strchr(in->name, '.') ? "net/ipv4/conf/%s/rp_filter" :
		 "net.ipv4.conf.%s.rp_filter", in->name);
	snprintf(buf, len, "%s", shell_word(key, word));
	return buf;
}

void cure_rp_filter(struct findings *f, const struct host *h, const struct look_link *in,
		    const struct addr *src, uint8_t slen, const struct look_route *r)
{
	char key[WORD_LEN], off[2 * WORD_LEN], word[WORD_LEN], text[ADDR_STRLEN];

	rp_key(in, key, sizeof key);
	snprintf(off, sizeof off, "sysctl -w %s%s%s%s", h->links.rp_all ? "net.ipv4.conf.all.rp_filter=0" : "",
		 h->links.rp_all && in->rp_own ? " " : "", in->rp_own ? key : "", in->rp_own ? "=0" : "");
	if (!src) {
		finding_fix(f, "%s", off);
		return;
	}
	shell_word(in->name, word);
	prefix_str(src, slen, text);
	if (!r->none && in->address[FAM_4]) {
		/* The larger value of all and the interface counts, so 2 here is loose. */
		finding_fix(f, "sysctl -w %s=2", key);
		finding_or(f, "ip route add %s dev %s", text, word);
	} else if (r->none) {
		finding_fix(f, "ip route add %s dev %s", text, word);
		finding_or(f, "%s", off);
	} else {
		finding_fix(f, "%s", off);
	}
}

/* ---- packet filter ---- */

bool cure_nft_name(const char *name)
{
	return *name && !strpbrk(name, "\"'\\*");
}

/* True for a chain that iptables made: those it manages itself. */
static bool of_iptables(const struct look_chain *c)
{
	static const char *const tables[] = { "filter", "mangle", "raw", "security", "nat" };
	static const char *const chains[] = { "FORWARD", "PREROUTING", "POSTROUTING" };
	bool table = false, chain = false;

	for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++)
		table |= !strcmp(c->table, tables[i]);
	for (unsigned i = 0; i < sizeof chains / sizeof *chains; i++)
		chain |= !strcmp(c->name, chains[i]);
	return table && chain && strcmp(c->family, "inet");
}

static bool identifier(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";

	return *s && !s[strspn(s, ok)];
}

void cure_chain(struct findings *f, const struct look_chain *c, const struct look_packet *p,
		uint8_t glen)
{
	bool v4 = addr_fam(&p->grp) == FAM_4, after = c->hook == HOOK_AFTER;
	const char *dev = after ? p->oif_name : p->iif_name;
	char word[WORD_LEN], text[ADDR_STRLEN], from[48] = "";

	prefix_str(&p->grp, glen, text);
	if (of_iptables(c)) {
		finding_fix(f, "%s%s%s -I %s%s%s -d %s -j ACCEPT", v4 ? "iptables" : "ip6tables",
			    strcmp(c->table, "filter") ? " -t " : "", strcmp(c->table, "filter") ? c->table : "",
			    c->name, dev ? after ? " -o " : " -i " : "", dev ? shell_word(dev, word) : "", text);
	} else if (identifier(c->table) && identifier(c->name)) {
		if (dev && cure_nft_name(dev))
			snprintf(from, sizeof from, "%s \"%s\" ", after ? "oifname" : "iifname", dev);
		finding_fix(f, "nft 'insert rule %s %s %s %s%s daddr %s accept'", c->family, c->table, c->name,
			    from, v4 ? "ip" : "ip6", text);
	}
}

/* ---- tables ---- */

void cure_table(struct findings *f, enum fam fam, const char *iif, uint32_t table)
{
	char word[WORD_LEN];

	finding_fix(f, "ip %smrule add iif %s lookup %lu", fam == FAM_4 ? "" : "-6 ", shell_word(iif, word),
		    (unsigned long)table);
}
