/* SPDX-License-Identifier: ISC
 *
 * What a verdict means for the flow at hand, in words, and the commands that
 * mend it, ready to paste.
 */
#include "applets/doctor/doctor.h"

#include <stdio.h>
#include <string.h>

#include "applets/doctor/remedy.h"

#define TTL_SET 16		/* what a mangled TTL becomes: enough for a site, not for ever */

/* ---- verdicts ---- */

typedef unsigned long long ull;

static void fine(struct report *r)
{
	const struct probe_mfc *e = &r->w->e;
	struct buf b = { 0 };

	for (unsigned i = 0; i < e->noifs; i++)
		buf_printf(&b, " %s", host_name(&r->d->host, e->oif[i]));
	finding_add(r->f, FINDING_GOOD, "forwarded: %s came in on %s (%llu packets) and went out on%s", r->flow,
		    r->in_name, (ull)r->w->d.right, buf_cstr(&b));
	buf_free(&b);
	for (unsigned i = 0; i < e->noifs; i++) {
		const struct probe_link *l = host_link(&r->d->host, e->oif[i]);

		if (!l)
			continue;
		if (!strcmp(l->kind, "wireguard")) {
			r->f->what = "wireguard";
			finding_add(r->f, FINDING_NOTE, "the peer on %s gets them only when its AllowedIPs hold %s", l->name,
				    r->grp);
		} else if (l->snooping == 1 && l->querier == 0) {
			r->f->what = "snooping";
			finding_add(r->f, FINDING_NOTE, "%s snoops and nobody on it asks for members, so it may forget who wants "
				    "them", l->name);
		}
	}
}

/* The command that changes packets of the group as they come in. */
static void mangle(struct report *r, const char *chain, const char *from, const char *set)
{
	const char *six = cure_six[r->fam];

	finding_fix(r->f, "nft 'add table ip%s smcroute; add chain ip%s smcroute %s { type filter hook prerouting priority "
		    "-150; }; add rule ip%s smcroute %s %sip%s daddr %s %s'", six, six, chain, six, chain, from, six,
		    r->grp, set);
}

static void ttl(struct report *r)
{
	bool v4 = r->fam == FAM_4;
	unsigned threshold = r->w->d.threshold, to = threshold >= TTL_SET ? threshold + 1 : TTL_SET;
	char text[48], from[48];

	text[0] = from[0] = '\0';
	if (r->w->d.seen)
		snprintf(text, sizeof text, " with a %s of %u", v4 ? "TTL" : "hop limit", r->w->d.ttl);
	finding_add(r->f, FINDING_ERROR, "TTL too small: %llu packets of %s came in on %s%s, %s sends only those above %u; "
		    "raise it at the sender (IP_MULTICAST_TTL, ping -t), or here with care: it is what ends loops",
		    (ull)r->w->d.right, r->flow, r->in_name, text, host_name(&r->d->host, r->w->worst), threshold);
	if (to > 255)
		return;
	if (r->in && cure_nft_name(r->in_name))
		snprintf(from, sizeof from, "iifname \"%s\" ", r->in_name);
	snprintf(text, sizeof text, "%s set %u", v4 ? "ip ttl" : "ip6 hoplimit", to);
	mangle(r, "ttl", from, text);
	finding_or(r->f);
	finding_fix(r->f, "ip%stables -t mangle -A PREROUTING%s%s -d %s -j %s %u", cure_six[r->fam],
		    r->in ? " -i " : "", r->in ? r->in_word : "", r->grp,
		    v4 ? "TTL --ttl-set" : "HL --hl-set", to);
}

/* A tunnel's MTU is what its packets have room for: there the packets must be cut. */
static const char tunnels[] = "wireguard\0gre\0gretap\0ip6gre\0ip6gretap\0ipip\0sit\0ip6tnl\0vti\0vti6\0vxlan\0geneve\0"
			      "tun\0xfrm\0ppp\0";

static void mtu(struct report *r)
{
	const struct probe_mfc *e = &r->w->e;
	const struct host *h = &r->d->host;
	const struct probe_link *out = host_link(h, r->w->worst);
	uint32_t need = r->in ? r->in->mtu : 0;
	char text[40];

	for (unsigned i = 0; i < e->noifs; i++) {
		const struct probe_link *l = host_link(h, e->oif[i]);

		if (l && (!out || l->mtu < out->mtu))
			out = l;
	}
	if (!out)
		return;
	text[0] = '\0';
	if (r->w->len) {
		snprintf(text, sizeof text, " of up to %u bytes", r->w->len);
		need = r->w->len > need ? r->w->len : need;
	}
	finding_add(r->f, FINDING_ERROR, "too large for the output: %llu packets of %s%s came in on %s and must not be "
		    "fragmented, the MTU of %s is %u; send smaller ones, or raise it", (ull)r->w->d.right, r->flow, text,
		    r->in_name, out->name, out->mtu);
	if (!cure_among(out->kind, tunnels)) {
		snprintf(text, sizeof text, "mtu %u", need);
		cure_link(r->f, out->name, text);
	} else if (r->fam == FAM_4) {
		mangle(r, "df", "", "ip frag-off set 0");
	}
}

static void rp_filter(struct report *r)
{
	struct host *h = &r->d->host;
	const struct probe_link *in = r->in;
	const struct addr *src = NULL;
	struct probe_route route;
	char why[RP_WHY];

	for (uint32_t i = 0; !in && i < h->links.n; i++)
		if (h->links.v[i].rp_filter > 0)
			in = &h->links.v[i];
	if (!in)
		return;
	if (r->w->d.seen && cure_rp_refuses(h, in, &r->w->src, &route, why))
		src = &r->w->src;
	finding_add(r->f, FINDING_ERROR, "refused by the reverse path filter: %s comes in on %s, rp_filter is %d there and %s",
		    r->flow, in->name, in->rp_filter, src ? why : "packets are refused for their source");
	cure_rp_filter(h, in, src, 128, &route);
}

static void wrong_iif(struct report *r)
{
	finding_add(r->f, FINDING_ERROR, "wrong input interface: %s arrives on %s (%llu packets), its entry waits for it on %s",
		    r->flow, r->in_name, (ull)r->w->d.wrong, host_name(&r->d->host, r->w->e.iif));
	report_fix_rule(r, r->src);
}

static void no_vif(struct report *r)
{
	finding_add(r->f, FINDING_ERROR, "arrives where nothing is routed: %s on %s (%llu packets%s), %s", r->flow,
		    r->in_name, (ull)r->w->d.arrived, r->w->d.seen ? "" : ", of any group",
		    r->k->taken == 0 ? "no multicast router runs here" :
		    "which no rule names as its input");
	report_fix_rule(r, "");
}

static void no_rule(struct report *r)
{
	finding_add(r->f, FINDING_ERROR, "no rule: %s arrives on %s%s", r->flow, r->in_name, r->w->d.unresolved ?
		    ", and the router that was asked has not answered" : " and its entry has no output");
	report_fix_rule(r, "");
}

/* The interface is known here: it has a VIF. */
static void table(struct report *r)
{
	const struct probe_vif *v = host_vif(&r->k->vifs, r->w->in, 0);
	uint32_t there = r->w->entry ? r->w->e.table : 0, now = 0;

	/* MIFs of other tables cannot be seen; the router of IPv4 has the same number (-t). */
	if (!v && !there)
		v = host_vif(&r->d->host.of[FAM_4].vifs, r->w->in, 0);
	if (v)
		there = v->table;
	probe_table(r->fam, r->in_name, &now);
	finding_add(r->f, FINDING_ERROR, "looked up in another table: %s arrives on %s and is looked up in table %u, the "
		    "routes are in table %u", r->flow, r->in_name, now, there);
	if (there)
		cure_table(r->f, r->fam, r->in_name, there);
}

static void firewall(struct report *r)
{
	const struct seen *w = r->w;
	bool before = !w->d.right;

	finding_add(r->f, FINDING_ERROR, "dropped by the packet filter: %s came in on %s (%llu packets)%s", r->flow,
		    r->in_name, (ull)(before ? w->d.arrived : w->d.right), before ? " and got as far as no entry" :
		    ", was routed and not sent");
	if (!doctor_judge(r->d, w, w->in, before, r->f) && !before &&
	    (!r->d->host.nft || probe_iptables(r->fam) != 0))
		finding_fix(r->f, "ip%stables%s -I FORWARD -i %s -d %s -j ACCEPT", cure_six[r->fam],
			    probe_iptables(r->fam) == 1 ? "-legacy" : "", r->in_word, r->grp);
}

static void output(struct report *r)
{
	const char *out = host_name(&r->d->host, r->w->worst);
	bool down = r->w->d.output_down;

	finding_add(r->f, FINDING_ERROR, "an output takes none: %llu packets of %s came in on %s, %s sent none of them%s",
		    (ull)r->w->d.right, r->flow, r->in_name, out, down ? ": it is down" : "");
	if (down)
		cure_link(r->f, out, "up");
}

/* ---- nothing arrives ---- */

static const char look_at[] = "look at the sender, its TTL, and the switches between";

/* One interface where it should arrive. */
static void nothing_on(struct report *r, const struct probe_link *l)
{
	const char *lacks = !(l->flags & LINK_UP) ? "is down" :
			    !(l->flags & LINK_MULTICAST) ? "is without the MULTICAST flag" :
			    !(l->flags & LINK_RUNNING) ? "has no carrier" : NULL;
	char word[WORD_LEN];
	tristate member;

	if (lacks) {
		finding_add(r->f, FINDING_ERROR, "nothing arrives: %s on %s, which %s", r->flow, l->name, lacks);
		/* "is ...": no command brings a carrier. */
		if (*lacks == 'i')
			cure_link(r->f, l->name, "up multicast on");
		return;
	}
	member = probe_member(l->ifindex, &r->d->grp);
	finding_add(r->f, FINDING_ERROR, "nothing arrives: no packet of %s on %s within %u s; %s", r->flow, l->name,
		    r->d->seconds, member == 0 ? "this host is no member there, so a switch that snoops keeps the group away" :
		    look_at);
	if (member == 0 && r->k->taken == 1)
		finding_fix(r->f, "smcroutectl join %s %s", shell_word(l->name, word), r->grp);
	finding_or(r->f);
	cure_link(r->f, l->name, "promisc on");
}

/* True when an entry or a rule waits for the group on an interface. */
static bool expected(const struct report *r, const struct probe_link *l)
{
	for (unsigned i = 0; i < r->d->nflows; i++)
		if (r->d->flows[i].entry && r->d->flows[i].e.iif == l->ifindex)
			return true;
	return report_rule_on(r, l);
}

static void nothing(struct report *r)
{
	const struct probe_links *links = &r->d->host.links;
	bool any = false;

	for (uint32_t i = 0; i < links->n; i++)
		if (expected(r, &links->v[i])) {
			any = true;
			nothing_on(r, &links->v[i]);
		}
	if (!any)
		finding_add(r->f, FINDING_ERROR, "nothing arrives: no packet of %s within %u s, and no rule tells where it "
			    "should; %s", r->flow, r->d->seconds, look_at);
}

static const struct {
	const char *what;
	void (*say)(struct report *r);
} verdicts[VERDICTS] = {
	[VERDICT_FINE] = { "fine", fine },
	[VERDICT_NOTHING] = { "nothing", nothing },
	[VERDICT_TTL] = { "ttl", ttl },
	[VERDICT_MTU] = { "mtu", mtu },
	[VERDICT_RP_FILTER] = { "rp_filter", rp_filter },
	[VERDICT_WRONG_IIF] = { "wrong_iif", wrong_iif },
	[VERDICT_NO_VIF] = { "no_vif", no_vif },
	[VERDICT_NO_RULE] = { "no_rule", no_rule },
	[VERDICT_FIREWALL] = { "firewall", firewall },
	[VERDICT_TABLE] = { "table", table },
	[VERDICT_OUTPUT] = { "output", output },
};

enum verdict doctor_report(struct doctor *d, const struct seen *w)
{
	struct report r = { .d = d, .f = &d->host.found, .w = w, .in = host_link(&d->host, w->in), .fam = d->fam,
			    .k = &d->host.of[d->fam] };
	enum verdict v = verdict_of(&w->d);

	if (!w->any)
		addr_str(&w->src, r.src);
	addr_str(&d->grp, r.grp);
	snprintf(r.flow, sizeof r.flow, "(%s, %s)", r.src[0] ? r.src : "*", r.grp);
	r.in_name = host_name(&d->host, w->in);
	shell_word(r.in_name, r.in_word);
	r.f->what = verdicts[v].what;
	verdicts[v].say(&r);
	return v;
}

void doctor_report_local(struct doctor *d)
{
	char text[ADDR_STRLEN];

	d->host.found.what = "local";
	finding_add(&d->host.found, FINDING_ERROR, "never forwarded: %s is of link-local scope, which no router forwards; "
		    "a reflector or proxy for its protocol is the tool", addr_str(&d->grp, text));
}
