/* SPDX-License-Identifier: ISC
 *
 * Asking the kernel is what takes long in a table with counters.
 */
#include "applets/control/show_count.h"

#include <stdlib.h>

/* Asking costs as much as looking at that many things. */
#define ASKING 6

/* Asks the kernel for the counters of an entry; what it does not have is 0. */
static struct mfc_stats show_count_ask(struct show *s, uint32_t at)
{
	const struct mfc *e = &s->router->mfc.v[at];
	struct mfc_stats st = { 0 };

	if (e->state != MFC_FREE && e->flags & MFC_INSTALLED) {
		show_charge(s, ASKING);
		kernel_mfc_stats(&e->flow, &st);
	}
	return st;
}

static void show_count_begin(struct show *s, bool for_rules)
{
	s->nentries = s->router->mfc.n;
	s->removals = s->router->mfc.removals;
	s->entries = calloc(s->nentries + 1u, sizeof *s->entries);
	s->out.rows.failed |= !s->entries;
	if (!for_rules)
		return;

	const struct rules *t = &s->router->rules.routes;

	s->rules = calloc(t->n + 1u, sizeof *s->rules);
	if (!s->rules) {
		s->out.rows.failed = true;
		return;
	}
	s->nrules = t->n;
	for (uint32_t id = t->first; id != HASH_NONE; id = t->v[id].next)
		s->rules[id].rank = t->v[id].rank;
}

/* The sums of a rule; NULL where it has come since into a place that was another's. */
static struct mfc_stats *show_count_of(const struct show *s, uint32_t id)
{
	return id < s->nrules && s->rules[id].rank == s->router->rules.routes.v[id].rank ? &s->rules[id].counts : NULL;
}

/* What is added to the rules behind an entry. */
struct show_count_sum {
	struct show *s;
	struct mfc_stats counts;
};

static void show_count_add(void *ctx, uint32_t id)
{
	const struct show_count_sum *sum = ctx;
	struct mfc_stats *counts = show_count_of(sum->s, id);

	if (!counts)
		return;
	counts->packets += sum->counts.packets;
	counts->bytes += sum->counts.bytes;
	counts->wrong_if += sum->counts.wrong_if;
}

void show_count(struct show *s, int stage, bool for_rules)
{
	const struct router *r = s->router;

	if (s->stage == stage && !s->entries)
		show_count_begin(s, for_rules);
	while (show_step(s, stage, s->nentries < r->mfc.n ? s->nentries : r->mfc.n)) {
		uint32_t at = show_number(s);
		const struct mfc *e = &r->mfc.v[at];
		struct show_count_sum sum = { s, show_count_ask(s, at) };

		s->entries[at] = sum.counts;
		if (for_rules && e->state != MFC_FREE && sum.counts.packets)
			ruleset_matching(&r->rules, &e->flow, e->iif, show_count_add, &sum);
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
	const struct mfc_stats *counts = show_count_of(s, id);

	return counts ? *counts : (struct mfc_stats){ 0 };
}

void show_count_free(struct show *s)
{
	free(s->entries);
	free(s->rules);
}

size_t show_count_size(const struct show *s)
{
	return s->nentries * sizeof *s->entries + s->nrules * sizeof *s->rules;
}
