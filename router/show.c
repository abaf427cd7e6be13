/* SPDX-License-Identifier: ISC
 *
 * `show`: which table is asked for, and the tables that are not routes.
 */
#include "router/show.h"

#include <stdio.h>
#include <string.h>

#include "lib/status.h"

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

static void iface_json(struct buf *b, const struct iface *i)
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
	json_u64(b, "in_packets", st.in_packets);
	json_u64(b, "in_bytes", st.in_bytes);
	json_u64(b, "out_packets", st.out_packets);
	json_u64(b, "out_bytes", st.out_bytes);
	buf_chr(b, '}');
}

static void iface_text(struct buf *b, const struct iface *i, unsigned width, bool detail)
{
	buf_printf(b, "%6d ", i->ifindex);
	size_t from = b->len;
	buf_str(b, i->name);
	out_pad(b, from, width);
	vif_text(b, i->vif[FAM_4]);
	vif_text(b, i->vif[FAM_6]);
	if (detail) {
		struct vif_stats st = iface_stats(i);

		buf_printf(b, " %4u %10llu %10llu %10llu %10llu  ", i->ttl,
			   (unsigned long long)st.in_packets, (unsigned long long)st.in_bytes,
			   (unsigned long long)st.out_packets, (unsigned long long)st.out_bytes);
		flag_names(b, i, ",", "");
	}
	buf_chr(b, '\n');
}

static void show_interfaces(struct router *r, struct output *o)
{
	unsigned width = show_name_width(r, 6);

	if (o->json)
		buf_str(&o->rows, "{\"interfaces\":[");
	else if (o->detail)
		out_head(o, "%6s %-*s %4s %4s %4s %10s %10s %10s %10s  %s", "INDEX", (int)width, "PHYINT", "VIF", "MIF",
			 "TTL", "PKTS IN", "BYTES IN", "PKTS OUT", "BYTES OUT", "FLAGS");
	else
		out_head(o, "%6s %-*s %4s %4s", "INDEX", (int)width, "PHYINT", "VIF", "MIF");
	for (uint32_t at = 0; at < r->ifs.n; at++) {
		const struct iface *i = &r->ifs.v[at];

		if (!i->ifindex)
			continue;
		if (o->json)
			iface_json(&o->rows, i);
		else
			iface_text(&o->rows, i, width, o->detail);
		out_row(o);
	}
	if (o->json)
		buf_str(&o->rows, "]}\n");
}

static void show_config(struct router *r, struct output *o)
{
	conf_print(&o->rows, r->conf);
	out_row(o);
}

static const struct {
	const char *name;
	void (*fn)(struct router *r, struct output *o);
} tables[] = {
	{ "routes", show_routes },
	{ "groups", show_groups },
	{ "interfaces", show_interfaces },
	{ "pending", show_pending },
	{ "config", show_config },
	{ "metrics", show_metrics },
};

/* The same names in the same order. */
const char *const show_words[] = { "routes", "groups", "interfaces", "pending", "config", "metrics", NULL };

_Static_assert(sizeof show_words / sizeof *show_words == sizeof tables / sizeof *tables + 1, "one word a table");

int show_run(struct router *r, struct cmd *c)
{
	struct output o;
	char why[128];
	int n = c->argc > 1 ? word_find(show_words, c->argv[1], why, sizeof why) : 0;

	if (n < 0)
		return cmd_fail(c, EXIT_USAGE, "show %s: no such table, there are: %s", c->argv[1], why);
	out_begin(&o, c);
	tables[n].fn(r, &o);
	if (!out_end(&o))
		return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	return 0;
}
