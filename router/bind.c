/* SPDX-License-Identifier: ISC
 *
 * Names first, then the lists that are made of them, then the routes that have them.
 */
#include "router/bind.h"

#include <string.h>

#include "router/mark.h"
#include "router/pending.h"

static void bind_name(const struct router *r, struct name *name)
{
	struct vif_bits fresh = { { 0 }, { 0 }, { 0 } };
	uint32_t *bits = name->ifname.is_wildcard ? fresh.wild : fresh.exact;

	name->is_met = false;
	name->is_looked_up = true;
	for (struct iface *i = NULL; (i = iface_match(&r->ifs, &name->ifname, i)); name->is_met = name->was_met = true)
		for (enum fam f = 0; f < FAM_N; f++)
			if (iface_usable(i, &name->ifname) && i->vif[f] >= 0)
				bits[f] |= UINT32_C(1) << i->vif[f];
			else if (iface_usable(i, &name->ifname))
				fresh.lacks[f] = 1;
	for (enum fam f = 0; f < FAM_N; f++)
		fresh.lacks[f] |= !bits[f];
	name->has_changed |= memcmp(&name->bits, &fresh, sizeof fresh) != 0;
	name->bits = fresh;
}

void bind_fresh(struct router *r)
{
	struct names *t = &r->rules.names;

	while (t->nfresh) {
		uint16_t id = t->fresh[--t->nfresh];

		/* It may be gone again. */
		if (id >= t->n || !name_is_used(&t->v[id]) || t->v[id].is_looked_up)
			continue;
		if (iface_match(&r->ifs, &t->v[id].ifname, NULL))
			t->refs_changed = true;
		else
			bind_name(r, &t->v[id]);
	}
	r->waits.is_stale |= t->waits_changed;
	t->waits_changed = false;
}

void bind_names(struct router *r)
{
	struct names *t = &r->rules.names;

	for (uint32_t id = 0; id < t->n; id++)
		if (name_is_used(&t->v[id]))
			bind_name(r, &t->v[id]);
	for (uint32_t id = 0; id < t->nlists; id++)
		t->lists[id].has_changed |= oif_list_bind(t, id);
}

bool bind_rule(struct router *r, uint32_t id)
{
	const struct names *t = &r->rules.names;
	struct rule *rule = &r->rules.routes.v[id];
	bool differs = rule->is_marked || t->v[rule->iif].has_changed || t->lists[rule->oifs].has_changed;

	if (differs)
		mark_rule(r, rule);
	pending_report(r, id);
	return differs;
}

void bind_end(struct router *r)
{
	struct names *t = &r->rules.names;

	for (uint32_t id = 0; id < t->n; id++)
		t->v[id].has_changed = false;
	for (uint32_t id = 0; id < t->nlists; id++)
		t->lists[id].has_changed = false;
}
