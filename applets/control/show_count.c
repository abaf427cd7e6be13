/* SPDX-License-Identifier: ISC */
#include "applets/control/show_count.h"

#include <stdlib.h>

/* Asking the kernel for counters takes as long as so many other steps. */
#define ASKING_STEPS 6

/* Up to so many entries are read through in one go. */
#define READ_ANY 2048

static const struct mfc_stats show_count_unknown = { JSON_NONE, JSON_NONE, JSON_NONE };

bool show_count_is_known(const struct mfc_stats *counts)
{
	return counts->packets != JSON_NONE;
}

/* True for an entry of any source when its group has several: asked for one, the kernel would tell another. */
static bool show_count_has_others(const struct show *s, const struct mfc *e)
{
	uint32_t vifs = e->state == MFC_KERNEL ? mfc_any_vifs(&s->router->mfc, &e->flow.group) : 0;

	return vifs & (vifs - 1);
}

/* Asks the kernel for the counters of an entry; of one that it does not have they are 0. */
static struct mfc_stats show_count_ask(struct show *s, uint32_t at)
{
	const struct mfc *e = &s->router->mfc.v[at];
	struct mfc_stats st = { 0 };

	if (show_count_has_others(s, e))
		return show_count_unknown;
	if (e->state != MFC_FREE && e->flags & MFC_INSTALLED) {
		show_charge(s, ASKING_STEPS);
		if (kernel_mfc_stats(&e->flow, &st) < 0)
			return show_count_unknown;
	}
	return st;
}

/* Makes room for counters in their columns. */
static void show_count_widen(struct show *s, const struct mfc_stats *counts)
{
	if (!show_fits(s))
		return;
	output_widen_u64(&s->out, OUTPUT_PACKETS, counts->packets);
	output_widen_u64(&s->out, OUTPUT_BYTES, counts->bytes);
}

static void show_count_note(void *ctx, const struct addr *group, int iif, const struct mfc_stats *counts)
{
	const struct show *s = ctx;
	uint32_t at = mfc_find_any(&s->router->mfc, group, iif);

	if (at < s->nentries)
		s->entries[at] = *counts;
}

/* Reads the counters of those entries, where that does not take long. */
static void show_count_any(struct show *s)
{
	const struct router *r = s->router;
	bool any = false;

	for (uint32_t at = 0; s->entries && r->mfc.count[MFC_KERNEL] && at < s->nentries; at++)
		if (show_count_has_others(s, &r->mfc.v[at])) {
			s->entries[at] = show_count_unknown;
			any = true;
		}
	for (enum fam f = 0; any && !r->table && s->nentries <= READ_ANY && f < FAM_N; f++)
		kernel_counts_any(f, show_count_note, s);
}

static void show_count_begin(struct show *s)
{
	const struct rules *t = &s->router->rules.routes;

	s->nentries = s->router->mfc.n;
	s->nrules = t->n;
	s->removals = s->router->mfc.removals;
	s->entries = calloc(s->nentries + 1u, sizeof *s->entries);
	s->rules = calloc(s->nrules + 1u, sizeof *s->rules);
	s->out.rows.failed |= !s->entries || !s->rules;
	for (uint32_t id = t->first; s->rules && id != HASH_NONE; id = t->v[id].next)
		s->rules[id].serial = t->v[id].serial;
	show_count_any(s);
}

/* The sums of a rule; NULL where it has come since, into a place that may have been another's. */
static struct show_count_of_rule *show_count_of(const struct show *s, uint32_t id)
{
	const struct rule *rule = &s->router->rules.routes.v[id];

	return id < s->nrules && s->rules[id].serial == rule->serial ? &s->rules[id] : NULL;
}

/* What is added to the rules behind an entry. */
struct show_sum {
	struct show *s;
	struct mfc_stats counts;
	uint32_t heard;		/* as in struct show_count_of_rule */
};

static void show_count_add(void *ctx, uint32_t id)
{
	const struct show_sum *sum = ctx;
	struct show_count_of_rule *rule = show_count_of(sum->s, id);

	if (!rule)
		return;
	if (sum->heard > rule->heard)
		rule->heard = sum->heard;

	struct mfc_stats *to = &rule->counts;

	if (!show_count_is_known(to))
		return;
	if (!show_count_is_known(&sum->counts)) {
		*to = show_count_unknown;
		return;
	}
	to->packets += sum->counts.packets;
	to->bytes += sum->counts.bytes;
	to->wrong_if += sum->counts.wrong_if;
	show_count_widen(sum->s, to);
}

/* Compares an entry's packets with those of the last time, and returns what struct show_count_of_rule says. */
static uint32_t show_count_heard(struct router *r, uint32_t at, const struct mfc_stats *counts)
{
	if (!show_count_is_known(counts))
		return 0;
	mfc_sample(&r->mfc, at, (uint32_t)counts->packets, r->now);
	return mfc_use(&r->mfc, at)->used + 1;
}

void show_count(struct show *s, int stage, bool is_heard)
{
	struct router *r = s->router;

	if (s->stage == stage && !s->entries)
		show_count_begin(s);
	while (show_step(s, stage, s->nentries < r->mfc.n ? s->nentries : r->mfc.n)) {
		uint32_t at = show_number(s);
		const struct mfc *e = &r->mfc.v[at];
		struct show_sum sum = { s, show_count_has_others(s, e) ? s->entries[at] : show_count_ask(s, at), 0 };

		s->entries[at] = sum.counts;
		show_count_widen(s, &sum.counts);
		if (e->state == MFC_FREE || !sum.counts.packets)
			continue;
		if (is_heard)
			sum.heard = show_count_heard(r, at, &sum.counts);
		ruleset_deciding(&r->rules, &e->flow, e->iif, show_count_add, &sum);
	}
}

struct mfc_stats show_count_entry(struct show *s, uint32_t at)
{
	/* Since an entry went, its place may be another's. */
	if (at >= s->nentries || s->removals != s->router->mfc.removals)
		return show_count_ask(s, at);
	return s->entries[at];
}

struct mfc_stats show_count_rule(const struct show *s, uint32_t id)
{
	const struct show_count_of_rule *rule = show_count_of(s, id);

	return rule ? rule->counts : (struct mfc_stats){ 0 };
}

int64_t show_count_silence(const struct show *s, uint32_t id)
{
	const struct show_count_of_rule *rule = show_count_of(s, id);
	int64_t now = s->router->now;

	if (!rule || !rule->heard)
		return -1;
	/* Of what is less than a tick too, so that the moment does not change while none comes. */
	return (int64_t)((uint32_t)(now / MFC_TICK) + 1 - rule->heard) * MFC_TICK + now % MFC_TICK;
}
