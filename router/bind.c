/* SPDX-License-Identifier: ISC
 *
 * What the names of the configuration mean on this machine now: the VIF bits of
 * each name and of each list of outputs, and the rules that see a difference.
 */
#include "router/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct rule_mask name_mask(struct router *r, uint16_t id)
{
	const struct conf_name *n = &r->conf->names[id];
	struct rule_mask m = { { 0 }, { 0 }, { 0 } };

	for (uint32_t at = n->wild ? 0 : iface_find_name(&r->ifs, n->name); at < r->ifs.n; at++) {
		const struct iface *i = &r->ifs.v[at];

		if (i->ifindex && iface_usable(i) && iface_name_matches(i->name, n->name, n->len, n->wild))
			for (enum fam f = 0; f < FAM_N; f++)
				if (i->vif[f] >= 0)
					(n->wild ? m.wild : m.exact)[f] |= UINT32_C(1) << i->vif[f];
		if (!n->wild)
			break;
	}
	for (enum fam f = 0; f < FAM_N; f++)
		m.lacks[f] = !(m.exact[f] | m.wild[f]);
	return m;
}

/* What bind_names() found of a name or a list: it differs, and whether something lacked before. */
enum { CHANGED = 1, LACKED = 2 };

static char change_of(const struct rule_mask *old, enum fam fam)
{
	return (char)(CHANGED << 4 * fam | (old->lacks[fam] ? LACKED << 4 * fam : 0));
}

/* Tells that a rule began or ceased to wait for an interface. */
static void tell_pending(struct router *r, const struct mroute *m, char iif, char oifs)
{
	enum fam fam = addr_fam(&m->group);
	uint16_t which;
	bool lacked_iif = r->rules.names[m->iif].lacks[fam], lacked_oifs = r->rules.sets[m->oifs].lacks[fam];
	bool lacks = lacked_iif || lacked_oifs;

	if (iif)
		lacked_iif = iif >> 4 * fam & LACKED;
	if (oifs)
		lacked_oifs = oifs >> 4 * fam & LACKED;
	if (lacks == (lacked_iif || lacked_oifs))
		return;
	struct event ev = {
		.kind = lacks ? EVENT_PENDING : EVENT_ACTIVE, .fam = fam, .rule = m,
		.text = lacks ? router_rule_reason(r, m, &which) : NULL,
	};
	router_event(r, &ev);
}

void bind_names(struct router *r)
{
	const struct conf *c = r->conf;
	char *changed = calloc((size_t)c->nnames + c->nsets + 1, 1);
	bool any = false;

	if (!changed || rules_masks(&r->rules, c) < 0) {
		free(changed);
		sync_failed(r, ENOMEM);
		return;
	}
	for (uint32_t id = 0; id < c->nnames; id++) {
		struct rule_mask m = name_mask(r, (uint16_t)id);

		if (memcmp(&m, &r->rules.names[id], sizeof m)) {
			changed[id] = (char)(change_of(&r->rules.names[id], FAM_4) | change_of(&r->rules.names[id], FAM_6));
			r->rules.names[id] = m;
			any = true;
		}
	}
	for (uint32_t id = 0; any && id < c->nsets; id++) {
		struct rule_mask old = r->rules.sets[id];

		if (rules_set_mask(&r->rules, c, id))
			changed[c->nnames + id] = (char)(change_of(&old, FAM_4) | change_of(&old, FAM_6));
	}
	for (uint32_t id = 0; any && id < c->nmroutes; id++) {
		const struct mroute *m = &c->mroutes[id];

		if (m->iif == CONF_NONE || !(changed[m->iif] || changed[c->nnames + m->oifs]))
			continue;
		sync_touch_rule(r, id);
		tell_pending(r, m, changed[m->iif], changed[c->nnames + m->oifs]);
	}
	free(changed);
}
