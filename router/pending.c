/* SPDX-License-Identifier: ISC
 *
 * Which rules wait for an interface, as it was told last: a flag for each rule
 * of the conf, so that an event is told once and a reload repeats none.
 */
#include "router/pending.h"

#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

static bool told(const struct told *p, uint32_t id)
{
	return id < p->n && p->waits[id];
}

/* False when there is no memory for it. */
static bool set_told(struct told *p, uint32_t id, bool waits)
{
	uint32_t had = p->n;
	bool *v = grow(p->waits, &p->n, id + 1, sizeof *v);

	if (!v)
		return false;
	p->waits = v;
	memset(v + had, 0, p->n - had);
	v[id] = waits;
	return true;
}

void pending_keep(struct router *r, const struct rules *x)
{
	const struct conf *old = r->conf;
	struct told kept = { 0 };

	for (uint32_t id = 0; id < r->told.n; id++) {
		if (!told(&r->told, id) || old->mroutes[id].iif == CONF_NONE)
			continue;
		struct conf_rule key = old->mroutes[id];
		const char *name = old->names[key.iif].ifname.text;

		key.iif = conf_name_find(x->conf, name, strlen(name));
		uint32_t same = rules_find(x, &key);
		if (same != HASH_NONE)
			set_told(&kept, same, true);
	}
	free(r->told.waits);
	r->told = kept;
}

void pending_tell(struct router *r, uint32_t id)
{
	const struct conf_rule *m = &r->conf->mroutes[id];
	uint16_t which;

	if (m->iif == CONF_NONE)
		return;
	struct event ev = { .kind = EVENT_ACTIVE, .fam = flow_range_fam(&m->range), .rule = m };
	bool waits = !rule_is_bound(&r->rules, m);
	if (waits == told(&r->told, id) || !set_told(&r->told, id, waits))
		return;
	if (waits) {
		ev.kind = EVENT_PENDING;
		ev.text = router_rule_reason(r, m, &which);
		if (ev.text)
			ev.iif = r->conf->names[which].ifname.text;
	}
	router_event(r, &ev);
}
