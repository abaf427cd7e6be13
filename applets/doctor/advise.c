/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise.h"

#include <stdio.h>
#include <string.h>

#include "applets/doctor/diff.h"
#include "applets/doctor/remedy.h"
#include "conf/match.h"

#define TTL_SET 16		/* what a mangled TTL becomes: enough for a site, not for ever */

/* One flow, while it is being reported. */
struct report {
	struct doctor *d;
	struct findings *f;
	const struct sample_flow *w;
	const struct probe_link *in;		/* where it arrives, NULL when not known */
	const char *in_name;
	enum fam fam;
	const struct host_fam *k;		/* of this host */
	char group[ADDR_STRLEN];
	char flow[FLOW_STRLEN];			/* "(S, G)" */
	char src[ADDR_STRLEN];			/* "" when not known */
	char in_word[REMEDY_WORD];		/* in_name for a shell */
};

typedef unsigned long long ull;

/* ---- the rule that a flow lacks, as the command that adds it ---- */

/* What keeps a rule from matching the flow on an interface: a sum of MISS_*.  A source that is not known may be any. */
static unsigned advise_misses(const struct report *r, const struct conf_rule *m, const char *iif)
{
	struct flow flow = { r->w->src, r->d->group };
	unsigned miss = match_rule(&r->d->host.conf->names[m->iif].ifname, &m->range, iif, &flow);

	return r->w->any_source ? miss & ~(unsigned)MISS_SOURCE : miss;
}

/* True when a rule of the configuration waits for the flow on an interface. */
static bool advise_waits_on(const struct report *r, const struct probe_link *l)
{
	const struct conf *c = r->d->host.conf;

	for (const struct conf_rule *m = c->mroutes; m < c->mroutes + c->nmroutes; m++)
		if (!advise_misses(r, m, l->name))
			return true;
	return false;
}

struct outputs {
	unsigned n;
	const struct probe_link *v[KERNEL_VIFS];
};

static void advise_output_add(const struct report *r, struct outputs *o, const struct probe_link *l)
{
	if (!l || l == r->in || o->n == KERNEL_VIFS)
		return;
	for (unsigned i = 0; i < o->n; i++)
		if (o->v[i] == l)
			return;
	o->v[o->n++] = l;
}

/* Of the rules, else of entries of the group, else all that route, else all that could. */
static void advise_outputs(const struct report *r, struct outputs *o)
{
	const struct doctor *d = r->d;
	const struct host *h = &d->host;
	const struct probe_link *l;

	for (uint32_t i = 0; i < h->conf->nmroutes; i++) {
		const struct conf_rule *m = &h->conf->mroutes[i];

		if (!(advise_misses(r, m, "") & (MISS_SOURCE | MISS_GROUP)))
			for (struct host_output at = { 0 }; (l = host_output(h, m, &at));)
				advise_output_add(r, o, l);
	}
	for (const struct sample_flow *w = d->flows; !o->n && w < d->flows + d->nflows; w++)
		for (unsigned k = 0; w->has_entry && k < w->e.noifs; k++)
			advise_output_add(r, o, host_link(h, w->e.oif[k]));
	if (o->n)
		return;
	for (int i = 0; i < r->k->vifs.n; i++)
		advise_output_add(r, o, host_link(h, r->k->vifs.v[i].ifindex));
	for (uint32_t i = 0; !o->n && i < h->links.n; i++) {
		l = &h->links.v[i];
		if ((l->flags & (LINK_UP | LINK_MULTICAST | LINK_LOOPBACK)) == (LINK_UP | LINK_MULTICAST) && !l->master)
			advise_output_add(r, o, l);
	}
}

/* Appends the commands that give the running router, or one yet to be started, the rule that the flow lacks; src = "":
 * for any source. */
static void advise_rule(struct report *r, const char *src)
{
	const struct host_fam *k = r->k;
	struct outputs o = { 0 };
	struct buf b = { 0 };

	if (!r->in)
		return;
	if (k->is_foreign) {
		r->f->what = "holder";
		finding_add(r->f, FINDING_NOTE, "process %d (%s) routes %s multicast here, so the rule must be told to "
			    "that", k->holder, k->comm, k->name);
		return;
	}
	if (k->taken == 0) {
		if (r->d->file)
			buf_shell_word(&b, r->d->file);
		finding_fix(r->f, "smcrouted%s%s", r->d->file ? " -f " : "", buf_cstr(&b));
		buf_free(&b);
		if (advise_waits_on(r, r->in))
			return;		/* it is in the file */
	}
	advise_outputs(r, &o);
	for (unsigned i = 0; i < o.n; i++) {
		buf_chr(&b, ' ');
		buf_shell_word(&b, o.v[i]->name);
	}
	if (o.n)
		finding_fix(r->f, "smcroutectl add %s %s%s%s%s", r->in_word, src, *src ? " " : "", r->group,
			    buf_cstr(&b));
	buf_free(&b);
}

/* ---- verdicts ---- */

static void advise_fine(struct report *r)
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

		if (l && !strcmp(l->kind, "wireguard")) {
			r->f->what = "wireguard";
			finding_add(r->f, FINDING_NOTE, "the peer on %s gets them only when its AllowedIPs hold %s",
				    l->name, r->group);
		} else if (l && l->snooping == 1 && l->querier == 0) {
			r->f->what = "snooping";
			finding_add(r->f, FINDING_NOTE, "%s snoops and nobody on it asks for members, so it may forget "
				    "who wants them", l->name);
		}
	}
}

/* The command that changes packets of the group as they come in. */
static void advise_mangle(struct report *r, const char *chain, const char *from, const char *set)
{
	const char *six = remedy_six[r->fam];

	finding_fix(r->f, "nft 'add table ip%s smcroute; add chain ip%s smcroute %s { type filter hook prerouting "
		    "priority -150; }; add rule ip%s smcroute %s %sip%s daddr %s %s'", six, six, chain, six, chain,
		    from, six, r->group, set);
}

static void advise_ttl(struct report *r)
{
	bool v4 = r->fam == FAM_4;
	unsigned threshold = r->w->d.threshold, to = threshold >= TTL_SET ? threshold + 1 : TTL_SET;
	char text[48] = "", from[REMEDY_NFT];

	if (r->w->d.seen)
		snprintf(text, sizeof text, " with a %s of %u", v4 ? "TTL" : "hop limit", r->w->d.ttl);
	finding_add(r->f, FINDING_ERROR, "TTL too small: %llu packets of %s came in on %s%s, %s sends only those above "
		    "%u; raise it at the sender (IP_MULTICAST_TTL, ping -t), or here with care: it is what ends loops",
		    (ull)r->w->d.right, r->flow, r->in_name, text, host_name(&r->d->host, r->w->worst), threshold);
	if (to > 255)
		return;
	snprintf(text, sizeof text, "%s set %u", v4 ? "ip ttl" : "ip6 hoplimit", to);
	advise_mangle(r, "ttl", remedy_nft_ifname("i", r->in ? r->in_name : NULL, from), text);
	finding_or(r->f);
	finding_fix(r->f, "ip%stables -t mangle -A PREROUTING%s%s -d %s -j %s %u", remedy_six[r->fam],
		    r->in ? " -i " : "", r->in ? r->in_word : "", r->group, v4 ? "TTL --ttl-set" : "HL --hl-set", to);
}

/* A tunnel's MTU is what its packets have room for: there the packets must be cut. */
static const char *const advise_tunnels[] = {
	"wireguard", "gre", "gretap", "ip6gre", "ip6gretap", "ipip", "sit", "ip6tnl", "vti", "vti6", "vxlan", "geneve",
	"tun", "xfrm", "ppp", NULL
};

static void advise_mtu(struct report *r)
{
	const struct probe_mfc *e = &r->w->e;
	const struct host *h = &r->d->host;
	const struct probe_link *out = host_link(h, r->w->worst);
	uint32_t need = r->in ? r->in->mtu : 0;
	char text[40] = "";

	for (unsigned i = 0; i < e->noifs; i++) {
		const struct probe_link *l = host_link(h, e->oif[i]);

		if (l && (!out || l->mtu < out->mtu))
			out = l;
	}
	if (!out)
		return;
	if (r->w->len)
		snprintf(text, sizeof text, " of up to %u bytes", r->w->len);
	if (r->w->len > need)
		need = r->w->len;
	finding_add(r->f, FINDING_ERROR, "too large for the output: %llu packets of %s%s came in on %s and must not be "
		    "fragmented, the MTU of %s is %u; send smaller ones, or raise it", (ull)r->w->d.right, r->flow,
		    text, r->in_name, out->name, out->mtu);
	if (!remedy_is_among(out->kind, advise_tunnels)) {
		snprintf(text, sizeof text, "mtu %u", need);
		remedy_link(r->f, out->name, text);
	} else if (r->fam == FAM_4) {
		advise_mangle(r, "df", "", "ip frag-off set 0");
	}
}

static void advise_rp_filter(struct report *r)
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
	if (r->w->d.seen && remedy_rp_refuses(h, in, &r->w->src, &route, why))
		src = &r->w->src;
	finding_add(r->f, FINDING_ERROR, "refused by the reverse path filter: %s comes in on %s, rp_filter is %d there "
		    "and %s", r->flow, in->name, in->rp_filter, src ? why : "packets are refused for their source");
	remedy_rp_filter(h, in, src, 128, &route);
}

static void advise_wrong_iif(struct report *r)
{
	finding_add(r->f, FINDING_ERROR, "wrong input interface: %s arrives on %s (%llu packets), its entry waits for "
		    "it on %s", r->flow, r->in_name, (ull)r->w->d.wrong, host_name(&r->d->host, r->w->e.iif));
	advise_rule(r, r->src);
}

static void advise_no_vif(struct report *r)
{
	finding_add(r->f, FINDING_ERROR, "arrives where nothing is routed: %s on %s (%llu packets%s), %s", r->flow,
		    r->in_name, (ull)r->w->d.arrived, r->w->d.seen ? "" : ", of any group",
		    r->k->taken == 0 ? "no multicast router runs here" : "which no rule names as its input");
	advise_rule(r, "");
}

static void advise_no_rule(struct report *r)
{
	finding_add(r->f, FINDING_ERROR, "no rule: %s arrives on %s%s", r->flow, r->in_name, r->w->d.unresolved ?
		    ", and the router that was asked has not answered" : " and its entry has no output");
	advise_rule(r, "");
}

/* The interface is known here: it has a VIF. */
static void advise_table(struct report *r)
{
	const struct probe_vif *v = host_vif(&r->k->vifs, r->w->in, 0);
	uint32_t there = r->w->has_entry ? r->w->e.table : 0, now = 0;

	/* MIFs of other tables cannot be seen; the router of IPv4 has the same number (-t). */
	if (!v && !there)
		v = host_vif(&r->d->host.of[FAM_4].vifs, r->w->in, 0);
	if (v)
		there = v->table;
	probe_table(r->fam, r->in_name, &now);
	finding_add(r->f, FINDING_ERROR, "looked up in another table: %s arrives on %s and is looked up in table %u, "
		    "the routes are in table %u", r->flow, r->in_name, now, there);
	if (there)
		remedy_table(r->f, r->fam, r->in_name, there);
}

static void advise_firewall(struct report *r)
{
	bool before = !r->w->d.right;
	tristate old = probe_iptables(r->fam);

	finding_add(r->f, FINDING_ERROR, "dropped by the packet filter: %s came in on %s (%llu packets)%s", r->flow,
		    r->in_name, (ull)(before ? r->w->d.arrived : r->w->d.right),
		    before ? " and got as far as no entry" : ", was routed and not sent");
	if (!diff_judge(r->d, r->w, r->w->in, before, r->f) && !before && (!r->d->host.nft || old != 0))
		finding_fix(r->f, "ip%stables%s -I FORWARD -i %s -d %s -j ACCEPT", remedy_six[r->fam],
			    old == 1 ? "-legacy" : "", r->in_word, r->group);
}

static void advise_output(struct report *r)
{
	const char *out = host_name(&r->d->host, r->w->worst);
	bool down = r->w->d.output_down;

	finding_add(r->f, FINDING_ERROR, "an output takes none: %llu packets of %s came in on %s, %s sent none of "
		    "them%s", (ull)r->w->d.right, r->flow, r->in_name, out, down ? ": it is down" : "");
	if (down)
		remedy_link(r->f, out, "up");
}

static const char advise_look[] = "look at the sender, its TTL, and the switches between";

/* One interface where it should arrive. */
static void advise_nothing_on(struct report *r, const struct probe_link *l)
{
	bool down = !(l->flags & LINK_UP);
	char word[REMEDY_WORD];
	tristate member;

	if (down || !(l->flags & LINK_RUNNING)) {
		finding_add(r->f, FINDING_ERROR, "nothing arrives: %s on %s, which %s", r->flow, l->name,
			    down ? "is down" : "has no carrier");
		if (down)
			remedy_link(r->f, l->name, "up");
		return;
	}
	member = probe_member(l->ifindex, &r->d->group);
	finding_add(r->f, FINDING_ERROR, "nothing arrives: no packet of %s on %s within %u s; %s", r->flow, l->name,
		    r->d->seconds, member ? advise_look :
		    "this host is no member there, so a switch that snoops keeps the group away");
	if (!member && r->k->taken == 1)
		finding_fix(r->f, "smcroutectl join %s %s", text_shell_word(word, sizeof word, l->name), r->group);
	finding_or(r->f);
	remedy_link(r->f, l->name, "promisc on");
}

static void advise_nothing(struct report *r)
{
	const struct probe_links *links = &r->d->host.links;
	bool any = false;

	for (const struct probe_link *l = links->v; l < links->v + links->n; l++) {
		bool is_expected = advise_waits_on(r, l);

		for (unsigned i = 0; i < r->d->nflows; i++)
			is_expected |= r->d->flows[i].has_entry && r->d->flows[i].e.iif == l->ifindex;
		if (is_expected)
			advise_nothing_on(r, l);
		any |= is_expected;
	}
	if (!any)
		finding_add(r->f, FINDING_ERROR, "nothing arrives: no packet of %s within %u s, and no rule tells "
			    "where it should; %s", r->flow, r->d->seconds, advise_look);
}

static const struct {
	const char *what;
	void (*say)(struct report *r);
} advise_verdicts[VERDICTS] = {
	[VERDICT_FINE] = { "fine", advise_fine },
	[VERDICT_NOTHING] = { "nothing", advise_nothing },
	[VERDICT_TTL] = { "ttl", advise_ttl },
	[VERDICT_MTU] = { "mtu", advise_mtu },
	[VERDICT_RP_FILTER] = { "rp_filter", advise_rp_filter },
	[VERDICT_WRONG_IIF] = { "wrong_iif", advise_wrong_iif },
	[VERDICT_NO_VIF] = { "no_vif", advise_no_vif },
	[VERDICT_NO_RULE] = { "no_rule", advise_no_rule },
	[VERDICT_FIREWALL] = { "firewall", advise_firewall },
	[VERDICT_TABLE] = { "table", advise_table },
	[VERDICT_OUTPUT] = { "output", advise_output },
};

enum verdict advise_flow(struct doctor *d, const struct sample_flow *w)
{
	enum verdict v = verdict_of(&w->d);
	struct report r = {
		.d = d, .f = &d->host.found, .w = w, .fam = d->fam, .k = &d->host.of[d->fam],
		.in = host_link(&d->host, w->in), .in_name = host_name(&d->host, w->in),
	};

	if (!w->any_source)
		addr_str(&w->src, r.src);
	addr_str(&d->group, r.group);
	snprintf(r.flow, sizeof r.flow, "(%s, %s)", r.src[0] ? r.src : "*", r.group);
	text_shell_word(r.in_word, sizeof r.in_word, r.in_name);
	r.f->what = advise_verdicts[v].what;
	advise_verdicts[v].say(&r);
	return v;
}

void advise_link_local(struct doctor *d)
{
	char text[ADDR_STRLEN];

	d->host.found.what = "local";
	finding_add(&d->host.found, FINDING_ERROR, "never forwarded: %s is of link-local scope, which no router "
		    "forwards; a reflector or proxy for its protocol is the tool", addr_str(&d->group, text));
}
