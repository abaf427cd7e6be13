/* SPDX-License-Identifier: ISC
 *
 * `show metrics`: counters and gauges in the OpenMetrics text format 1.0, for
 * a collector to fetch.  Families are contiguous and samples of counters end in
 * _total, as the format asks; the reply ends with its # EOF.
 */
#include "router/show.h"

#include <stdio.h>
#include <string.h>

/* A label's value: backslash, quote and line end escaped; a byte that is no UTF-8 would spoil the whole
 * exposition and is spelled out. */
static void label(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "%s=\"", name);
	for (size_t len; *value; value += len) {
		len = utf8_len(value, strlen(value));
		if (*value == '\\' || *value == '"')
			buf_printf(b, "\\%c", *value);
		else if (*value == '\n')
			buf_str(b, "\\n");
		else if (len)
			buf_add(b, value, len);
		else
			buf_printf(b, "\\\\x%02x", (unsigned char)*value);
		len += !len;
	}
	buf_chr(b, '"');
}

static void family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# TYPE smcroute_%s %s\n# HELP smcroute_%s %s\n", name, type, name, help);
}

/* One sample without labels but an optional one. */
static void sample(struct buf *b, const char *name, const char *key, const char *value, uint64_t v)
{
	buf_printf(b, "smcroute_%s", name);
	if (key) {
		buf_chr(b, '{');
		label(b, key, value);
		buf_chr(b, '}');
	}
	buf_printf(b, " %llu\n", (unsigned long long)v);
}

static bool entry_family(struct show *show, const char *name, const char *help,
			 uint64_t (*pick)(const struct show_counts *))
{
	char s[ADDR_STRLEN], g[ADDR_STRLEN];
	struct router *r = show->r;
	struct buf *b = &show->o.rows;

	if (show_untitled(show))
		family(b, name, "counter", help);
	for (; show_more(show, r->mfc.n); show->at++) {
		const struct mfc *e = &r->mfc.v[show->at];

		if (e->state == MFC_FREE || !(e->flags & MFC_INSTALLED))
			continue;
		const struct iface *i = iface_by_vif(&r->ifs, addr_fam(&e->group), e->iif);
		struct show_counts counts = show_counts_of(show, show->at);

		buf_printf(b, "smcroute_%s_total{source=\"%s\",group=\"%s\",state=\"%s\",", name,
			   addr_str(&e->source, s), addr_str(&e->group, g), mfc_state_str(e->state));
		label(b, "iif", i ? i->name : "?");
		buf_printf(b, "} %llu\n", (unsigned long long)pick(&counts));
		out_row(&show->o);
	}
	return show->at >= r->mfc.n;
}

static uint64_t packets_of(const struct show_counts *c)
{
	return c->packets;
}

static uint64_t bytes_of(const struct show_counts *c)
{
	return c->bytes;
}

static uint64_t wrong_of(const struct show_counts *c)
{
	return c->wrong_if;
}

static void vif_family(struct router *r, struct output *o, const char *name, const char *help, size_t offset)
{
	struct buf *b = &o->rows;

	family(b, name, "counter", help);
	for (enum fam f = 0; f < FAM_N; f++)
		for (int vif = 0; vif < KERNEL_VIFS; vif++) {
			const struct iface *i = iface_by_vif(&r->ifs, f, vif);
			struct vif_stats st;

			if (!i || kernel_vif_stats(f, vif, &st) < 0)
				continue;
			buf_printf(b, "smcroute_%s_total{", name);
			label(b, "interface", i->name);
			buf_printf(b, ",family=\"%s\",vif=\"%d\"} %llu\n", f == FAM_4 ? "ipv4" : "ipv6", vif,
				   (unsigned long long)*(const uint64_t *)(const void *)((const char *)&st + offset));
			out_row(o);
		}
}

static void counters(struct router *r, struct buf *b)
{
	const struct router_counters *c = &r->count;
	const struct {
		const char *name, *help;
		uint64_t value;
	} all[] = {
		{ "learned", "Entries made for new sources by a template.", c->learned },
		{ "moved", "Entries that moved to another inbound interface.", c->moved },
		{ "blocked", "Entries made for flows without a rule.", c->blocked },
		{ "expired", "Learned and blocked entries that were idle too long.", c->expired },
		{ "evicted", "Blocked entries that made room for others.", c->evicted },
		{ "refused", "New sources for which there was no room.", c->refused },
		{ "wrong_vif_reports", "Reports of the kernel of packets on a wrong interface.", c->wrong_vif },
		{ "reloads", "Successful reloads.", c->reloads },
		{ "errors", "Requests that the kernel refused.", c->errors },
	};

	family(b, "upcalls", "counter", "Reports of the kernel.");
	for (enum fam f = 0; f < FAM_N; f++)
		sample(b, "upcalls_total", "family", f == FAM_4 ? "ipv4" : "ipv6", c->upcalls[f]);
	for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
		char name[64];

		family(b, all[i].name, "counter", all[i].help);
		snprintf(name, sizeof name, "%s_total", all[i].name);
		sample(b, name, NULL, NULL, all[i].value);
	}
}

/* Counts the rules, then the memberships, that wait. */
static bool waiting_rules(struct show *s)
{
	const struct conf *c = s->r->conf;
	uint16_t which;

	for (; show_more(s, c->nmroutes); s->at++)
		if (c->mroutes[s->at].iif != CONF_NONE && router_rule_reason(s->r, &c->mroutes[s->at], &which)) {
			s->sum++;
			show_charge(s, s->r->ifs.n / 8);
		}
	return s->at >= c->nmroutes;
}

static bool waiting_groups(struct show *s)
{
	const struct conf *c = s->r->conf;

	for (; show_more(s, c->nmgroups); s->at++)
		if (c->mgroups[s->at].iif != CONF_NONE && router_group_reason(s->r, &c->mgroups[s->at])) {
			s->sum++;
			show_charge(s, s->r->ifs.n / 8);
		}
	return s->at >= c->nmgroups;
}

static void gauges(struct router *r, struct buf *b, uint64_t pending)
{
	family(b, "entries", "gauge", "Entries in the kernel's forwarding cache.");
	for (enum mfc_state s = MFC_STATIC; s < MFC_STATES; s++)
		sample(b, "entries", "state", mfc_state_str(s), r->mfc.count[s]);
	family(b, "rules", "gauge", "Rules in force.");
	sample(b, "rules", NULL, NULL, r->conf->nmroutes - r->rules.removed);
	family(b, "pending", "gauge", "Rules and memberships that wait for an interface.");
	sample(b, "pending", NULL, NULL, pending);
	family(b, "memberships", "gauge", "Group memberships.");
	sample(b, "memberships", "state", "joined", r->groups.live - r->groups.failed);
	sample(b, "memberships", "state", "failed", r->groups.failed);
}

static bool totals(struct show *s)
{
	gauges(s->r, &s->o.rows, s->sum);
	counters(s->r, &s->o.rows);
	return true;
}

static bool entry_packets(struct show *s)
{
	return entry_family(s, "entry_packets", "Packets that came in on the right interface.", packets_of);
}

static bool entry_bytes(struct show *s)
{
	return entry_family(s, "entry_bytes", "Bytes that came in.", bytes_of);
}

static bool entry_wrong(struct show *s)
{
	return entry_family(s, "entry_wrong_interface", "Packets that came in on a wrong interface.", wrong_of);
}

static bool vifs(struct show *s)
{
	struct router *r = s->r;
	struct output *o = &s->o;

	vif_family(r, o, "vif_in_packets", "Packets in.", offsetof(struct vif_stats, in_packets));
	vif_family(r, o, "vif_in_bytes", "Bytes in.", offsetof(struct vif_stats, in_bytes));
	vif_family(r, o, "vif_out_packets", "Packets out.", offsetof(struct vif_stats, out_packets));
	vif_family(r, o, "vif_out_bytes", "Bytes out.", offsetof(struct vif_stats, out_bytes));
	buf_str(&o->rows, "# EOF\n");
	return true;
}

show_part *const show_metrics[] = {
	show_count_entries, waiting_rules, waiting_groups, totals, entry_packets, entry_bytes, entry_wrong, vifs, NULL
};
