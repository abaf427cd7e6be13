/* SPDX-License-Identifier: ISC
 *
 * `show interfaces`: all that the machine has, with their VIF and MIF numbers; with -d also how they are set up and
 * what went through them.
 */
#include "applets/control/show_table.h"

#include <stdio.h>
#include <string.h>

#include "router/reason.h"

#define FLAGS_STRLEN 128		/* enough for all of them */

enum { IFACES_INDEX, IFACES_NAME, IFACES_VIF, IFACES_MIF, IFACES_TTL, IFACES_FLAGS, IFACES_ALLMULTI, IFACES_QUERIER,
       IFACES_LEARNED, IFACES_IN, IFACES_IN_BYTES, IFACES_OUT, IFACES_OUT_BYTES, IFACES_REASON, IFACES_COLUMNS };

static const struct output_column ifaces_columns[IFACES_COLUMNS] = {
	[IFACES_INDEX] = { .heading = "INDEX", .key = "index", .width = 6 },
	[IFACES_NAME] = { .heading = "PHYINT", .key = "name", .width = 6, .width_of = OUTPUT_NAMES, .is_left = true },
	[IFACES_VIF] = { .heading = "VIF", .key = "vif", .width = 4, .none = "N/A" },
	[IFACES_MIF] = { .heading = "MIF", .key = "mif", .width = 4, .none = "N/A" },
	[IFACES_TTL] = { .heading = "TTL", .key = "ttl_threshold", .width = 4, .needs = OUTPUT_DETAIL },
	[IFACES_FLAGS] = {
		.heading = "FLAGS", .width = 5, .width_of = OUTPUT_FLAGS, .is_left = true, .needs = OUTPUT_DETAIL,
	},
	[IFACES_ALLMULTI] = {
		.heading = "ALLMULTI", .key = "allmulti", .width = 8, .is_left = true, .none = "-",
		.needs = OUTPUT_DETAIL,
	},
	[IFACES_QUERIER] = {
		.heading = "QUERIER", .key = "querier", .width = 8, .is_left = true, .none = "-",
		.needs = OUTPUT_DETAIL,
	},
	[IFACES_LEARNED] = { .heading = "LEARNED", .key = "learned", .width = 7, .needs = OUTPUT_DETAIL },
	[IFACES_IN] = {
		.heading = "PKTS-IN", .key = "in_packets", .width = 10, .width_of = OUTPUT_PACKETS, .none = "-",
		.needs = OUTPUT_DETAIL,
	},
	[IFACES_IN_BYTES] = {
		.heading = "BYTES-IN", .key = "in_bytes", .width = 10, .width_of = OUTPUT_BYTES, .none = "-",
		.needs = OUTPUT_DETAIL,
	},
	[IFACES_OUT] = {
		.heading = "PKTS-OUT", .key = "out_packets", .width = 10, .width_of = OUTPUT_PACKETS, .none = "-",
		.needs = OUTPUT_DETAIL,
	},
	[IFACES_OUT_BYTES] = {
		.heading = "BYTES-OUT", .key = "out_bytes", .width = 10, .width_of = OUTPUT_BYTES, .none = "-",
		.needs = OUTPUT_DETAIL,
	},
	[IFACES_REASON] = {
		.heading = "REASON", .key = "reason", .is_left = true, .none = "-", .needs = OUTPUT_DETAIL,
	},
};

/* Sums of the VIF and the MIF of an interface; JSON_NONE when one cannot be read. */
static struct vif_stats ifaces_counts(const struct iface *i)
{
	struct vif_stats sum = { 0 }, st = { 0 };

	for (enum fam f = 0; f < FAM_N; f++) {
		if (i->vif[f] < 0)
			continue;
		if (kernel_vif_stats(f, i->vif[f], &st) < 0)
			return (struct vif_stats){ JSON_NONE, JSON_NONE, JSON_NONE, JSON_NONE };
		sum.in_packets += st.in_packets;
		sum.in_bytes += st.in_bytes;
		sum.out_packets += st.out_packets;
		sum.out_bytes += st.out_bytes;
	}
	return sum;
}

/* Its learned and blocked entries, of both families: what option -M limits. */
static uint32_t ifaces_learned(const struct router *r, const struct iface *i)
{
	uint32_t n = 0;

	for (enum fam f = 0; f < FAM_N; f++)
		n += i->vif[f] >= 0 ? r->mfc.shares.slot[share_slot(f, i->vif[f])].count : 0;
	return n;
}

/* Writes the flags to text[FLAGS_STRLEN], with commas between them and each between quotes; returns the length. */
static int ifaces_flags(const struct iface *i, const char *quote, char *text)
{
	const struct { bool is_set; const char *name; } flags[] = {
		{ i->flags & LINK_UP, "up" }, { i->flags & LINK_RUNNING, "running" },
		{ i->flags & LINK_MULTICAST, "multicast" }, { i->flags & LINK_LOOPBACK, "loopback" },
		{ i->flags & LINK_POINTOPOINT, "pointopoint" }, { i->disabled, "disabled" }, { i->mrdisc, "mrdisc" },
		{ i->refresh, "refresh" },
	};
	int len = 0;

	*text = '\0';
	for (unsigned k = 0; k < sizeof flags / sizeof *flags; k++)
		if (flags[k].is_set)
			len += sprintf(text + len, "%s%s%s%s", len ? "," : "", quote, flags[k].name, quote);
	return len;
}

/* Makes room for the counters of an interface. */
static void ifaces_fit_counts(struct output *o, const struct iface *i)
{
	struct vif_stats n = ifaces_counts(i);

	output_widen_u64(o, OUTPUT_PACKETS, n.in_packets);
	output_widen_u64(o, OUTPUT_PACKETS, n.out_packets);
	output_widen_u64(o, OUTPUT_BYTES, n.in_bytes);
	output_widen_u64(o, OUTPUT_BYTES, n.out_bytes);
}

/* Finds out how wide the columns are. */
static void ifaces_begin(struct show *s)
{
	const struct ifaces *ifs = &s->router->ifs;
	char text[FLAGS_STRLEN];

	show_fit_names(s);
	for (uint32_t at = 0; at < ifs->n; at++) {
		if (!ifs->v[at].ifindex)
			continue;
		output_widen(&s->out, OUTPUT_FLAGS, (size_t)ifaces_flags(&ifs->v[at], "", text));
		if (show_fits(s) && s->out.wanted & OUTPUT_DETAIL)
			ifaces_fit_counts(&s->out, &ifs->v[at]);
	}
	output_heading(&s->out, "", ifaces_columns, IFACES_COLUMNS);
}

static void ifaces_put_flags(struct output *o, const struct iface *i)
{
	char text[FLAGS_STRLEN];

	ifaces_flags(i, o->json ? "\"" : "", text);
	if (o->json) {
		json_key(&o->rows, "flags");
		buf_printf(&o->rows, "[%s]", text);
	} else {
		output_text(o, &ifaces_columns[IFACES_FLAGS], *text ? text : "-");
	}
}

/* Which queriers are heard there. */
static void ifaces_put_querier(struct show *s, const struct iface *i)
{
	enum querier igmp = refresh_querier(s->router, i, FAM_4), mld = refresh_querier(s->router, i, FAM_6);
	bool is_unknown = igmp == QUERIER_UNKNOWN && mld == QUERIER_UNKNOWN;
	const struct output_column *column = &ifaces_columns[IFACES_QUERIER];
	struct output *o = &s->out;

	if (is_unknown) {
		output_text(o, column, NULL);
	} else if (o->json) {
		json_list(&o->rows, column->key);
		if (igmp == QUERIER_HEARD)
			json_item(&o->rows, "igmp");
		if (mld == QUERIER_HEARD)
			json_item(&o->rows, "mld");
		buf_chr(&o->rows, ']');
	} else {
		output_text(o, column, igmp < QUERIER_HEARD ? mld < QUERIER_HEARD ? "no" : "mld" :
			    mld < QUERIER_HEARD ? "igmp" : "igmp,mld");
	}
}

static void ifaces_row(struct show *s, const struct iface *i)
{
	const struct output_column *columns = ifaces_columns;
	struct output *o = &s->out;
	struct vif_stats n;

	output_row(o);
	output_u64(o, &columns[IFACES_INDEX], (unsigned)i->ifindex);
	output_text(o, &columns[IFACES_NAME], i->name);
	output_u64(o, &columns[IFACES_VIF], (uint64_t)i->vif[FAM_4]);
	output_u64(o, &columns[IFACES_MIF], (uint64_t)i->vif[FAM_6]);
	if (output_shows(o, &columns[IFACES_TTL])) {
		n = ifaces_counts(i);
		output_u64(o, &columns[IFACES_TTL], i->ttl);
		ifaces_put_flags(o, i);
		output_bool(o, &columns[IFACES_ALLMULTI], i->allmulti);
		ifaces_put_querier(s, i);
		output_u64(o, &columns[IFACES_LEARNED], ifaces_learned(s->router, i));
		output_u64(o, &columns[IFACES_IN], n.in_packets);
		output_u64(o, &columns[IFACES_IN_BYTES], n.in_bytes);
		output_u64(o, &columns[IFACES_OUT], n.out_packets);
		output_u64(o, &columns[IFACES_OUT_BYTES], n.out_bytes);
		output_text(o, &columns[IFACES_REASON], reason_of_interface(i));
	}
	output_row_end(o);
}

static bool ifaces_write(struct show *s)
{
	enum { BEGIN, HEADINGS, ROWS, END, DONE };
	const struct ifaces *ifs = &s->router->ifs;

	show_json(s, BEGIN, "{\"interfaces\":[");
	if (show_once(s, HEADINGS))
		ifaces_begin(s);
	while (show_step(s, ROWS, ifs->n))
		if (ifs->v[show_number(s)].ifindex)
			ifaces_row(s, &ifs->v[show_number(s)]);
	show_json(s, END, "]}\n");
	return s->stage == DONE;
}

const struct show_kind show_interfaces = {
	.name = "interfaces", .tried = "vif vifs mif mifs phyint phyints links", .letter = 'i', .write = ifaces_write,
};
