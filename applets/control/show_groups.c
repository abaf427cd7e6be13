/* SPDX-License-Identifier: ISC
 *
 * `show groups`: lines of memberships and what they came to in the kernel; and
 * `show pending`: lines of both kinds that cannot work yet.
 */
#include "applets/control/show.h"

#include <string.h>

/* ---- groups ---- */

static void put_failure(struct output *o, int err, const struct addr *group)
{
	const char *limit = kernel_join_limit(err, addr_fam(group)), *why = strerror(err);

	if (o->json)
		json_str(&o->rows, "reason", why);
	else
		buf_printf(&o->rows, "failed: %s", why);
	if (*limit && o->json)
		json_str(&o->rows, "limit", limit);
	else if (*limit)
		buf_printf(&o->rows, " (%s)", limit);
}

/* One line of a table of memberships, but for what is wrong with it and its end. */
static void put_flow(struct show *s, const char *title, const struct show_flow *f)
{
	struct buf *b = &s->o.rows;

	if (s->o.json) {
		json_open(b);
		show_json_flow(b, NULL, f);
		return;
	}
	if (show_title(s, title))
		out_head(&s->o, WIRE_HEAD, "%-42s IIF", "GROUP (S,G)");
	show_text_flow(b, f);
	buf_chr(b, ' ');
	buf_str(b, f->iif);
}

/* A line of the conf, and what of it the kernel refused. */
static void group(struct show *s)
{
	const struct conf *c = s->r->conf;
	const struct conf_rule *g = &c->mgroups[s->at];
	struct output *o = &s->o;
	struct group_count n = { 0 };
	struct show_flow f;

	if (g->iif == CONF_NONE)
		return;
	show_mgroup_flow(&f, c, g);
	put_flow(s, "Group Memberships Table", &f);
	if (s->r->groups.failed) {
		group_line_count(s->r, g, &n);
		show_charge(s, 1u << mgroup_bits(g));
	}
	if (n.failed) {
		if (o->json)
			json_u64(&o->rows, "failed", n.failed);
		else
			buf_printf(&o->rows, "  %u of %u ", n.failed, n.failed + n.joined + n.waiting);
		put_failure(o, n.err, &g->range.flow.group);
	}
	show_end(s);
}

static void member(struct show *s)
{
	const struct router *r = s->r;
	const struct member *m = &r->groups.v[s->at];
	struct output *o = &s->o;
	struct show_flow f = { flow_range_of(&m->flow), iface_str(iface_find(&r->ifs, m->ifindex)), NULL, 0 };

	if (!m->used || m->gone)
		return;
	if (member_is_asm(m))
		f.range.source_len = flow_fam(&m->flow) == FAM_4 ? ADDR_V4_BITS : 0;
	put_flow(s, "Kernel Group Membership Table", &f);
	if (o->json)
		json_str(&o->rows, "state", m->refs ? m->joined ? "joined" : m->err ? "failed" : "joining" : "leaving");
	else if (m->err)
		buf_str(&o->rows, "  ");
	if (m->err)
		put_failure(o, m->err, &m->flow.group);
	show_end(s);
}

const struct show_part show_groups[] = {
	{ group, .of = SHOW_MGROUPS, .after = SHOW_KERNEL },
	{ member, .of = SHOW_MEMBERS, .detail = true, .after = SHOW_END_LISTS },
};

/* ---- pending ---- */

/* A pending line: a rule, or a group when m is NULL. */
static void pending(struct show *s, const struct conf_rule *m, const struct conf_rule *g)
{
	const struct conf *c = s->r->conf;
	struct buf *b = &s->o.rows;
	struct show_flow f;
	uint16_t name = m ? m->iif : g->iif;

	if (name == CONF_NONE)
		return;
	const char *reason = m ? router_rule_reason(s->r, m, &name) : router_group_reason(s->r, g);
	if (!reason)
		return;
	show_charge(s, s->r->ifs.n / 8);
	s->pending++;
	if (s->part->arg)
		return;
	if (s->o.json) {
		if (m)
			show_mroute_flow(&f, c, m);
		else
			show_mgroup_flow(&f, c, g);
		json_open(b);
		show_json_flow(b, m ? "mroute" : "mgroup", &f);
		show_oifs(s->r, b, &f, true);
		json_str(b, "reason", reason);
	} else {
		show_title(s, "PENDING ROUTES AND GROUPS");
		if (m)
			conf_print_mroute(b, c, m);
		else
			conf_print_mgroup(b, c, g);
		if (s->o.detail)
			buf_printf(b, "  # %s: %s", c->names[name].ifname.text, reason);
	}
	show_end(s);
}

void show_pending_group(struct show *s)
{
	pending(s, NULL, &s->r->conf->mgroups[s->at]);
}

void show_pending_rule(struct show *s)
{
	pending(s, &s->r->conf->mroutes[s->at], NULL);
}

static void no_pending(struct show *s)
{
	if (!s->o.json && !s->pending)
		buf_str(&s->o.rows, "No pending routes or groups\n");
}

const struct show_part show_pending[] = {
	{ show_pending_group, .of = SHOW_MGROUPS },
	{ show_pending_rule, .of = SHOW_MROUTES },
	{ no_pending, .after = SHOW_END_LIST },
};
