/* SPDX-License-Identifier: ISC
 *
 * Watches and reports only: who uses a table of his own has a plan for its rules.
 */
#include "router/table.h"

#include <string.h>

#include "lib/text.h"

void table_check(struct router *r)
{
	const struct rules *routes = &r->rules.routes;
	uint32_t in[FAM_N] = { 0 };

	if (!r->table)
		return;
	for (uint32_t id = routes->first; id != HASH_NONE; id = routes->v[id].next)
		in[flow_range_fam(&routes->v[id].range)] |= ruleset_iifs(&r->rules, &routes->v[id]);
	for (enum fam f = 0; f < FAM_N; f++) {
		bool is_open = false;

		for (int vif = 0; vif < KERNEL_VIFS; vif++) {
			struct iface *i = in[f] >> vif & 1 ? iface_by_vif(&r->ifs, f, vif) : NULL;

			if (!i || i->table[f] == TABLE_REPORTED)
				continue;
			if (i->table[f] == TABLE_UNKNOWN)
				i->table[f] = TABLE_WANTED;
			is_open = true;
		}
		if (is_open)
			kernel_rules_ask(f);
	}
}

static void table_event_for(struct router *r, struct iface *i, const struct link_event *ev)
{
	uint8_t *state = &i->table[ev->fam];
	char word[TEXT_WORD_SIZE(KERNEL_IFNAME)];

	if (*state == TABLE_UNKNOWN || *state == TABLE_REPORTED)
		return;
	if (ev->kind == LINK_RULES_BEGIN) {
		*state = TABLE_ASKED;
	} else if (*state == TABLE_WANTED) {
		return;
	} else if (ev->kind == LINK_RULES_END) {
		*state = TABLE_REPORTED;
		log_limited(&r->lim_wait, r->now, LOG_LVL_NOTICE, "%s: its %s packets do not get to table %u; add: "
			    "ip %smrule add iif %s lookup %u", i->name, fam_str(ev->fam), r->table,
			    ev->fam == FAM_4 ? "" : "-6 ", text_shell_word(word, sizeof word, i->name), r->table);
	} else if (*state == TABLE_ASKED && (!ev->name[0] || !strcmp(ev->name, i->name)) && (!ev->by_vrf || i->vrf)) {
		*state = (ev->by_vrf ? i->vrf : ev->table) == r->table ? TABLE_REPORTED : TABLE_OTHER;
	}
}

void table_event(struct router *r, const struct link_event *ev)
{
	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		struct iface *i = iface_by_vif(&r->ifs, ev->fam, vif);

		if (i)
			table_event_for(r, i, ev);
	}
}
