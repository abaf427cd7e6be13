/* SPDX-License-Identifier: ISC
 *
 * The commands against what stops a packet, each the smallest that helps: loose reverse path filtering before none, one
 * accepted group before an open chain.  ip_forward is not among them: multicast does not heed it (net/ipv4/ipmr.c).
 */
#include "applets/doctor/remedy.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char remedy_six[FAM_N][2] = { "", "6" };

bool remedy_is_among(const char *word, const char *const *list)
{
	while (*list && strcmp(word, *list))
		list++;
	return *list;
}

bool remedy_is_plain(const char *s, const char *others)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	const char *at = s;

	while (*at && (strchr(plain, *at) || strchr(others, *at)))
		at++;
	return at != s && !*at;
}

/* Appends the line that has a command run whenever an interface is up. */
static void __attribute__((format(printf, 3, 4)))
remedy_keep_up(struct findings *f, const char *name, const char *fmt, ...)
{
	struct buf b = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&b, fmt, ap);
	va_end(ap);
	if (kernel_word(WORD_INTERFACES, FAM_4))
		finding_keep(f, "%s, below iface %s: up %s", kernel_word(WORD_INTERFACES, FAM_4), name, buf_cstr(&b));
	buf_free(&b);
}

/* Appends the command that has a setting made at each start. */
static void remedy_keep_sysctl(struct findings *f, const char *key, int value)
{
	struct buf line = { 0 }, word = { 0 };

	buf_printf(&line, "%s = %d", key, value);
	buf_shell_word(&word, buf_cstr(&line));
	finding_keep(f, "echo %s >>/etc/sysctl.d/90-smcroute.conf", buf_cstr(&word));
	buf_free(&line);
	buf_free(&word);
}

void remedy_link(struct findings *f, const char *name, const char *what)
{
	const char *set = kernel_word(WORD_LINK_SET, FAM_4);
	char word[REMEDY_WORD];

	finding_fix(f, "%s %s %s", set, text_shell_word(word, sizeof word, name), what);
	if (strcmp(what, "up"))
		remedy_keep_up(f, name, "%s %s %s", set, word, what);
}

const char *remedy_where(uint32_t table, char *buf)
{
	if (table == PROBE_REFUSED)
		snprintf(buf, REMEDY_WHERE, "refused by a rule that `ip mrule` shows");
	else if (table)
		snprintf(buf, REMEDY_WHERE, "looked up in table %u", table);
	else
		snprintf(buf, REMEDY_WHERE, "looked up nowhere, as no rule of `ip mrule` is for them");
	return buf;
}

void remedy_table(struct findings *f, enum fam fam, const char *iif, const struct probe_lookup *now, uint32_t table)
{
	const char *dash = fam == FAM_4 ? "" : "-6 ";
	char word[REMEDY_WORD], pref[24] = "";

	/* It has to come before the rule that counts now; nothing comes before the first one. */
	if (now->table && !now->pref) {
		finding_fix(f, "ip %smrule del pref 0", dash);
		return;
	}
	if (now->table && now->pref < PROBE_LAST_PREF)
		snprintf(pref, sizeof pref, " pref %u", now->pref - 1);
	finding_fix(f, "ip %smrule add iif %s%s lookup %u", dash, text_shell_word(word, sizeof word, iif), pref, table);
	remedy_keep_up(f, iif, "ip %smrule add iif %s%s lookup %u", dash, word, pref, table);
}

/* ---- reverse path filter: __fib_validate_source() of net/ipv4/fib_frontend.c ---- */

bool remedy_rp_refuses(const struct host *h, const struct probe_link *in, const struct addr *src,
		       struct probe_route *r, char *why)
{
	if (addr_fam(src) != FAM_4 || in->rp_filter <= 0 || probe_route(src, r) < 0)
		return false;
	/* Loose is content with any route, but not on an interface without an address. */
	if (!r->none && (r->local || (in->rp_filter > 1 && in->address[FAM_4])))
		return false;
	for (unsigned i = 0; !r->none && i < r->n; i++)
		if (r->oif[i] == in->ifindex)
			return false;
	snprintf(why, RP_WHY, "%s%s%s%s", r->none ? "there is no route back" : "the route back leads elsewhere",
		 r->n ? " (" : "", r->n ? host_name(h, r->oif[0]) : "", r->n ? ")" : "");
	return true;
}

void remedy_sysctl(struct findings *f, enum fam fam, const char *name, const char *key, int value)
{
	char text[96], word[REMEDY_WORD + 32];

	/* With slashes where the name has a dot (sysctl(8)). */
	snprintf(text, sizeof text, strchr(name, '.') ? "net/ipv%c/conf/%s/%s" : "net.ipv%c.conf.%s.%s",
		 fam == FAM_4 ? '4' : '6', name, key);
	finding_fix(f, "sysctl -w %s=%d", text_shell_word(word, sizeof word, text), value);
	remedy_keep_sysctl(f, text, value);
}

bool remedy_rp_marks(const struct probe_link *in)
{
	char name[96];

	snprintf(name, sizeof name, "net/ipv4/conf/%s/src_valid_mark", in->name);
	return kernel_sysctl(name) > 0 || kernel_sysctl("net.ipv4.conf.all.src_valid_mark") > 0;
}

void remedy_rp_filter(struct host *h, const struct probe_link *in, const struct addr *src, uint8_t slen,
		      const struct probe_route *r)
{
	bool none = src && r->none, loose = src && !none && in->address[FAM_4];
	char word[REMEDY_WORD], text[ADDR_STRLEN], table[24] = "";

	/* The larger value of all and the interface counts, so 2 here is loose. */
	if (loose) {
		remedy_sysctl(&h->found, FAM_4, in->name, "rp_filter", 2);
		finding_or(&h->found);
	}
	if (none || loose) {
		/* By rules another table than the main one may be what is looked at. */
		if (r->table)
			snprintf(table, sizeof table, " table %u", r->table);
		finding_fix(&h->found, "ip route replace %s dev %s%s", prefix_str(src, slen, text),
			    text_shell_word(word, sizeof word, in->name), table);
		remedy_keep_up(&h->found, in->name, "ip route replace %s dev %s%s", text, word, table);
		finding_or(&h->found);
	}
	if (!loose && h->links.rp_all)
		remedy_sysctl(&h->found, FAM_4, "all", "rp_filter", 0);
	if (!loose && in->rp_own)
		remedy_sysctl(&h->found, FAM_4, in->name, "rp_filter", 0);
}

const char *remedy_nft_ifname(const char *way, const char *name, char *buf)
{
	size_t n = name ? strlen(name) : 0, at = 0, len = 1;

	/* nft has no way to write a quote or a control character in a string, and takes '*' for a wildcard. */
	while (at < n && len && !strchr("\"'\\*", name[at])) {
		len = text_printable_len(name + at, n - at, TEXT_KEEP_NONE);
		at += len;
	}
	buf[0] = '\0';
	if (n && at == n)
		snprintf(buf, REMEDY_NFT, "%sifname \"%s\" ", way, name);
	return buf;
}

/* ---- packet filters ---- */

/* True for a chain that iptables made: those it manages itself. */
static bool remedy_is_iptables(const struct probe_chain *c)
{
	static const char *const tables[] = { "filter", "mangle", "raw", "security", "nat", NULL };
	static const char *const chains[] = { "FORWARD", "PREROUTING", "POSTROUTING", NULL };

	return c->filter == PROBE_IPTABLES || c->filter == PROBE_IP6TABLES ||
	       (c->filter == PROBE_NFT && remedy_is_among(c->table, tables) && remedy_is_among(c->name, chains) &&
		c->family[0] == 'i' && strcmp(c->family, "inet"));
}

enum remedy_maker { MAKER_NFT, MAKER_IPTABLES, MAKER_LEGACY, MAKER_UFW, MAKER_DOCKER, MAKER_FIREWALLD, MAKER_FW4,
		    MAKER_TC };

static enum remedy_maker remedy_made_by(const struct probe_chain *c)
{
	const char *in = c->rule_chain ? c->rule_chain : "";

	if (c->filter == PROBE_TC)
		return MAKER_TC;
	if (remedy_is_iptables(c))
		return !strncmp(in, "ufw", 3) ? MAKER_UFW : !strncmp(in, "DOCKER", 6) ? MAKER_DOCKER :
		       c->filter == PROBE_NFT ? MAKER_IPTABLES : MAKER_LEGACY;
	return !strcmp(c->table, "firewalld") ? MAKER_FIREWALLD : !strcmp(c->table, "fw4") ? MAKER_FW4 : MAKER_NFT;
}

const char *remedy_maker(const struct probe_chain *c)
{
	static const char *const names[] = {
		[MAKER_NFT] = "nftables", [MAKER_IPTABLES] = "iptables", [MAKER_LEGACY] = "iptables-legacy",
		[MAKER_UFW] = "ufw", [MAKER_DOCKER] = "Docker", [MAKER_FIREWALLD] = "firewalld",
		[MAKER_FW4] = "fw4", [MAKER_TC] = "tc",
	};

	return names[remedy_made_by(c)];
}

const char *remedy_lasts(const struct probe_chain *c)
{
	static const char *const where[] = {
		[MAKER_NFT] = "the command as a line at the end of /etc/nftables.conf",
		[MAKER_IPTABLES] = "iptables-save and ip6tables-save into /etc/iptables",
		[MAKER_LEGACY] = "iptables-legacy-save and ip6tables-legacy-save into /etc/iptables",
		[MAKER_UFW] = "ufw route allow to the group",
		[MAKER_DOCKER] = "the command whenever Docker has started",
		[MAKER_FIREWALLD] = "a policy with a rich rule, firewall-cmd --permanent",
		[MAKER_FW4] = "a rule in /etc/config/firewall",
		[MAKER_TC] = "in the script that makes the filter",
	};

	return where[remedy_made_by(c)];
}

static void remedy_iptables(struct findings *f, const struct probe_chain *c, const struct probe_packet *p,
			    const char *group)
{
	const char *six = remedy_six[flow_fam(&p->flow)], *kind = c->filter == PROBE_NFT ? "" : "-legacy";
	/* What is forwarded has no inbound interface of its own in IPv6, before Linux 6.17 (ip6mr_forward2()). */
	bool is_out = c->hook == HOOK_AFTER || (c->hook == HOOK_FORWARD && *six);
	bool is_filter = !strcmp(c->table, "filter");
	const char *dev = is_out ? p->oif_name : p->iif_name;
	char word[REMEDY_WORD];

	finding_fix(f, "ip%stables%s%s%s -I %s%s%s -d %s -j ACCEPT", six, kind, is_filter ? "" : " -t ",
		    is_filter ? "" : c->table, c->name, dev ? is_out ? " -o " : " -i " : "",
		    dev ? text_shell_word(word, sizeof word, dev) : "", group);
}

/* firewalld owns its table, so that nobody else may add a rule. */
static void remedy_firewalld(struct findings *f, const struct probe_packet *p, const char *group)
{
	const char *family = flow_fam(&p->flow) == FAM_4 ? "ipv4" : "ipv6";

	finding_fix(f, "firewall-cmd --permanent --new-policy multicast");
	finding_fix(f, "firewall-cmd --permanent --policy multicast --add-ingress-zone ANY");
	finding_fix(f, "firewall-cmd --permanent --policy multicast --add-egress-zone ANY");
	finding_fix(f, "firewall-cmd --permanent --policy multicast --add-rich-rule 'rule family=%s destination "
		    "address=%s accept'", family, group);
	finding_fix(f, "firewall-cmd --reload");
}

#define REMEDY_TC (REMEDY_WORD + 48)

/* Where tc finds a filter. */
static const char *remedy_tc(const struct probe_chain *c, char place[REMEDY_TC])
{
	char word[REMEDY_WORD];
	int n;

	if (c->tc.block)
		n = snprintf(place, REMEDY_TC, "block %u", c->tc.block);
	else
		n = snprintf(place, REMEDY_TC, "dev %s %s", text_shell_word(word, sizeof word, c->table), c->name);
	if (c->tc.chain)
		snprintf(place + n, REMEDY_TC - (size_t)n, " chain %u", c->tc.chain);
	return place;
}

void remedy_chain_show(struct findings *f, const struct probe_chain *c)
{
	char place[REMEDY_TC];

	if (c->filter == PROBE_TC)
		finding_fix(f, "tc -s filter show %s", remedy_tc(c, place));
	else if (c->filter != PROBE_NFT)
		finding_fix(f, "ip%stables-legacy -t %s -nvL", c->filter == PROBE_IPTABLES ? "" : "6", c->table);
	else if (remedy_is_plain(c->table, "_-./") && remedy_is_plain(c->name, "_-./"))
		finding_fix(f, "nft -a list chain %s %s %s", c->family, c->table, c->name);
	else
		finding_fix(f, "nft -a list ruleset");
}

void remedy_chain(struct findings *f, const struct probe_chain *c, const struct probe_packet *p, uint8_t glen)
{
	const char *six = remedy_six[flow_fam(&p->flow)];
	bool is_out = c->hook == HOOK_AFTER || (c->hook == HOOK_FORWARD && *six);
	bool has_dev = c->hook == HOOK_BEFORE || c->hook == HOOK_FORWARD || c->hook == HOOK_AFTER;
	char place[REMEDY_TC], text[ADDR_STRLEN], match[REMEDY_NFT] = "";

	prefix_str(&p->flow.group, glen, text);
	if (c->filter == PROBE_TC) {
		finding_fix(f, "tc filter del %s pref %llu", remedy_tc(c, place), (unsigned long long)c->rule);
	} else if (remedy_is_iptables(c)) {
		remedy_iptables(f, c, p, text);
	} else if (c->is_owned && !strcmp(c->table, "firewalld")) {
		remedy_firewalld(f, p, text);
	} else if (c->is_owned || !remedy_is_plain(c->table, "_-./") || !remedy_is_plain(c->name, "_-./")) {
		remedy_chain_show(f, c);
	} else {
		if (has_dev)
			remedy_nft_ifname(is_out ? "o" : "i", is_out ? p->oif_name : p->iif_name, match);
		finding_fix(f, "nft 'insert rule %s %s %s %sip%s daddr %s accept'", c->family, c->table, c->name,
			    match, six, text);
	}
}

void remedy_v6(struct findings *f, const struct probe_link *l)
{
	if (l && l->mtu < REMEDY_V6_MTU)
		remedy_link(f, l->name, "mtu 1280");
	if (!l || l->mtu < REMEDY_V6_MTU)
		return;
	if (kernel_word(WORD_V6_ON, FAM_6))
		remedy_link(f, l->name, kernel_word(WORD_V6_ON, FAM_6));
	else
		remedy_sysctl(f, FAM_6, l->name, "disable_ipv6", 0);
}
