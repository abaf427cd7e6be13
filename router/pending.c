/* SPDX-License-Identifier: ISC
 *
 * Which rules wait for an interface, as it was told last: a bit for each rule of
 * the conf, so that an event is told once and a reload repeats none.
 */
#include "router/pending.h"

#include <stdlib.h>
#include <string.h>

static bool told(const struct told *p, uint32_t id)
{
	return id / 32 < p->n && p->bits[id / 32] >> id % 32 & 1;
}

/* False when there is no memory for it. */
static bool set_told(struct told *p, const struct conf *c, uint32_t id, bool waits)
{
	if (id / 32 >= p->n) {
		uint32_t n = c->cmroutes / 32 + 1, *bits = realloc(p->bits, n * sizeof *bits);

		if (!bits)
			return false;
		memset(bits + p->n, 0, (n - p->n) * sizeof *bits);
		p->bits = bits;
		p->n = n;
	}
	p->bits[id / 32] = (p->bits[id / 32] & ~(UINT32_C(1) << id % 32)) | (uint32_t)waits << id % 32;
	return true;
}

void pending_free(struct told *p)
{
	free(p->bits);
	*p = (struct told){ 0 };
}

void pending_keep(struct router *r, const struct rules *x, const struct conf *c)
{
	const struct conf *old = r->conf;
	struct told kept = { 0 };

	for (uint32_t id = 0; id < old->nmroutes && id / 32 < r->told.n; id++) {
		const struct mroute *m = &old->mroutes[id];

		if (m->iif == CONF_NONE || !told(&r->told, id))
			continue;
		const char *name = old->names[m->iif].name;
		uint16_t iif = conf_name_find(c, name, strlen(name));
		uint32_t same = iif == CONF_NONE ? HASH_NONE :
				rules_find(x, c, iif, &m->source, m->slen, &m->group, m->glen);
		if (same != HASH_NONE)
			set_told(&kept, c, same, true);
	}
	pending_free(&r->told);
	r->told = kept;
}

void pending_tell(struct router *r, uint32_t id)
{
	const struct mroute *m = &r->conf->mroutes[id];
	enum fam fam = addr_fam(&m->group);
	uint16_t which;

	if (m->iif == CONF_NONE)
		return;
	bool waits = !rule_is_bound(&r->rules, m);
	if (waits == told(&r->told, id) || !set_told(&r->told, r->conf, id, waits))
		return;
	struct event ev = { .kind = waits ? EVENT_PENDING : EVENT_ACTIVE, .fam = fam, .rule = m };
	if (waits && (ev.text = router_rule_reason(r, m, &which)))
		ev.iif = r->conf->names[which].name;
	router_event(r, &ev);
}
