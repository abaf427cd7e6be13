/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_out.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "applets/doctor/advise_bridge.h"
#include "applets/doctor/advise_filter.h"
#include "applets/doctor/advise_link.h"
#include "applets/doctor/advise_rule.h"

#define TTL_SET 16		/* what a mangled TTL becomes: enough for a site, not for ever */

/* The command that changes packets of the group as they come in. */
static void advise_out_mangle(struct advice *r, const char *chain, const char *from, const char *match, const char *set)
{
	const char *six = remedy_six[r->fam];

	finding_fix(r->f, "nft 'add table ip%s smcroute; add chain ip%s smcroute %s { type filter hook prerouting "
		    "priority -150; }; add rule ip%s smcroute %s %sip%s daddr %s %s%s'", six, six, chain, six, chain,
		    from, six, r->group, match, set);
	finding_keep(r->f, "nft list table ip%s smcroute >>/etc/nftables.conf", six);
}

/* True when what leaves by an output may come in here again: a TTL that is raised each time would never end. */
static bool advise_out_returns(const struct advice *r, const struct evidence_out *o)
{
	const struct probe_link *out = host_link(&r->d->host, o->ifindex);

	for (unsigned i = 0; i < r->x->e.nouts; i++)
		if (r->x->e.out[i].ifindex == r->x->in)
			return true;
	return out && advise_rule_waits(r, out);
}

/* The commands that raise the TTL of those packets that have exactly the one they come with. */
static void advise_out_raise(struct advice *r, const struct evidence_out *o, unsigned ttl)
{
	bool v4 = r->fam == FAM_4;
	unsigned to = o->threshold >= TTL_SET ? o->threshold + 1u : TTL_SET;
	const char *key = v4 ? "ip ttl" : "ip6 hoplimit";
	char match[32], set[48], from[REMEDY_NFT];

	if (to > 255)
		return;
	snprintf(match, sizeof match, "%s %u ", key, ttl);
	snprintf(set, sizeof set, "%s set %u", key, to);
	advise_out_mangle(r, "raise", remedy_nft_ifname("i", r->in ? r->in_name : NULL, from), match, set);
	finding_or(r->f);
	finding_fix(r->f, "ip%stables -t mangle -A PREROUTING%s%s -d %s %s %u -j %s %u", remedy_six[r->fam],
		    r->in ? " -i " : "", r->in ? r->in_word : "", r->group, v4 ? "-m ttl --ttl-eq" : "-m hl --hl-eq",
		    ttl, v4 ? "TTL --ttl-set" : "HL --hl-set", to);
}

static void advise_out_ttl(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	bool is_seen = r->x->e.is_seen && r->x->here, returns = advise_out_returns(r, o);
	unsigned ttl = is_seen ? r->x->here->ttl_min : 1;
	char text[48] = "";

	if (is_seen)
		snprintf(text, sizeof text, " with a %s of %u", r->fam == FAM_4 ? "TTL" : "hop limit", ttl);
	finding_add(r->f, FINDING_ERROR, "TTL too small: %s%s, and to leave by %s it must "
		    "be above %u; raise it at the sender (IP_MULTICAST_TTL, ping -t)%s",
		    advice_came(r, l), text, r->outs,
		    o->threshold,
		    returns ? ", not here: what leaves there comes in again, and nothing else would ever end it" :
		    o->threshold > 1 ? ", or lower the ttl-threshold of the output in the file" :
		    ", or have this host raise it as they come in");
	if (!returns && (is_seen || o->threshold <= 1))
		advise_out_raise(r, o, ttl);
	else
		advice_tcpdump(r, r->in_word);
}

void advise_out_ttl_too(struct advice *r)
{
	const struct probe_links *links = &r->d->host.links;
	struct evidence_out o = { .threshold = 1 };
	bool returns = false;

	for (const struct probe_link *l = links->v; l < links->v + links->n; l++)
		returns |= l != r->in && advise_rule_waits(r, l);
	finding_add(r->f, FINDING_ERROR, "TTL too small as well: what comes of %s on %s has a %s of 1, and no output "
		    "sends that; raise it at the sender (IP_MULTICAST_TTL, ping -t)%s", r->flow, r->in_name,
		    r->fam == FAM_4 ? "TTL" : "hop limit", returns ? "" :
		    ", or have this host raise it as they come in");
	if (returns)
		advice_tcpdump(r, r->in_word);
	else
		advise_out_raise(r, &o, 1);
}

static void advise_out_ttl_changed(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	static const struct advise_hooks at = { NULL, HOOK_PORT_INGRESS, HOOK_BEFORE, false };
	const char *six = remedy_six[r->fam];
	struct buf who = { 0 };

	(void)o;
	if (!advise_filter_names(r, &at, ADVISE_FATE(FATE_LOWERED), &who))
		buf_str(&who, "; most likely a rule here lowers it before routing, but none that does so for sure was "
			"found: look at the packet filter, at tc, and at the policies of IPsec");
	finding_add(r->f, FINDING_ERROR, "refused at the output: %s with a %s of %u or more, and "
		    "%s took none of them%s", advice_came(r, l),
		    *six ? "hop limit" : "TTL", r->x->here ? r->x->here->ttl_min : 0, r->outs, buf_cstr(&who));
	advise_filter_fix(r, &at, ADVISE_FATE(FATE_LOWERED), true);
	if (buf_cstr(&who)[0] == ';') {
		finding_fix(r->f, "nft list ruleset | grep -niE 'ttl|hoplimit'");
		finding_fix(r->f, "ip%stables -t mangle -nvL PREROUTING", six);
		finding_fix(r->f, "tc -s filter show dev %s ingress", r->in_word);
		finding_fix(r->f, "ip xfrm policy");
	}
	buf_free(&who);
}

/* Where the kernel looks up a route to the group for an output, it finds none (ip6mr_forward2(); ipmr_queue_xmit(),
 * where that is so only of an interface that has no IPv4 at all). */
static void advise_out_route(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	const struct probe_link *out = host_link(&r->d->host, o->ifindex);
	struct probe_route way = { .why = ENETUNREACH };
	bool is_lacking;
	const char *dash = r->fam == FAM_4 ? "" : "-6 ";
	char word[REMEDY_WORD];

	if (!out)
		return;
	text_shell_word(word, sizeof word, out->name);
	probe_route_out(&r->x->w->flow.group, o->ifindex, &way);
	is_lacking = r->fam == FAM_6 && way.why == ENETUNREACH;
	finding_add(r->f, FINDING_ERROR, "no route to the group: %s, and this host has no route by "
		    "which it may send to %s out of %s (%s)%s", advice_came(r, l), r->group,
		    out->name, way.why ? strerror(way.why) : "a route that rejects", is_lacking ?
		    "; each interface with IPv6 has one to ff00::/8, which somebody took away" : "");
	if (is_lacking) {
		finding_fix(r->f, "ip -6 route replace multicast ff00::/8 dev %s table local", word);
	} else {
		finding_fix(r->f, "ip %srule show", dash);
		finding_fix(r->f, "ip %sroute show table all type multicast", dash);
	}
}

static void advise_out_ipsec(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	finding_add(r->f, FINDING_ERROR, "kept by IPsec: %s and did not leave by %s, and the "
		    "policies of IPsec of this host refused %llu packets on their way out meanwhile; look for one that "
		    "holds %s", advice_came(r, l), host_name(&r->d->host, o->ifindex),
		    (ull)r->x->e.ipsec, r->group);
	finding_fix(r->f, "ip xfrm policy");
	finding_fix(r->f, "grep XfrmOut /proc/net/xfrm_stat");
}

/* A tunnel's MTU is what its packets have room for: there the packets must be cut. */
static const char *const advise_tunnels[] = {
	"wireguard", "gre", "gretap", "ip6gre", "ip6gretap", "ipip", "sit", "ip6tnl", "vti", "vti6", "vxlan", "geneve",
	"tun", "xfrm", "ppp", NULL
};

static void advise_out_mtu(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	const struct probe_link *out = host_link(&r->d->host, o->ifindex);
	uint32_t need = r->in ? r->in->mtu : 0, largest = r->x->here ? r->x->here->len_max : 0;
	char text[40] = "", word[REMEDY_WORD];

	if (!out)
		return;
	text_shell_word(word, sizeof word, out->name);
	if (largest)
		snprintf(text, sizeof text, " of up to %u bytes", largest);
	if (largest > need)
		need = largest;
	if (largest ? largest <= out->mtu : r->in && r->in->mtu <= out->mtu) {
		finding_add(r->f, FINDING_ERROR, "too large for the route: %s of %s%s came in on %s and must not be "
			    "fragmented; %s has room for them, so the route has an MTU of its own",
			    advice_count(r, l), r->flow, text, r->in_name, out->name);
		finding_fix(r->f, "ip %sroute get %s oif %s", r->fam == FAM_4 ? "" : "-6 ", r->group, word);
		return;
	}
	finding_add(r->f, FINDING_ERROR, "too large for the output: %s of %s%s came in on %s and must not be "
		    "fragmented, the MTU of %s is %u; send smaller ones, or raise it", advice_count(r, l), r->flow,
		    text, r->in_name, out->name, out->mtu);
	if (!remedy_is_among(out->kind, advise_tunnels)) {
		snprintf(text, sizeof text, "mtu %u", need);
		remedy_link(r->f, out->name, text);
	} else if (r->fam == FAM_4) {
		advise_out_mangle(r, "cut", "", "", "ip frag-off set 0");
	} else {
		finding_fix(r->f, "ip -s link show dev %s", word);
	}
}

/* Behind routing, on the way to an output, or behind that to the ports of a bridge. */
static struct advise_hooks advise_out_hooks(const struct evidence_out *o)
{
	if (o->ports == FILTER_DROPS && o->filter != FILTER_DROPS)
		return (struct advise_hooks){ o, HOOK_PORT_OUT, HOOK_PORT_EGRESS, false };
	return (struct advise_hooks){ o, HOOK_FORWARD, HOOK_EGRESS, false };
}

static void advise_out_firewall(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	const struct advise_hooks at = advise_out_hooks(o);

	advise_filter_dropped(r, &at, l);
}

static void advise_out_down(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	const struct probe_link *out = host_link(&r->d->host, o->ifindex);
	char why[ADVISE_WHY];

	finding_add(r->f, FINDING_ERROR, "an output takes none: %s, and %s %s",
		    advice_came(r, l), host_name(&r->d->host, o->ifindex),
		    out ? advise_link_trouble(r, out, why) : "is gone");
	if (out)
		advise_link_mend(r, out);
}

static void advise_out_family(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	const struct probe_link *out = host_link(&r->d->host, o->ifindex);
	bool is_small = out && out->mtu < REMEDY_V6_MTU;

	finding_add(r->f, FINDING_ERROR, "IPv6 is off on %s: %s of %s should leave there%s", out ? out->name : "?",
		    advice_count(r, l), r->flow, is_small ? "; its MTU is less than the 1280 that IPv6 needs" : "");
	remedy_v6(r->f, out);
}

static void advise_out_lost(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	const char *out = host_name(&r->d->host, o->ifindex);
	const struct advise_hooks at = advise_out_hooks(o);
	const unsigned may = ADVISE_FATE(FATE_UNKNOWN) | ADVISE_FATE(FATE_BY_CHANCE);
	struct buf who = { 0 };
	char word[REMEDY_WORD];

	if (advise_filter_gone(r, &at, l))
		return;
	text_shell_word(word, sizeof word, out);
	if (!advise_filter_names(r, &at, may, &who))
		buf_str(&who, "; nothing that drops them for sure was found, look here");
	if (o->is_hidden && !r->x->e.is_seen)
		buf_str(&who, "; whether their TTL is too small is not to be seen without CAP_NET_RAW");
	advise_filter_counted(r, o->ifindex, &who);
	finding_add(r->f, FINDING_ERROR, "lost on the way out: %s, were routed to %s and not sent"
		    "%s", advice_came(r, l), out, buf_cstr(&who));
	buf_free(&who);
	advise_filter_fix(r, &at, may, false);
	if (o->filter == FILTER_UNSEEN)
		finding_fix(r->f, "nft list ruleset");
	finding_fix(r->f, "tc -s qdisc show dev %s", word);
	finding_fix(r->f, "tc filter show dev %s egress", word);
	finding_fix(r->f, "%s %s", kernel_word(WORD_LINK_COUNTS, r->d->fam), word);
}

/* Behind routing they get another group. */
static void advise_out_changed(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	const struct advise_hooks at = advise_out_hooks(o);
	struct buf who = { 0 };

	advise_filter_names(r, &at, ADVISE_FATE(FATE_CHANGED), &who);
	finding_add(r->f, FINDING_ERROR, "sent to another address: %s, were routed to %s and have "
		    "another group as they leave%s", advice_came(r, l),
		    host_name(&r->d->host, o->ifindex), buf_cstr(&who));
	buf_free(&who);
	advise_filter_fix(r, &at, ADVISE_FATE(FATE_CHANGED), false);
}

/* Its queue dropped as many: of whatever flow, but these are among them. */
static void advise_out_queue(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	const struct probe_link *out = host_link(&r->d->host, o->ifindex);
	char word[REMEDY_WORD];

	if (!out)
		return;
	finding_add(r->f, FINDING_ERROR, "dropped by the queue of %s: %s, were routed there and not sent,"
		    " and its queue (%s) dropped %llu packets meanwhile: what it is set to, or the link, "
		    "is too slow for all that leaves there", out->name, advice_came(r, l),
		    out->queue, (ull)o->queue_drops);
	finding_fix(r->f, "tc -s qdisc show dev %s", text_shell_word(word, sizeof word, out->name));
	finding_or(r->f);
	finding_fix(r->f, "tc qdisc del dev %s root", word);
}

/* Its counter of packets sent has fewer. */
static void advise_out_driver(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	static const char *const peers[] = { "wireguard", NULL }, *const pairs[] = { "veth", NULL };
	const struct probe_link *out = host_link(&r->d->host, o->ifindex);
	char word[REMEDY_WORD];

	if (!out)
		return;
	finding_add(r->f, FINDING_ERROR, "dropped by the driver of %s: %s, were handed to it and it did not send "
		    "them; %s", out->name, advice_came(r, l),
		    remedy_is_among(out->kind, peers) ? "the AllowedIPs of one peer must hold the group" :
		    remedy_is_among(out->kind, pairs) ? "look at its other end: its MTU, and whether it is up" :
		    "look at its other end, and at what it counts as dropped");
	text_shell_word(word, sizeof word, out->name);
	finding_fix(r->f, "%s %s", kernel_word(WORD_LINK_COUNTS, r->d->fam), word);
	if (remedy_is_among(out->kind, peers))
		finding_fix(r->f, "wg show %s allowed-ips", word);
}

static void advise_out_unsure(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	finding_add(r->f, FINDING_UNSEEN, "whether %s sends %s: up to %llu of %llu packets may be lost, other traffic "
		    "counts on the same counters%s; %s", r->outs, r->flow, (ull)l->n, (ull)l->of,
		    o->bridge && o->is_unwanted ? ", and the bridge there knows of nobody who joined" : "",
		    r->d->sniffs ? "most of what was counted did not show, as this machine was busy or its hardware "
		    "forwards by itself: a longer look may tell" :
		    "with CAP_NET_RAW the packets themselves are looked at");
	if (r->d->sniffs)
		finding_fix(r->f, "smcroute-check doctor %s 30", r->group);
	else
		advice_root(r);
}

void advise_out(struct advice *r, const struct evidence_out *o, const struct loss *l)
{
	static void (*const say[VERDICTS])(struct advice *, const struct evidence_out *, const struct loss *) = {
		[VERDICT_TTL] = advise_out_ttl, [VERDICT_TTL_CHANGED] = advise_out_ttl_changed,
		[VERDICT_ROUTE] = advise_out_route, [VERDICT_IPSEC] = advise_out_ipsec,
		[VERDICT_MTU] = advise_out_mtu, [VERDICT_FIREWALL] = advise_out_firewall,
		[VERDICT_LIMIT] = advise_out_firewall, [VERDICT_QUEUE] = advise_out_queue,
		[VERDICT_DRIVER] = advise_out_driver, [VERDICT_CHANGED] = advise_out_changed,
		[VERDICT_OUTPUT] = advise_out_down, [VERDICT_FAMILY] = advise_out_family,
		[VERDICT_NOBODY] = advise_bridge_nobody, [VERDICT_PORT] = advise_bridge_port,
		[VERDICT_LOST_OUT] = advise_out_lost, [VERDICT_UNSURE] = advise_out_unsure,
	};

	say[l->verdict](r, o, l);
}
