/* SPDX-License-Identifier: ISC
 *
 * What a verdict means for the flow at hand, in words, and the commands that
 * mend it, ready to paste.
 */
#include "applets/doctor.h"

#include <stdio.h>
#include <string.h>

#include "applets/cure.h"

#define TTL_SET 16		/* what a mangled TTL becomes: enough for a site, not for ever */

/* ---- verdicts ---- */

typedef unsigned long long ull;

static void names(struct buf *b, const struct report *r)
{
	for (unsigned i = 0; i < r->w->e.noifs; i++)
		buf_printf(b, "%s%s", i ? " " : "", host_name(&r->d->host, r->w->e.oif[i]));
}

static void fine(struct report *r)
{
	struct buf b = { 0 };

	names(&b, r);
	finding_add(r->f, FINDING_GOOD, "fine", "forwarded: %s came in on %s (%llu packets) and went out on %s",
		    r->flow, r->in_name, (ull)r->w->d.right, buf_cstr(&b));
	buf_free(&b);
	for (unsigned i = 0; i < r->w->e.noifs; i++) {
		const struct look_link *l = host_link(&r->d->host, r->w->e.oif[i]);

		if (l && !strcmp(l->kind, "wireguard"))
			finding_add(r->f, FINDING_NOTE, "wireguard", "the peer on %s gets them only when its AllowedIPs "
				    "hold %s", l->name, r->grp);
		else if (l && l->snooping == 1 && l->querier == 0)
			finding_add(r->f, FINDING_NOTE, "snooping", "%s snoops and nobody on it asks for members, so it "
				    "may forget who wants them", l->name);
	}
}

static void ttl(struct report *r)
{
	const char *out = host_name(&r->d->host, r->w->worst), *match = r->in_name;
	bool v4 = r->d->fam == FAM_4, quoted = r->in && cure_nft_name(match);
	unsigned set = r->w->d.threshold >= TTL_SET ? r->w->d.threshold + 1u : TTL_SET;
	char seen[48] = "", word[WORD_LEN];

	if (r->w->sniffed)
		snprintf(seen, sizeof seen, " with a %s of %u", v4 ? "TTL" : "hop limit", r->w->ttl_max);
	finding_add(r->f, FINDING_ERROR, "ttl", "TTL too small: %llu packets of %s came in on %s%s, %s sends only those "
		    "above %u; raise it at the sender (IP_MULTICAST_TTL, ping -t), or here with care: it is what "
		    "ends loops", (ull)r->w->d.right, r->flow, r->in_name, seen, out, r->w->d.threshold);
	if (set > 255)
		return;
	finding_fix(r->f, "nft 'add table %s smcroute; add chain %s smcroute ttl { type filter hook prerouting priority "
		    "-150; }; add rule %s smcroute ttl %s%s%s%s daddr %s %s set %u'", v4 ? "ip" : "ip6",
		    v4 ? "ip" : "ip6", v4 ? "ip" : "ip6", quoted ? "iifname \"" : "", quoted ? match : "",
		    quoted ? "\" " : "", v4 ? "ip" : "ip6", r->grp, v4 ? "ip ttl" : "ip6 hoplimit", set);
	finding_or(r->f, "%s -t mangle -A PREROUTING%s%s -d %s -j %s %u", v4 ? "iptables" : "ip6tables",
		   r->in ? " -i " : "", r->in ? shell_word(match, word) : "", r->grp, v4 ? "TTL --ttl-set" : "HL --hl-set", set);
}

/* A tunnel's MTU is what its packets have room for: there the packets must be cut. */
static bool is_tunnel(const struct look_link *l)
{
	static const char *const kinds[] = { "wireguard", "gre", "gretap", "ip6gre", "ip6gretap", "ipip", "sit", "ip6tnl",
					     "vti", "vti6", "vxlan", "geneve", "tun", "xfrm", "ppp" };

	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (!strcmp(l->kind, kinds[i]))
			return true;
	return false;
}

static void mtu(struct report *r)
{
	const struct host *h = &r->d->host;
	const struct look_link *out = host_link(h, r->w->worst);
	uint32_t need = r->in ? r->in->mtu : 0;
	char word[WORD_LEN], seen[40] = "";

	for (unsigned i = 0; i < r->w->e.noifs; i++) {
		const struct look_link *l = host_link(h, r->w->e.oif[i]);

		if (l && (!out || l->mtu < out->mtu))
			out = l;
	}
	if (!out)
		return;
	if (r->w->len) {
		snprintf(seen, sizeof seen, " of up to %lu bytes", (unsigned long)r->w->len);
		need = r->w->len > need ? r->w->len : need;
	}
	finding_add(r->f, FINDING_ERROR, "mtu", "too large for the output: %llu packets of %s%s came in on %s and must not "
		    "be fragmented, the MTU of %s is %lu; send smaller ones, or raise it", (ull)r->w->d.right,
		    r->flow, seen, r->in_name, out->name, (unsigned long)out->mtu);
	if (!is_tunnel(out))
		finding_fix(r->f, "ip link set dev %s mtu %lu", shell_word(out->name, word), (unsigned long)need);
	else if (r->d->fam == FAM_4)
		finding_fix(r->f, "nft 'add table ip smcroute; add chain ip smcroute df { type filter hook prerouting "
			    "priority -150; }; add rule ip smcroute df ip daddr %s ip frag-off set 0'", r->grp);
}

static void rp_filter(struct report *r)
{
	const struct host *h = &r->d->host;
	const struct look_link *in = r->in;
	struct look_route route = { 0 };
	const char *why = NULL;

	for (uint32_t i = 0; !in && i < h->links.n; i++)
		if (h->links.v[i].rp_filter > 0)
			in = &h->links.v[i];
	if (!in)
		return;
	if (r->w && r->w->sniffed)
		why = cure_rp_reason(in, &r->w->src, &route);
	finding_add(r->f, FINDING_ERROR, "rp_filter", "refused by the reverse path filter: %s comes in on %s, rp_filter is "
		    "%d there and %s%s%s%s", r->flow, in->name, in->rp_filter, why ? why :
		    "packets are refused for their source", why && route.n ? " (" : "",
		    why && route.n ? host_name(h, route.oif[0]) : "", why && route.n ? ")" : "");
	cure_rp_filter(r->f, h, in, why ? &r->w->src : NULL, 128, &route);
}

static void wrong_iif(struct report *r)
{
	finding_add(r->f, FINDING_ERROR, "wrong_iif", "wrong input interface: %s arrives on %s (%llu packets), its entry "
		    "waits for it on %s", r->flow, r->in_name, (ull)r->w->d.wrong,
		    host_name(&r->d->host, r->w->e.iif));
	report_fix_rule(r, true);
}

static void no_vif(struct report *r)
{
	seen_t taken = r->d->host.links.taken[r->d->fam];

	finding_add(r->f, FINDING_ERROR, "no_vif", "arrives where nothing is routed: %s on %s (%llu packets%s), %s",
		    r->flow, r->in_name, (ull)r->w->d.arrived, r->w->d.seen ? "" : ", of any group", taken == 0 ?
		    "no multicast router runs here" : "which no rule names as its input");
	report_fix_rule(r, false);
}

static void no_rule(struct report *r)
{
	finding_add(r->f, FINDING_ERROR, "no_rule", r->w->d.unresolved ? "no rule: %s arrives on %s, and the router that "
		    "was asked has not answered" : "no rule: %s arrives on %s and its entry has no output", r->flow,
		    r->in_name);
	report_fix_rule(r, false);
}

static void table(struct report *r)
{
	const struct host *h = &r->d->host;
	const struct look_vif *v = r->in ? host_vif(h, r->d->fam, r->in->ifindex, 0) : NULL;
	uint32_t there = v ? v->table : r->w->entry ? r->w->e.table : 0, now = 0;

	/* MIFs of other tables cannot be seen; the router of IPv4 has the same number (-t). */
	for (int i = 0; !there && i < h->nvifs[FAM_4]; i++)
		if (r->in && h->vifs[FAM_4][i].ifindex == r->in->ifindex)
			there = h->vifs[FAM_4][i].table;
	if (r->in)
		kernel_look_table(r->d->fam, r->in->name, &now);
	finding_add(r->f, FINDING_ERROR, "table", "looked up in another table: %s arrives on %s and is looked up in table "
		    "%lu, the routes are in table %lu", r->flow, r->in_name, (unsigned long)now,
		    (unsigned long)there);
	if (r->in && there)
		cure_table(r->f, r->d->fam, r->in->name, there);
}

struct chains {
	struct report *r;
	const struct look_packet *p;
	unsigned n;
	bool surely;			/* only those that surely drop it */
};

static void chain(void *ctx, const struct look_chain *c)
{
	struct chains *s = ctx;

	if (c->surely != s->surely)
		return;
	cure_chain(s->r->f, c, s->p, 128);
	s->n++;
}

static void firewall(struct report *r)
{
	const struct flow *w = r->w;
	const struct host *h = &r->d->host;
	struct look_packet p = { .src = w->src, .grp = r->d->grp, .any_source = w->any };
	struct chains s = { .r = r, .p = &p, .surely = true };
	bool before = !w->d.right;
	char word[WORD_LEN];

	if (r->in) {
		p.iif = r->in->ifindex;
		p.iif_name = r->in->name;
	}
	finding_add(r->f, FINDING_ERROR, "firewall", before ? "dropped by the packet filter: %s came in on %s (%llu "
		    "packets) and got as far as no entry" : "dropped by the packet filter: %s came in on %s (%llu "
		    "packets), was routed and not sent", r->flow, r->in_name, (ull)(before ? w->d.arrived : w->d.right));
	/* Chains that surely drop it, else those that may. */
	for (int pass = 0; h->nft && pass < 2 && !s.n; pass++, s.surely = false)
		for (unsigned i = 0; i < (before ? 1u : w->e.noifs); i++) {
			p.oif = before ? 0 : w->e.oif[i];
			p.oif_name = before ? NULL : host_name(h, w->e.oif[i]);
			for (enum look_hook hook = before ? HOOK_BEFORE : HOOK_FORWARD;
			     hook <= (before ? HOOK_BEFORE : HOOK_AFTER); hook++)
				kernel_nft_judge(h->nft, hook, &p, chain, &s);
		}
	if (!s.n && !before && (!h->nft || kernel_look_iptables(r->d->fam) != 0))
		finding_fix(r->f, "%s%s -I FORWARD -i %s -d %s -j ACCEPT", r->d->fam == FAM_4 ? "iptables" : "ip6tables",
			    kernel_look_iptables(r->d->fam) == 1 ? "-legacy" : "", shell_word(r->in_name, word), r->grp);
}

static void output(struct report *r)
{
	const struct look_link *l = host_link(&r->d->host, r->w->worst);
	char word[WORD_LEN];
	bool down = l && !(l->flags & LINK_UP);

	finding_add(r->f, FINDING_ERROR, "output", "an output takes none: %llu packets of %s came in on %s, %s sent none of "
		    "them%s", (ull)r->w->d.right, r->flow, r->in_name, l ? l->name : "?", down ? ": it is down" : "");
	if (down)
		finding_fix(r->f, "ip link set dev %s up", shell_word(l->name, word));
}

/* ---- nothing arrives ---- */

/* One interface where it should arrive. */
static void nothing_on(struct report *r, const struct look_link *l)
{
	char word[WORD_LEN];

	shell_word(l->name, word);
	if (!(l->flags & LINK_UP) || !(l->flags & LINK_MULTICAST)) {
		finding_add(r->f, FINDING_ERROR, "nothing", "nothing arrives: %s on %s, which is %s", r->flow, l->name,
			    l->flags & LINK_UP ? "without the MULTICAST flag" : "down");
		finding_fix(r->f, "ip link set dev %s up multicast on", word);
	} else if (!(l->flags & LINK_RUNNING)) {
		finding_add(r->f, FINDING_ERROR, "nothing", "nothing arrives: %s on %s, which has no carrier", r->flow,
			    l->name);
	} else {
		seen_t member = kernel_look_member(l->ifindex, &r->d->grp);

		finding_add(r->f, FINDING_ERROR, "nothing", "nothing arrives: no packet of %s on %s within %u s; %s", r->flow,
			    l->name, r->d->seconds, member == 0 ? "this host is no member there, so a switch that snoops "
			    "keeps the group away" : "look at the sender, its TTL, and the switches between");
		if (member == 0 && r->d->host.links.taken[r->d->fam] == 1)
			finding_fix(r->f, "smcroutectl join %s %s", word, r->grp);
		finding_or(r->f, "ip link set dev %s promisc on", word);
	}
}

/* True when an entry or a rule waits for the group on an interface. */
static bool expected(const struct report *r, const struct look_link *l)
{
	const struct conf *c = r->d->host.conf;

	for (unsigned i = 0; i < r->d->nflows; i++)
		if (r->d->flows[i].entry && r->d->flows[i].e.iif == l->ifindex)
			return true;
	for (uint32_t i = 0; i < c->nmroutes; i++)
		if (host_means(&c->names[c->mroutes[i].iif], l) && report_covers(r, &c->mroutes[i]))
			return true;
	return false;
}

static void nothing(struct report *r)
{
	const struct look_links *links = &r->d->host.links;
	bool any = false;

	for (uint32_t i = 0; i < links->n; i++)
		if (expected(r, &links->v[i])) {
			any = true;
			nothing_on(r, &links->v[i]);
		}
	if (!any)
		finding_add(r->f, FINDING_ERROR, "nothing", "nothing arrives: no packet of %s within %u s, and no rule tells "
			    "where it should; look at the sender, its TTL, and the switches between", r->flow,
			    r->d->seconds);
}

enum verdict doctor_report(struct doctor *d, const struct flow *w)
{
	static void (*const say[VERDICTS])(struct report *r) = {
		[VERDICT_FINE] = fine, [VERDICT_NOTHING] = nothing, [VERDICT_TTL] = ttl, [VERDICT_MTU] = mtu,
		[VERDICT_RP_FILTER] = rp_filter, [VERDICT_WRONG_IIF] = wrong_iif, [VERDICT_NO_VIF] = no_vif,
		[VERDICT_NO_RULE] = no_rule, [VERDICT_FIREWALL] = firewall, [VERDICT_TABLE] = table,
		[VERDICT_OUTPUT] = output,
	};
	struct report r = { .d = d, .w = w, .f = &d->host.found };
	enum verdict v = w ? verdict_of(&w->d) : VERDICT_NOTHING;

	if (w && !w->any)
		addr_str(&w->src, r.src);
	addr_str(&d->grp, r.grp);
	snprintf(r.flow, sizeof r.flow, "(%s, %s)", r.src[0] ? r.src : "*", r.grp);
	r.in = w ? host_link(&d->host, w->in) : NULL;
	r.in_name = r.in ? r.in->name : "?";
	say[v](&r);
	return v;
}

void doctor_report_local(struct doctor *d)
{
	char text[ADDR_STRLEN];

	finding_add(&d->host.found, FINDING_ERROR, "local", "never forwarded: %s is of link-local scope, which no router "
		    "forwards; a reflector or proxy for its protocol is the tool", addr_str(&d->grp, text));
}
