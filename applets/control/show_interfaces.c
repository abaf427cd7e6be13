/* SPDX-License-Identifier: ISC
 *
 * `show interfaces`: all that the machine has, with their numbers; in detail also
 * how they are set up and what went through them.
 */
#include "applets/control/show.h"

#include <stdlib.h>
#include <string.h>

static void vif_text(struct buf *b, int vif)
{
	if (vif < 0)
		buf_str(b, "  N/A");
	else
		buf_printf(b, " %4d", vif);
}

/* Sums of the VIF and the MIF of an interface. */
static struct vif_stats iface_stats(const struct iface *i)
{
	struct vif_stats sum = { 0 }, st;

	for (enum fam f = 0; f < FAM_N; f++)
		if (i->vif[f] >= 0 && !kernel_vif_stats(f, i->vif[f], &st)) {
			sum.in_packets += st.in_packets;
			sum.in_bytes += st.in_bytes;
			sum.out_packets += st.out_packets;
			sum.out_bytes += st.out_bytes;
		}
	return sum;
}

/* Flags that are not the kernel's, beside LINK_*. */
#define DISABLED (1u << 30)
#define MRDISC (1u << 31)

/* Appends the flags as a list of words, each between quotes: up, multicast, disabled ...  Its length. */
static unsigned flag_names(struct buf *b, const struct iface *i, const char *quote)
{
	static const struct { unsigned flag; char name[12]; } names[] = {
		{ LINK_UP, "up" }, { LINK_RUNNING, "running" }, { LINK_MULTICAST, "multicast" },
		{ LINK_LOOPBACK, "loopback" }, { LINK_POINTOPOINT, "pointopoint" },
		{ DISABLED, "disabled" }, { MRDISC, "mrdisc" },
	};
	unsigned flags = i->flags | (i->disabled ? DISABLED : 0) | (i->mrdisc ? MRDISC : 0);
	const char *before = "";
	size_t from = b->len;

	for (unsigned k = 0; k < sizeof names / sizeof *names; k++)
		if (flags & names[k].flag) {
			buf_printf(b, "%s%s%s%s", before, quote, names[k].name, quote);
			before = ",";
		}
	return (unsigned)(b->len - from);
}

/* Notes which interfaces take in all multicast frames. */
static void look_allmulti(struct show *s)
{
	const struct ifaces *ifs = &s->r->ifs;
	struct look_links l;

	s->nallmulti = ifs->n;
	s->allmulti = calloc(ifs->n + 1u, sizeof *s->allmulti);
	if (!s->allmulti) {
		s->o.rows.failed = true;
		return;
	}
	kernel_look_links(&l);
	for (uint32_t i = 0; i < l.n; i++) {
		const struct iface *known = iface_find(ifs, l.v[i].ifindex);

		if (known && l.v[i].allmulti >= 0)
			s->allmulti[known->place] = l.v[i].allmulti ? known->ifindex : -known->ifindex;
	}
	kernel_look_links_free(&l);
}

static void headings(struct show *s)
{
	const struct router *r = s->r;
	struct output *o = &s->o;
	struct buf b = { 0 };
	unsigned flags = strlen("FLAGS");

	s->width = show_name_width(r, 6);
	for (uint32_t at = 0; at < r->ifs.n; at++) {
		unsigned n = r->ifs.v[at].ifindex ? flag_names(&b, &r->ifs.v[at], "") : 0;

		flags = n > flags ? n : flags;
	}
	buf_free(&b);
	s->flags_width = flags;
	if (o->json)
		return;
	if (o->detail)
		out_head(o, WIRE_HEAD, " INDEX %-*s  VIF  MIF  TTL %-*s ALLMULTI    PKTS-IN   BYTES-IN   PKTS-OUT  BYTES-OUT",
			 (int)s->width, "PHYINT", (int)flags, "FLAGS");
	else
		out_head(o, WIRE_HEAD, " INDEX %-*s  VIF  MIF", (int)s->width, "PHYINT");
}

static void iface_json(struct show *s, const struct iface *i, seen_t allmulti)
{
	struct vif_stats st = iface_stats(i);
	struct buf *b = &s->o.rows;

	json_open(b);
	json_u64(b, "index", (unsigned)i->ifindex);
	json_str(b, "name", i->name);
	json_u64(b, "vif", (uint64_t)i->vif[FAM_4]);
	json_u64(b, "mif", (uint64_t)i->vif[FAM_6]);
	json_u64(b, "ttl_threshold", i->ttl);
	json_key(b, "flags");
	buf_chr(b, '[');
	flag_names(b, i, "\"");
	buf_chr(b, ']');
	json_key(b, "allmulti");
	buf_str(b, allmulti < 0 ? "null" : allmulti ? "true" : "false");
	json_u64(b, "in_packets", st.in_packets);
	json_u64(b, "in_bytes", st.in_bytes);
	json_u64(b, "out_packets", st.out_packets);
	json_u64(b, "out_bytes", st.out_bytes);
}

static void iface_text(struct show *s, const struct iface *i, seen_t allmulti)
{
	struct buf *b = &s->o.rows;

	buf_printf(b, "%6d %-*s", i->ifindex, (int)s->width, i->name);
	vif_text(b, i->vif[FAM_4]);
	vif_text(b, i->vif[FAM_6]);
	if (!s->o.detail)
		return;
	struct vif_stats st = iface_stats(i);

	buf_printf(b, " %4u ", i->ttl);
	size_t from = b->len;
	if (!flag_names(b, i, ""))
		buf_chr(b, '-');
	out_pad(b, from, s->flags_width);
	buf_printf(b, " %-8s %10llu %10llu %10llu %10llu", allmulti < 0 ? "-" : allmulti ? "yes" : "no",
		   (unsigned long long)st.in_packets, (unsigned long long)st.in_bytes,
		   (unsigned long long)st.out_packets, (unsigned long long)st.out_bytes);
}

static void iface(struct show *s)
{
	const struct iface *i = &s->r->ifs.v[s->at];
	int noted = s->at < s->nallmulti ? s->allmulti[s->at] : 0;

	if (!i->ifindex)
		return;
	/* What was noted may be of one whose place this has got since. */
	(s->o.json ? iface_json : iface_text)(s, i, noted == i->ifindex ? 1 : noted == -i->ifindex ? 0 : -1);
	show_end(s);
}

const struct show_part show_interfaces[] = {
	{ look_allmulti, .of = SHOW_ONCE, .detail = true },
	{ headings, .of = SHOW_ONCE },
	{ iface, .of = SHOW_IFACES, .after = SHOW_END_LIST },
};
