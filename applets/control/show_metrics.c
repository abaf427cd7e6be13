/* SPDX-License-Identifier: ISC
 *
 * `show metrics`: counters and gauges in the OpenMetrics text format 1.0, for
 * a collector to fetch.  Families are contiguous and samples of counters end in
 * _total, as the format asks; the reply ends with its # EOF.
 */
#include "applets/control/show.h"

#include "lib/text.h"

#include <string.h>

/* A family of counters. */
struct metric {
	const char *name, *help;
	size_t offset;		/* of the counter in the struct that has it, an uint64_t */
};

/* Of each entry: arg of the parts is their place. */
static const struct metric of_entry[] = {
	{ "entry_packets", "Packets that came in on the right interface.", offsetof(struct mfc_stats, packets) },
	{ "entry_bytes", "Bytes that came in.", offsetof(struct mfc_stats, bytes) },
	{ "entry_wrong_interface", "Packets that came in on a wrong interface.", offsetof(struct mfc_stats, wrong_if) },
};

static const struct metric of_vif[] = {
	{ "vif_in_packets", "Packets in.", offsetof(struct vif_stats, in_packets) },
	{ "vif_in_bytes", "Bytes in.", offsetof(struct vif_stats, in_bytes) },
	{ "vif_out_packets", "Packets out.", offsetof(struct vif_stats, out_packets) },
	{ "vif_out_bytes", "Bytes out.", offsetof(struct vif_stats, out_bytes) },
};

#define OF_ROUTER(field) offsetof(struct router_counters, field)

static const struct metric of_router[] = {
	{ "learned", "Entries made for new sources by a template.", OF_ROUTER(learned) },
	{ "moved", "Entries that moved to another inbound interface.", OF_ROUTER(moved) },
	{ "blocked", "Entries made for flows without a rule.", OF_ROUTER(blocked) },
	{ "expired", "Learned and blocked entries that were idle too long.", OF_ROUTER(expired) },
	{ "evicted", "Blocked entries that made room for others.", OF_ROUTER(evicted) },
	{ "refused", "New sources for which there was no room.", OF_ROUTER(refused) },
	{ "wrong_vif_reports", "Reports of the kernel of packets on a wrong interface.", OF_ROUTER(wrong_vif) },
	{ "reloads", "Successful reloads.", OF_ROUTER(reloads) },
	{ "errors", "Requests that the kernel refused.", OF_ROUTER(errors) },
};

static unsigned long long counter(const struct metric *m, const void *counters)
{
	uint64_t v;

	memcpy(&v, (const char *)counters + m->offset, sizeof v);
	return v;
}

/* A label's value: backslash, quote and line end escaped; a byte that is no UTF-8 would spoil the whole
 * exposition and is spelled out. */
static void escaped(struct buf *b, const char *value)
{
	for (size_t len; *value; value += len) {
		len = text_utf8_len(value, strlen(value));
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
}

static void family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# TYPE smcroute_%s %s\n# HELP smcroute_%s %s\n", name, type, name, help);
}

static const char *family_of(enum fam f)
{
	return f == FAM_4 ? "ipv4" : "ipv6";
}

/* ---- the parts ---- */

static void gauges(struct show *s)
{
	const struct router *r = s->r;
	struct buf *b = &s->o.rows;

	family(b, "entries", "gauge", "Entries in the kernel's forwarding cache.");
	for (enum mfc_state state = MFC_STATIC; state < MFC_STATES; state++)
		buf_printf(b, "smcroute_entries{state=\"%s\"} %u\n", mfc_state_str(state), r->mfc.count[state]);
	family(b, "rules", "gauge", "Rules in force.");
	buf_printf(b, "smcroute_rules %u\n", r->conf->nmroutes - r->rules.removed);
	family(b, "pending", "gauge", "Rules and memberships that wait for an interface.");
	buf_printf(b, "smcroute_pending %u\n", s->pending);
	family(b, "memberships", "gauge", "Group memberships.");
	buf_printf(b, "smcroute_memberships{state=\"joined\"} %u\nsmcroute_memberships{state=\"failed\"} %u\n",
		   r->groups.live - r->groups.failed, r->groups.failed);
}

static void counters(struct show *s)
{
	const struct router_counters *c = &s->r->count;
	struct buf *b = &s->o.rows;

	family(b, "upcalls", "counter", "Reports of the kernel.");
	for (enum fam f = 0; f < FAM_N; f++)
		buf_printf(b, "smcroute_upcalls_total{family=\"%s\"} %llu\n", family_of(f),
			   (unsigned long long)c->upcalls[f]);
	for (unsigned i = 0; i < sizeof of_router / sizeof *of_router; i++) {
		const struct metric *m = &of_router[i];

		family(b, m->name, "counter", m->help);
		buf_printf(b, "smcroute_%s_total %llu\n", m->name, counter(m, c));
	}
}

static void entry_head(struct show *s)
{
	const struct metric *m = &of_entry[s->part->arg];

	family(&s->o.rows, m->name, "counter", m->help);
}

static void entry(struct show *s)
{
	const struct metric *m = &of_entry[s->part->arg];
	char source[ADDR_STRLEN], group[ADDR_STRLEN];
	struct buf *b = &s->o.rows;
	const char *iif;
	const struct mfc *e = show_entry(s, &iif);

	if (!e)
		return;
	buf_printf(b, "smcroute_%s_total{source=\"%s\",group=\"%s\",state=\"%s\",iif=\"", m->name,
		   addr_str(&e->flow.source, source), addr_str(&e->flow.group, group), mfc_state_str(e->state));
	escaped(b, iif);
	buf_printf(b, "\"} %llu\n", counter(m, show_counts(s)));
}

static void vif_family(struct show *s, const struct metric *m)
{
	struct buf *b = &s->o.rows;

	family(b, m->name, "counter", m->help);
	for (enum fam f = 0; f < FAM_N; f++)
		for (int vif = 0; vif < KERNEL_VIFS; vif++) {
			const struct iface *i = iface_by_vif(&s->r->ifs, f, vif);
			struct vif_stats st;

			if (!i || kernel_vif_stats(f, vif, &st) < 0)
				continue;
			buf_printf(b, "smcroute_%s_total{interface=\"", m->name);
			escaped(b, i->name);
			buf_printf(b, "\",family=\"%s\",vif=\"%d\"} %llu\n", family_of(f), vif, counter(m, &st));
			out_row(&s->o);
		}
}

static void vifs(struct show *s)
{
	for (unsigned i = 0; i < sizeof of_vif / sizeof *of_vif; i++)
		vif_family(s, &of_vif[i]);
	buf_str(&s->o.rows, "# EOF\n");
}

const struct show_part show_metrics[] = {
	{ show_count_begin, .of = SHOW_ONCE },
	{ show_count, .of = SHOW_COUNTED },
	{ show_pending_rule, .of = SHOW_MROUTES, .arg = true },
	{ show_pending_group, .of = SHOW_MGROUPS, .arg = true },
	{ gauges, .of = SHOW_ONCE },
	{ counters, .of = SHOW_ONCE },
	{ entry_head, .arg = 0 },
	{ entry, .of = SHOW_ENTRIES, .arg = 0 },
	{ entry_head, .arg = 1 },
	{ entry, .of = SHOW_ENTRIES, .arg = 1 },
	{ entry_head, .arg = 2 },
	{ entry, .of = SHOW_ENTRIES, .arg = 2 },
	{ vifs, .after = SHOW_END },
};
