/* SPDX-License-Identifier: ISC
 *
 * `show metrics`: counters and gauges for a collector to fetch.  As OpenMetrics 1.0 asks, all samples of a family stand
 * together, samples of counters end in _total, and the reply ends with # EOF.
 */
#include "applets/control/show_count.h"

#include <string.h>

#include "lib/clock.h"
#include "lib/text.h"
#include "router/reflect.h"

/* A family of counters. */
struct metric {
	const char *name, *help;
	size_t offset;		/* of the counter in the struct that has it, an uint64_t */
};

static const struct metric metrics_of_entry[] = {
	{ "entry_packets", "Packets that came in on the right interface.", offsetof(struct mfc_stats, packets) },
	{ "entry_bytes", "Bytes that came in.", offsetof(struct mfc_stats, bytes) },
	{ "entry_wrong_interface", "Packets that came in on a wrong interface.", offsetof(struct mfc_stats, wrong_if) },
};

static const struct metric metrics_of_vif[] = {
	{ "vif_in_packets", "Packets in.", offsetof(struct vif_stats, in_packets) },
	{ "vif_in_bytes", "Bytes in.", offsetof(struct vif_stats, in_bytes) },
	{ "vif_out_packets", "Packets out.", offsetof(struct vif_stats, out_packets) },
	{ "vif_out_bytes", "Bytes out.", offsetof(struct vif_stats, out_bytes) },
};

#define OF_ROUTER(field) offsetof(struct router_counters, field)

static const struct metric metrics_of_router[] = {
	{ "learned", "Entries made for new sources by a template.", OF_ROUTER(learned) },
	{ "moved", "Entries that moved to another inbound interface.", OF_ROUTER(moved) },
	{ "blocked", "Entries made for flows without a rule.", OF_ROUTER(blocked) },
	{ "expired", "Learned and blocked entries that were idle too long.", OF_ROUTER(expired) },
	{ "evicted", "Learned and blocked entries that made room for others.", OF_ROUTER(evicted) },
	{ "refused", "New sources that got no entry, for lack of room or memory.", OF_ROUTER(refused) },
	{ "multiplied", "Entries seen to put out far more than came in, once a minute each.", OF_ROUTER(multiplied) },
	{ "wrong_vif_reports", "Reports of the kernel of packets on a wrong interface.", OF_ROUTER(wrong_vif) },
	{ "reloads", "Successful reloads.", OF_ROUTER(reloads) },
	{ "errors", "Requests that the kernel refused.", OF_ROUTER(errors) },
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static unsigned long long metrics_counter(const struct metric *m, const void *counters)
{
	uint64_t v;

	memcpy(&v, (const char *)counters + m->offset, sizeof v);
	return v;
}

/* Appends the value of a label: backslash, quote and line end escaped.  A byte that is no UTF-8 would spoil the whole
 * exposition and is spelled out. */
static void metrics_label(struct buf *b, const char *value)
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

static void metrics_family(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# TYPE smcroute_%s %s\n# HELP smcroute_%s %s\n", name, type, name, help);
}

static const char *metrics_fam(enum fam f)
{
	return f == FAM_4 ? "ipv4" : "ipv6";
}

static unsigned metrics_held(const struct router *r)
{
	unsigned n = 0;

	for (uint32_t at = 0; r->mfc.reflecting && at < r->mfc.n; at++)
		n += r->mfc.v[at].state != MFC_FREE && reflect_holds(&r->mfc.v[at]);
	return n;
}

static void metrics_gauges(struct show *s)
{
	const struct router *r = s->router;
	struct buf *b = &s->out.rows;

	metrics_family(b, "routing", "gauge", "Whether the routing socket of a family is ours.");
	for (enum fam f = 0; f < FAM_N; f++)
		buf_printf(b, "smcroute_routing{family=\"%s\"} %d\n", metrics_fam(f), r->up[f]);
	metrics_family(b, "entries", "gauge", "Entries in the kernel's forwarding cache.");
	for (enum mfc_state state = MFC_STATIC; state < MFC_STATES; state++)
		if (state != MFC_ASIDE)
			buf_printf(b, "smcroute_entries{state=\"%s\"} %u\n", mfc_state_str(state),
				   r->mfc.count[state]);
	metrics_family(b, "learned_max", "gauge", "Learned and blocked entries that there may be, option -M.");
	buf_printf(b, "smcroute_learned_max %u\n", r->max_dynamic);
	metrics_family(b, "rules", "gauge", "Rules in force.");
	buf_printf(b, "smcroute_rules %u\n", r->rules.routes.live);
	metrics_family(b, "pending", "gauge", "Rules and memberships that wait for an interface.");
	buf_printf(b, "smcroute_pending %u\n", s->pending);
	metrics_family(b, "held_back", "gauge", "Entries that do not go out where they come in, as each packet would "
		       "come back.");
	buf_printf(b, "smcroute_held_back %u\n", metrics_held(r));
	metrics_family(b, "memberships", "gauge", "Group memberships.");
	buf_printf(b, "smcroute_memberships{state=\"joined\"} %u\nsmcroute_memberships{state=\"failed\"} %u\n",
		   r->groups->live - r->groups->failed, r->groups->failed);
}

static void metrics_counters(struct show *s)
{
	const struct router_counters *c = &s->router->count;
	struct buf *b = &s->out.rows;

	metrics_family(b, "upcalls", "counter", "Reports of the kernel.");
	for (enum fam f = 0; f < FAM_N; f++)
		buf_printf(b, "smcroute_upcalls_total{family=\"%s\"} %llu\n", metrics_fam(f),
			   (unsigned long long)c->upcalls[f]);
	for (const struct metric *m = metrics_of_router; m < metrics_of_router + COUNT(metrics_of_router); m++) {
		metrics_family(b, m->name, "counter", m->help);
		buf_printf(b, "smcroute_%s_total %llu\n", m->name, metrics_counter(m, c));
	}
}

/* Appends the labels of a flow, or of a range of flows. */
static void metrics_flow(struct buf *b, const struct show_flow *f)
{
	char source[ADDR_STRLEN], group[ADDR_STRLEN];

	buf_printf(b, "source=\"%s\",group=\"%s\",iif=\"",
		   flow_range_any_source(&f->range) ? "*" :
						      prefix_str(&f->range.flow.source, f->range.source_len, source),
		   prefix_str(&f->range.flow.group, f->range.group_len, group));
	metrics_label(b, f->iif);
	buf_chr(b, '"');
}

/* A family that has a sample for each entry: two stages. */
static void metrics_entries(struct show *s, int stage, const struct metric *m)
{
	struct buf *b = &s->out.rows;
	const struct mfc *e;

	if (show_once(s, stage))
		metrics_family(b, m->name, "counter", m->help);
	while ((e = show_next_entry(s, stage + 1))) {
		struct show_flow f = show_flow_of_entry(s->router, e);
		struct mfc_stats n = show_count_entry(s, show_number(s));

		if (!show_count_is_known(&n))
			continue;
		buf_printf(b, "smcroute_%s_total{", m->name);
		metrics_flow(b, &f);
		buf_printf(b, ",state=\"%s\"} %llu\n", mfc_state_str(e->state), metrics_counter(m, &n));
	}
}

/* When a packet of each rule came last: two stages. */
static void metrics_rules(struct show *s, int stage)
{
	struct buf *b = &s->out.rows;
	const struct rule *rule;

	if (show_once(s, stage))
		metrics_family(b, "rule_last_packet_timestamp_seconds", "gauge",
			       "When a packet of the rule was last seen to have come, 0: none that is known of.");
	while ((rule = show_next_rule(s, stage + 1, &s->router->rules.routes))) {
		struct show_flow f = show_flow_of_rule(s->router, rule);
		int64_t silence = show_count_silence(s, show_number(s));
		buf_str(b, "smcroute_rule_last_packet_timestamp_seconds{");
		metrics_flow(b, &f);
		long long when = silence < 0 ? 0 : clock_usec(CLOCK_REALTIME) / 1000 - silence;

		buf_printf(b, when ? "} %lld.%03lld\n" : "} 0\n", when / 1000, when % 1000);
	}
}

/* The samples of all VIFs: of one of their counters or, without, how many of the entries that option -M limits they
 * have. */
static void metrics_vifs(struct show *s, const struct metric *m)
{
	const struct router *r = s->router;
	struct buf *b = &s->out.rows;

	if (m)
		metrics_family(b, m->name, "counter", m->help);
	else
		metrics_family(b, "vif_learned", "gauge", "Learned and blocked entries of the interface.");
	for (enum fam f = 0; f < FAM_N; f++)
		for (int vif = 0; vif < KERNEL_VIFS; vif++) {
			const struct iface *i = iface_by_vif(&r->ifs, f, vif);
			struct vif_stats n;

			if (!i || (m && kernel_vif_stats(f, vif, &n) < 0))
				continue;
			buf_printf(b, m ? "smcroute_%s_total{interface=\"" : "smcroute_%s{interface=\"",
				   m ? m->name : "vif_learned");
			metrics_label(b, i->name);
			buf_printf(b, "\",family=\"%s\",vif=\"%d\"} %llu\n", metrics_fam(f), vif,
				   m ? metrics_counter(m, &n) : r->mfc.shares.slot[share_slot(f, vif)].count);
		}
}

/* A stage that counts the rules of a kind that wait. */
static void metrics_pending(struct show *s, int stage, struct rules *t)
{
	const struct rule *rule;
	const char *name;

	while ((rule = show_next_rule(s, stage, t)))
		show_reason(s, t, rule, &name);
}

static bool metrics_write(struct show *s)
{
	enum { COUNTERS, PENDING_RULES, PENDING_GROUPS, ROUTER, RULES, ENTRIES = RULES + 2,
	       VIFS = ENTRIES + 2 * COUNT(metrics_of_entry), DONE };

	show_count(s, COUNTERS, true);
	metrics_pending(s, PENDING_RULES, &s->router->rules.routes);
	metrics_pending(s, PENDING_GROUPS, &s->router->rules.joins);
	if (show_once(s, ROUTER)) {
		metrics_gauges(s);
		metrics_counters(s);
	}
	metrics_rules(s, RULES);
	for (unsigned i = 0; i < COUNT(metrics_of_entry); i++)
		metrics_entries(s, ENTRIES + 2 * (int)i, &metrics_of_entry[i]);
	if (show_once(s, VIFS)) {
		metrics_vifs(s, NULL);
		for (unsigned i = 0; i < COUNT(metrics_of_vif); i++)
			metrics_vifs(s, &metrics_of_vif[i]);
		buf_str(&s->out.rows, "# EOF\n");
	}
	return s->stage == DONE;
}

const struct show_kind show_metrics = {
	.name = "metrics", .tried = "stats statistics counters", .write = metrics_write,
};
