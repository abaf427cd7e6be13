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

static void json_vif(struct buf *b, const char *key, int vif)
{
	json_key(b, key);
	if (vif < 0)
		buf_str(b, "null");
	else
		buf_u64(b, (unsigned)vif);
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

/* Flags as a short word list: up, multicast, disabled ... */
static void flag_names(struct buf *b, const struct iface *i, const char *sep, const char *quote)
{
	const struct { bool on; const char *name; } flags[] = {
		{ (i->flags & LINK_UP) != 0, "up" },
		{ (i->flags & LINK_RUNNING) != 0, "running" },
		{ (i->flags & LINK_MULTICAST) != 0, "multicast" },
		{ (i->flags & LINK_LOOPBACK) != 0, "loopback" },
		{ (i->flags & LINK_POINTOPOINT) != 0, "pointopoint" },
		{ i->disabled, "disabled" },
		{ i->mrdisc, "mrdisc" },
	};
	const char *before = "";

	for (unsigned k = 0; k < sizeof flags / sizeof *flags; k++)
		if (flags[k].on) {
			buf_printf(b, "%s%s%s%s", before, quote, flags[k].name, quote);
			before = sep;
		}
}

/* Whether each interface takes in all multicast frames, by place, for the caller to free.  NULL with
 * ENOMEM. */
static seen_t *look_allmulti(const struct router *r)
{
	seen_t *v = malloc(r->ifs.n + 1u);
	struct look_links l;

	if (!v)
		return NULL;
	memset(v, -1, r->ifs.n + 1u);
	kernel_look_links(&l);
	for (uint32_t i = 0; i < l.n; i++) {
		const struct iface *known = iface_find(&r->ifs, l.v[i].ifindex);

		if (known)
			v[known->place] = l.v[i].allmulti;
	}
	kernel_look_links_free(&l);
	return v;
}

static void iface_json(struct buf *b, const struct iface *i, seen_t allmulti)
{
	struct vif_stats st = iface_stats(i);

	json_sep(b);
	buf_chr(b, '{');
	json_u64(b, "index", (unsigned)i->ifindex);
	json_str(b, "name", i->name);
	json_vif(b, "vif", i->vif[FAM_4]);
	json_vif(b, "mif", i->vif[FAM_6]);
	json_u64(b, "ttl_threshold", i->ttl);
	json_key(b, "flags");
	buf_chr(b, '[');
	flag_names(b, i, ",", "\"");
	buf_chr(b, ']');
	if (allmulti < 0)
		json_str(b, "allmulti", NULL);
	else
		json_bool(b, "allmulti", allmulti);
	json_u64(b, "in_packets", st.in_packets);
	json_u64(b, "in_bytes", st.in_bytes);
	json_u64(b, "out_packets", st.out_packets);
	json_u64(b, "out_bytes", st.out_bytes);
	buf_chr(b, '}');
}

/* Widths of the columns that depend on what is in them. */
struct widths {
	unsigned name, flags;
};

static void iface_text(struct buf *b, const struct iface *i, const struct widths *w)
{
	buf_printf(b, "%6d ", i->ifindex);
	size_t from = b->len;
	buf_str(b, i->name);
	out_pad(b, from, w->name);
	vif_text(b, i->vif[FAM_4]);
	vif_text(b, i->vif[FAM_6]);
}

static void iface_detail(struct buf *b, const struct iface *i, const struct widths *w, seen_t allmulti)
{
	struct vif_stats st = iface_stats(i);

	buf_printf(b, " %4u ", i->ttl);
	size_t from = b->len;
	flag_names(b, i, ",", "");
	if (b->len == from)
		buf_chr(b, '-');
	out_pad(b, from, w->flags);
	buf_printf(b, " %-8s %10llu %10llu %10llu %10llu", allmulti < 0 ? "-" : allmulti ? "yes" : "no",
		   (unsigned long long)st.in_packets, (unsigned long long)st.in_bytes,
		   (unsigned long long)st.out_packets, (unsigned long long)st.out_bytes);
}

static unsigned flags_width(const struct router *r)
{
	struct buf b = { 0 };
	size_t w = strlen("FLAGS");

	for (uint32_t at = 0; at < r->ifs.n; at++) {
		b.len = 0;
		if (r->ifs.v[at].ifindex)
			flag_names(&b, &r->ifs.v[at], ",", "");
		if (b.len > w)
			w = b.len;
	}
	buf_free(&b);
	return (unsigned)w;
}

static bool all_interfaces(struct show *s)
{
	struct router *r = s->r;
	struct output *o = &s->o;
	struct widths w = { show_name_width(r, 6), o->detail && !o->json ? flags_width(r) : 0 };
	seen_t *allmulti = o->detail || o->json ? look_allmulti(r) : NULL;

	if ((o->detail || o->json) && !allmulti) {
		o->rows.failed = true;
		return true;
	}
	if (o->json)
		buf_str(&o->rows, "{\"interfaces\":[");
	else if (o->detail)
		out_head(o, "%6s %-*s %4s %4s %4s %-*s %-8s %10s %10s %10s %10s", "INDEX", (int)w.name, "PHYINT", "VIF",
			 "MIF", "TTL", (int)w.flags, "FLAGS", "ALLMULTI", "PKTS-IN", "BYTES-IN", "PKTS-OUT", "BYTES-OUT");
	else
		out_head(o, "%6s %-*s %4s %4s", "INDEX", (int)w.name, "PHYINT", "VIF", "MIF");
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
			buf_chr(&o->rows, '\n');
		}
		out_row(o);
	}
	free(allmulti);
	return show_json_text(s, "]}\n");
}

/* Each takes system calls of its own, but there are never many. */
show_part *const show_interfaces[] = { all_interfaces, NULL };
