/* SPDX-License-Identifier: ISC
 *
 * What the names of the configuration mean on this machine now: the VIF bits of
 * each name and of each list of outputs, and the rules that see a difference.
 */
#include "router/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "router/pending.h"

static void name_mask(const struct router *r, const struct conf_name *n, struct rule_mask *m)
{
	const struct ifaces *ifs = &r->ifs;
	uint32_t at = n->wild ? 0 : iface_find_name(ifs, n->name);
	uint32_t *bits = n->wild ? m->wild : m->exact;

	memset(m, 0, sizeof *m);
	while (at < ifs->n) {
		const struct iface *i = &ifs->v[at];

		if (i->ifindex && iface_usable(i) && iface_name_matches(i->name, n->name, n->len, n->wild))
			for (enum fam f = 0; f < FAM_N; f++)
				if (i->vif[f] >= 0)
					bits[f] |= UINT32_C(1) << i->vif[f];
		at = n->wild ? at + 1 : IFACE_NONE;
	}
	for (enum fam f = 0; f < FAM_N; f++)
		m->lacks[f] = !bits[f];
}

void bind_names(struct router *r)
{
	const struct conf *c = r->conf;
	bool *changed = calloc((size_t)c->nnames + c->nsets + 1, sizeof *changed), *sets = changed;
	bool any = false, lacks = false;

	if (!changed || rules_masks(&r->rules, c) < 0) {
		free(changed);
		sync_failed(r, ENOMEM);
		return;
	}
	/* What changed of the names, and behind them of the sets. */
	struct rule_mask m, *old = r->rules.names;
	for (const struct conf_name *n = c->names; n < c->names + c->nnames; n++, old++, sets++) {
		name_mask(r, n, &m);
		if (memcmp(&m, old, sizeof m)) {
			*old = m;
			*sets = any = true;
		}
		for (enum fam f = 0; f < FAM_N; f++)
			lacks |= m.lacks[f] && n->refs[f];
	}
	for (uint32_t id = 0; any && id < c->nsets; id++)
		sets[id] = rules_set_mask(&r->rules, c, id);
	/* Of a new conf all entries are looked at anyway, and most often none of its rules waits. */
	if (r->adopted && !lacks && !r->told.n)
		any = false;
	for (uint32_t id = 0; any && id < c->nmroutes; id++) {
		const struct mroute *rule = &c->mroutes[id];

		if (rule->iif == CONF_NONE || !(changed[rule->iif] || sets[rule->oifs]))
			continue;
		if (!r->adopted)
			sync_touch_rule(r, id);
		pending_tell(r, id);
	}
	free(changed);
}
