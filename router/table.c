/* SPDX-License-Identifier: ISC
 *
 * Only looks and tells: who uses a table of his own has a plan for its rules.
 */
#include "router/table.h"

#include "router/router.h"

static void tell(struct router *r, enum fam fam, struct iface *i)
{
	uint32_t table;

	if (!i || i->table_told[fam] || kernel_look_table(fam, i->name, &table) < 0)
		return;
	i->table_told[fam] = true;
	if (table != r->table)
		log_notice("%s: its %s packets do not get to table %u; add: ip %smrule add iif %s lookup %u", i->name,
			   fam_str(fam), r->table, fam == FAM_4 ? "" : "-6 ", i->name, r->table);
}

void table_tell(struct router *r)
{
	const struct conf *c = r->conf;
	uint32_t in[FAM_N] = { 0 };

	if (!r->table)
		return;
	for (uint32_t id = 0; id < c->nmroutes; id++) {
		const struct conf_rule *m = &c->mroutes[id];

		if (m->iif != CONF_NONE)
			in[flow_range_fam(&m->range)] |= rule_iifs(&r->rules, m);
	}
	for (enum fam f = 0; f < FAM_N; f++)
		for (int vif = 0; vif < KERNEL_VIFS; vif++)
			if (in[f] >> vif & 1)
				tell(r, f, iface_by_vif(&r->ifs, f, vif));
}
