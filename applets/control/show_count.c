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

static struct mfc_stats *show_count_new(struct show *s, uint32_t n)
{
	struct mfc_stats *v = calloc(n + 1u, sizeof *v);

	s->out.rows.failed |= !v;
	return v;
}

static void show_count_begin(struct show *s, bool for_rules)
{
	s->nentries = s->router->mfc.n;
	s->removals = s->router->mfc.removals;
	s->entries = show_count_new(s, s->nentries);
	if (for_rules) {
		s->nrules = s->router->conf->nmroutes;
		s->rules = show_count_new(s, s->nrules);
	}
}

/* What is added to the rules behind an entry. */
struct show_count_sum {
	struct show *s;
	struct mfc_stats counts;
};

static void show_count_add(void *ctx, uint32_t id)
{
	const struct show_count_sum *sum = ctx;
	struct show *s = sum->s;

	if (id >= s->nrules)
		return;
	s->rules[id].packets += sum->counts.packets;
	s->rules[id].bytes += sum->counts.bytes;
	s->rules[id].wrong_if += sum->counts.wrong_if;
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
			rules_matching(&r->rules, &e->flow, e->iif, show_count_add, &sum);
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
	return id < s->nrules ? s->rules[id] : (struct mfc_stats){ 0 };
}

void show_count_free(struct show *s)
{
	free(s->entries);
	free(s->rules);
}

size_t show_count_size(const struct show *s)
{
	return ((size_t)s->nentries + s->nrules) * sizeof *s->entries;
}
