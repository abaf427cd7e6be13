/* SPDX-License-Identifier: ISC
 *
 * A configuration as canonical text, which parses to an equal one.  One line a
 * directive, one blank between words, no clause that says nothing.
 */
#include "conf/conf.h"

#include <string.h>

static void put_name(struct buf *out, const struct conf *c, uint16_t id)
{
	buf_add(out, c->names[id].name, (size_t)c->names[id].len + c->names[id].wild);
}

static void put_flow(struct buf *out, const struct conf *c, uint16_t iif,
		     const struct addr *source, uint8_t slen, const struct addr *group, uint8_t glen)
{
	char s[ADDR_STRLEN];

	buf_str(out, "from ");
	put_name(out, c, iif);
	if (!conf_any_source(group, slen)) {
		buf_str(out, " source ");
		buf_str(out, prefix_str(source, slen, s));
	}
	buf_str(out, " group ");
	buf_str(out, prefix_str(group, glen, s));
}

static void put_mroute(struct buf *out, const struct conf *c, const struct mroute *m)
{
	const struct conf_set *set = &c->sets[m->oifs];

	put_flow(out, c, m->iif, &m->source, m->slen, &m->group, m->glen);
	if (set->n)
		buf_str(out, " to");
	for (uint32_t i = 0; i < set->n; i++) {
		buf_chr(out, ' ');
		put_name(out, c, c->pool[set->off + i]);
	}
}

void conf_print_mroute(struct buf *out, const struct conf *c, const struct mroute *m)
{
	buf_str(out, "mroute  ");
	put_mroute(out, c, m);
}

void conf_print_mgroup(struct buf *out, const struct conf *c, const struct mgroup *g)
{
	buf_str(out, "mgroup  ");
	put_flow(out, c, g->iif, &g->source, g->slen, &g->group, g->glen);
}

static void put_phyint(struct buf *out, const struct conf *c, const struct phyint *p)
{
	buf_str(out, "phyint ");
	put_name(out, c, p->name);
	if (p->enable >= 0)
		buf_str(out, p->enable ? " enable" : " disable");
	if (p->mrdisc)
		buf_str(out, " mrdisc");
	if (p->ttl) {
		buf_str(out, " ttl-threshold ");
		buf_u64(out, p->ttl);
	}
}

void conf_line_phyint(struct buf *out, const struct conf *c, uint32_t i)
{
	put_phyint(out, c, &c->phyints[i]);
	buf_chr(out, '\n');
}

void conf_line_mgroup(struct buf *out, const struct conf *c, uint32_t i)
{
	const struct mgroup *g = &c->mgroups[i];

	if (g->iif == CONF_NONE)
		return;
	buf_str(out, "mgroup ");
	put_flow(out, c, g->iif, &g->source, g->slen, &g->group, g->glen);
	buf_chr(out, '\n');
}

void conf_line_mroute(struct buf *out, const struct conf *c, uint32_t i)
{
	const struct mroute *m = &c->mroutes[i];

	if (m->iif == CONF_NONE)
		return;
	buf_str(out, "mroute ");
	put_mroute(out, c, m);
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
