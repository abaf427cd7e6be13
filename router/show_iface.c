/* SPDX-License-Identifier: ISC
 *
 * `show interfaces`: all that the machine has, with their numbers; in detail also
 * how they are set up and what went through them.
 */
#include "router/show.h"

#include <stdio.h>
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

/* Flags as a short list of words, each between quotes: up, multicast, disabled ... */
static void flag_names(struct buf *b, const struct iface *i, const char *quote)
{
	static const struct { unsigned flag; char name[12]; } names[] = {
		{ LINK_UP, "up" }, { LINK_RUNNING, "running" }, { LINK_MULTICAST, "multicast" },
		{ LINK_LOOPBACK, "loopback" }, { LINK_POINTOPOINT, "pointopoint" },
		{ DISABLED, "disabled" }, { MRDISC, "mrdisc" },
	};
	unsigned flags = i->flags | (i->disabled ? DISABLED : 0) | (i->mrdisc ? MRDISC : 0);
	const char *before = "";

	for (unsigned k = 0; k < sizeof names / sizeof *names; k++)
		if (flags & names[k].flag) {
			buf_printf(b, "%s%s%s%s", before, quote, names[k].name, quote);
			before = ",";
		}
}

/* Whether each interface takes in all multicast frames, when that is wanted; by place, for the caller to
 * free.  NULL with ENOMEM. */
static seen_t *look_allmulti(const struct router *r, bool wanted)
{
	seen_t *v = malloc(r->ifs.n + 1u);
	struct look_links l = { 0 };

	if (!v)
		return NULL;
	memset(v, -1, r->ifs.n);
	if (wanted)
		kernel_look_links(&l);
	for (uint32_t i = 0; i < l.n; i++) {
		uint32_t at = iface_find(&r->ifs, l.v[i].ifindex);

		if (at != IFACE_NONE)
			v[at] = l.v[i].allmulti;
	}
	kernel_look_links_free(&l);
	return v;
}

static void iface_json(struct buf *b, const struct iface *i, seen_t allmulti)
{
	struct vif_stats st = iface_stats(i);

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

/* Widths of the columns that depend on what is in them. */
struct widths {
	int name, flags;
};

static void iface_text(struct buf *b, const struct iface *i, const struct widths *w)
{
	buf_printf(b, "%6d %-*s", i->ifindex, w->name, i->name);
	vif_text(b, i->vif[FAM_4]);
	vif_text(b, i->vif[FAM_6]);
}

static void iface_detail(struct buf *b, const struct iface *i, const struct widths *w, seen_t allmulti)
{
	struct vif_stats st = iface_stats(i);

	buf_printf(b, " %4u ", i->ttl);
	size_t from = b->len;
	flag_names(b, i, "");
	if (b->len == from)
		buf_chr(b, '-');
	out_pad(b, from, (size_t)w->flags);
	buf_printf(b, " %-8s %10llu %10llu %10llu %10llu", allmulti < 0 ? "-" : allmulti ? "yes" : "no",
		   (unsigned long long)st.in_packets, (unsigned long long)st.in_bytes,
		   (unsigned long long)st.out_packets, (unsigned long long)st.out_bytes);
}

static int flags_width(const struct router *r)
{
	struct buf b = { 0 };
	size_t w = strlen("FLAGS");

	for (uint32_t at = 0; at < r->ifs.n; at++) {
		b.len = 0;
		if (r->ifs.v[at].ifindex)
			flag_names(&b, &r->ifs.v[at], "");
		if (b.len > w)
			w = b.len;
	}
	buf_free(&b);
	return (int)w;
}

static void heading(struct output *o, const struct widths *w)
{
	if (o->detail)
		out_head(o, WIRE_HEAD, "%6s %-*s %4s %4s %4s %-*s %-8s %10s %10s %10s %10s", "INDEX", w->name, "PHYINT",
			 "VIF", "MIF", "TTL", w->flags, "FLAGS", "ALLMULTI", "PKTS-IN", "BYTES-IN", "PKTS-OUT",
			 "BYTES-OUT");
	else
		out_head(o, WIRE_HEAD, "%6s %-*s %4s %4s", "INDEX", w->name, "PHYINT", "VIF", "MIF");
}

static void all_interfaces(struct show *s)
{
	struct router *r = s->r;
	struct output *o = &s->o;
	struct widths w = { (int)show_name_width(r, 6), flags_width(r) };
	seen_t *allmulti = look_allmulti(r, o->detail || o->json);

	if (!allmulti) {
		o->rows.failed = true;
		return;
	}
	if (!o->json)
		heading(o, &w);
	for (uint32_t at = 0; at < r->ifs.n; at++) {
		const struct iface *i = &r->ifs.v[at];

		if (!i->ifindex)
			continue;
		if (o->json) {
			iface_json(&o->rows, i, allmulti[at]);
		} else {
			iface_text(&o->rows, i, &w);
			if (o->detail)
				iface_detail(&o->rows, i, &w, allmulti[at]);
		}
		show_end(s);
		out_row(o);
	}
	free(allmulti);
}

/* Takes system calls for each, but there are never many. */
const struct show_part show_interfaces[] = { { all_interfaces, .flags = SHOW_LAST, .after = "]}\n" } };
