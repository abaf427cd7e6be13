/* SPDX-License-Identifier: ISC */
#include "applets/doctor/evidence_nat.h"

#include <string.h>

#include "applets/doctor/evidence_entry.h"

static bool evidence_nat_came_in(const struct doctor *d, const struct watched *w)
{
	for (const struct sighting *s = NULL; (s = flows_next(&d->flows, w, s));)
		if (s->n[SNIFF_WIRE] || s->n[SNIFF_IP])
			return true;
	return false;
}

uint64_t evidence_translated(const struct doctor *d, const struct passage *a, struct addr *source)
{
	/* Where the rules are not to be seen there may be such. */
	bool may = passage_renames(d, a) || passage_is_hidden(d);
	const struct watched *w = a->w;
	uint64_t n = 0;

	for (const struct watched *v = d->flows.v; may && v < d->flows.v + d->flows.n; v++) {
		const struct sighting *s = v == w ? NULL : flows_on(&d->flows, v, a->out);

		/* The source port may be another one as well. */
		if (!s || s->n[SNIFF_OUT] <= n || !addr_eq(&v->flow.group, &w->flow.group) ||
		    v->protocol != w->protocol || (w->has_ports && memcmp(v->ports + 2, w->ports + 2, 2)) ||
		    evidence_nat_came_in(d, v))
			continue;
		n = s->n[SNIFF_OUT];
		*source = v->flow.source;
	}
	return n;
}

bool evidence_changed(const struct doctor *d, const struct passage *a, struct flow *as)
{
	const struct watched *w = a->w;

	if (passage_changes(d, a, HOOK_PORT_INGRESS, HOOK_BEFORE, as))
		return true;
	for (const struct watched *v = d->flows.v; passage_is_hidden(d) && v < d->flows.v + d->flows.n; v++) {
		if (v == w || !addr_eq(&v->flow.group, &w->flow.group) || v->e.iif != a->in ||
		    !evidence_entry_routed(d, v) || evidence_nat_came_in(d, v))
			continue;
		*as = v->flow;
		return true;
	}
	return false;
}

uint64_t evidence_made_here(const struct doctor *d, const struct watched *w, uint64_t routed)
{
	uint64_t most = 0;
	bool is_whole = false;

	for (const struct sighting *s = NULL; (s = flows_next(&d->flows, w, s));) {
		most = s->n[SNIFF_OUT] > most ? s->n[SNIFF_OUT] : most;
		is_whole |= s->n[SNIFF_OUT] + s->late + routed / 8 + 3 >= routed;
	}
	return is_whole || !most ? most : routed;
}
