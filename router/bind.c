/* SPDX-License-Identifier: ISC
 *
 * What the names of the configuration mean on this machine now: the VIF bits of
 * each name and of each list of outputs, and the rules that see a difference.
 */
#include "router/sync.h"

#include <stdlib.h>

#include "router/pending.h"

/* True when a name means something else now. */
static bool bind_name(struct router *r, uint32_t id)
{
	const struct ifname *n = &r->conf->names[id].ifname;
	struct rule_mask m = { { 0 }, { 0 }, { 0 } };
	uint32_t *bits = n->is_wildcard ? m.wild : m.exact;

	for (struct iface *i = NULL; (i = iface_match(&r->ifs, n, i));)
		for (enum fam f = 0; f < FAM_N; f++)
			if (iface_usable(i) && i->vif[f] >= 0)
				bits[f] |= UINT32_C(1) << i->vif[f];
	for (enum fam f = 0; f < FAM_N; f++)
		m.lacks[f] = !bits[f];
	return rule_mask_set(&r->rules.names[id], &m);
}

void bind_names(struct router *r)
{
	const struct conf *c = r->conf;
	bool *changed = calloc((size_t)c->nnames + c->nsets + 1, sizeof *changed);
	bool any = false, lacks = false;

	if (!changed || rules_masks(&r->rules) < 0) {
		sync_failed(r);
		free(changed);
		return;
	}
	for (uint32_t id = 0; id < c->nnames; id++) {
		any |= changed[id] = bind_name(r, id);
		for (enum fam f = 0; f < FAM_N; f++)
			lacks |= r->rules.names[id].lacks[f] && c->names[id].refs[f];
	}
	for (uint32_t id = 0; any && id < c->nsets; id++)
		changed[c->nnames + id] = rules_set_mask(&r->rules, id);
	/* Of a new conf all entries are looked at anyway, and most often none of its rules waits. */
	if (r->adopted && !lacks && !r->told.n)
		any = false;
	for (uint32_t id = 0; any && id < c->nmroutes; id++) {
		const struct conf_rule *m = &c->mroutes[id];

		if (m->iif == CONF_NONE || !(changed[m->iif] || changed[c->nnames + m->oifs]))
			continue;
		if (!r->adopted)
			sync_touch_rule(r, id);
		pending_tell(r, id);
	}
	free(changed);
}
