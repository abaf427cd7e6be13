/* SPDX-License-Identifier: ISC
 *
 * A configuration as canonical text, which parses to an equal one: see print.h.
 */
#include "conf/print.h"

#include "conf/clause.h"

void print_rule_head(struct buf *out, const char *directive, int width, const char *iif,
		     const struct flow_range *range, bool in_kernel)
{
	char s[ADDR_STRLEN];

	buf_printf(out, "%-*s from %s", width, directive, iif);
	if (!flow_range_any_source(range)) {
		buf_str(out, " source ");
		buf_str(out, prefix_str(&range->flow.source, range->source_len, s));
	}
	buf_str(out, " group ");
	buf_str(out, prefix_str(&range->flow.group, range->group_len, s));
	if (in_kernel)
		buf_str(out, " kernel");
}

void print_oif(struct buf *out, const struct ifname *oif, bool is_keyword)
{
	if (clause_is_word(oif->text) == is_keyword)
		buf_printf(out, " %s", oif->text);
}

void print_rule(struct buf *out, const struct conf *c, const char *directive, int width, const struct conf_rule *m)
{
	const struct conf_set *set = &c->sets[m->oifs];

	print_rule_head(out, directive, width, c->names[m->iif].ifname.text, &m->range, m->in_kernel);
	if (set->n)
		buf_str(out, " to");
	for (int is_keyword = 0; is_keyword < 2; is_keyword++)
		for (uint32_t i = 0; i < set->n; i++)
			print_oif(out, &c->names[c->pool[set->off + i]].ifname, is_keyword);
}

static void print_line(struct buf *out, const struct conf *c, const char *directive, const struct conf_rule *m)
{
	print_rule(out, c, directive, 0, m);
	buf_chr(out, '\n');
}

void print_phyint(struct buf *out, const struct phyint *p)
{
	buf_printf(out, "phyint %s", p->ifname.text);
	if (p->enable >= 0)
		buf_str(out, p->enable ? " enable" : " disable");
	if (p->mrdisc)
		buf_str(out, " mrdisc");
	if (p->refresh)
		buf_str(out, " refresh");
	if (p->refresh && p->refresh != CONF_REFRESH)
		buf_printf(out, " %u", p->refresh);
	if (p->ttl)
		buf_printf(out, " ttl-threshold %u", p->ttl);
	buf_chr(out, '\n');
}

void conf_print(struct buf *out, const struct conf *c)
{
	for (uint32_t i = 0; i < c->nphyints; i++)
		print_phyint(out, &c->phyints[i]);
	for (uint32_t i = 0; i < c->nmgroups; i++)
		print_line(out, c, "mgroup", &c->mgroups[i]);
	for (uint32_t i = 0; i < c->nmroutes; i++)
		print_line(out, c, "mroute", &c->mroutes[i]);
}
