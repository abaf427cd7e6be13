/* SPDX-License-Identifier: ISC
 *
 * A configuration as canonical text, which parses to an equal one.  One line a
 * directive, one blank between words, no clause that says nothing.
 */
#include "conf/conf.h"

static void put_flow(struct buf *out, const struct conf *c, const char *directive, const struct conf_rule *m)
{
	const struct conf_set *set = &c->sets[m->oifs];
	char s[ADDR_STRLEN];

	buf_str(out, directive);
	buf_str(out, " from ");
	buf_str(out, c->names[m->iif].ifname.text);
	if (!flow_range_any_source(&m->range)) {
		buf_str(out, " source ");
		buf_str(out, prefix_str(&m->range.flow.source, m->range.source_len, s));
	}
	buf_str(out, " group ");
	buf_str(out, prefix_str(&m->range.flow.group, m->range.group_len, s));
	if (set->n)
		buf_str(out, " to");
	for (uint32_t i = 0; i < set->n; i++) {
		buf_chr(out, ' ');
		buf_str(out, c->names[c->pool[set->off + i]].ifname.text);
	}
}

void conf_print_mroute(struct buf *out, const struct conf *c, const struct conf_rule *m)
{
	put_flow(out, c, "mroute ", m);
}

void conf_print_mgroup(struct buf *out, const struct conf *c, const struct conf_rule *g)
{
	put_flow(out, c, "mgroup ", g);
}

static void line_flow(struct buf *out, const struct conf *c, const char *directive, const struct conf_rule *m)
{
	if (m->iif == CONF_NONE)
		return;
	put_flow(out, c, directive, m);
	buf_chr(out, '\n');
}

void conf_line_mgroup(struct buf *out, const struct conf *c, uint32_t i)
{
	line_flow(out, c, "mgroup", &c->mgroups[i]);
}

void conf_line_mroute(struct buf *out, const struct conf *c, uint32_t i)
{
	line_flow(out, c, "mroute", &c->mroutes[i]);
}

void conf_line_phyint(struct buf *out, const struct conf *c, uint32_t i)
{
	const struct phyint *p = &c->phyints[i];

	buf_str(out, "phyint ");
	buf_str(out, c->names[p->name].ifname.text);
	if (p->enable >= 0)
		buf_str(out, p->enable ? " enable" : " disable");
	if (p->mrdisc)
		buf_str(out, " mrdisc");
	if (p->ttl)
		buf_printf(out, " ttl-threshold %u", p->ttl);
	buf_chr(out, '\n');
}

void conf_print(struct buf *out, const struct conf *c)
{
	for (uint32_t i = 0; i < c->nphyints; i++)
		conf_line_phyint(out, c, i);
	for (uint32_t i = 0; i < c->nmgroups; i++)
		conf_line_mgroup(out, c, i);
	for (uint32_t i = 0; i < c->nmroutes; i++)
		conf_line_mroute(out, c, i);
}
