/* SPDX-License-Identifier: ISC
 *
 * `show groups`: lines of memberships and what they came to in the kernel; and
 * `show pending`: lines of both kinds that cannot work yet.
 */
#include "router/show.h"

#include <string.h>

/* ---- groups ---- */

static void put_failure(struct output *o, int err, enum fam fam)
{
	const char *limit = kernel_join_limit(err, fam);

	if (o->json) {
		json_str(&o->rows, "reason", strerror(err));
		if (*limit)
			json_str(&o->rows, "limit", limit);
	} else {
		buf_printf(&o->rows, "failed: %s%s%s%s", strerror(err), *limit ? " (" : "", limit, *limit ? ")" : "");
	}
}

/* What of a line the kernel refused. */
static void line_failures(struct show *s, const struct mroute *g)
{
	struct output *o = &s->o;
	struct group_count n;

	if (!s->r->groups.failed)
		return;
	group_line_count(s->r, g, &n);
	show_charge(s, 1u << mgroup_bits(g));
	if (!n.failed)
		return;
	if (o->json)
		json_u64(&o->rows, "failed", n.failed);
	else
		buf_printf(&o->rows, "  %u of %u ", n.failed, n.failed + n.joined + n.waiting);
	put_failure(o, n.err, addr_fam(&g->group));
}

/* One line of a table of memberships, but for what is wrong with it and its end. */
static void text_line(struct show *s, const char *title, const struct addr *source, uint8_t slen,
		      const struct addr *group, uint8_t glen, const char *iif)
{
	if (show_untitled(s)) {
		out_title(&s->o, title);
		out_head(&s->o, "%-42s %s", "GROUP (S,G)", "IIF");
	}
	show_text_flow(&s->o.rows, source, slen, group, glen);
	buf_chr(&s->o.rows, ' ');
	buf_str(&s->o.rows, iif);
}

static bool lines(struct show *s)
{
	const struct conf *c = s->r->conf;
	struct output *o = &s->o;

	for (; show_more(s, c->nmgroups); s->at++) {
		const struct mroute *g = &c->mgroups[s->at];

		if (g->iif == CONF_NONE)
			continue;
		const char *iif = c->names[g->iif].name;

		if (o->json) {
			json_sep(&o->rows);
			buf_chr(&o->rows, '{');
			show_json_flow(&o->rows, NULL, &g->source, g->slen, &g->group, g->glen, iif);
		} else {
			text_line(s, "Group Memberships Table", &g->source, g->slen, &g->group, g->glen, iif);
		}
		line_failures(s, g);
		buf_chr(&o->rows, o->json ? '}' : '\n');
		out_row(o);
	}
	return s->at >= c->nmgroups;
}

static void member_json(struct output *o, const struct member *m, const char *iif)
{
	struct buf *b = &o->rows;
	uint8_t any;
	struct addr a;

	addr_any(addr_fam(&m->group), &a, &any);
	json_sep(b);
	buf_chr(b, '{');
	show_json_flow(b, NULL, &m->source, member_is_asm(m) ? any : 128, &m->group, 128, iif);
	json_str(b, "state", m->refs ? m->joined ? "joined" : m->err ? "failed" : "joining" : "leaving");
	if (m->err)
		put_failure(o, m->err, addr_fam(&m->group));
	buf_chr(b, '}');
}

static bool members(struct show *s)
{
	struct router *r = s->r;
	struct output *o = &s->o;

	if (!o->json && !o->detail)
		return true;
	for (; show_more(s, r->groups.n); s->at++) {
		const struct member *m = &r->groups.v[s->at];
		struct addr a;
		uint8_t any;

		if (!m->used || m->gone)
			continue;
		const char *iif = iface_str(iface_find(&r->ifs, m->ifindex));

		if (o->json) {
			member_json(o, m, iif);
			out_row(o);
			continue;
		}
		addr_any(addr_fam(&m->group), &a, &any);
		text_line(s, "Kernel Group Membership Table", &m->source, member_is_asm(m) ? any : 128, &m->group,
			  128, iif);
		if (m->err) {
			buf_str(&o->rows, "  ");
			put_failure(o, m->err, addr_fam(&m->group));
		}
		buf_chr(&o->rows, '\n');
		out_row(o);
	}
	return s->at >= r->groups.n;
}

static bool groups_first(struct show *s)
{
	return show_json_text(s, "{\"groups\":{\"conf\":[");
}

static bool groups_second(struct show *s)
{
	return show_json_text(s, "],\"kernel\":[");
}

static bool groups_last(struct show *s)
{
	return show_json_text(s, "]}}\n");
}

show_part *const show_groups[] = { groups_first, lines, groups_second, members, groups_last, NULL };

/* ---- pending ---- */

/* One pending line: a rule, or a group when m is NULL. */
static void pending_line(struct show *s, const struct mroute *m, const struct mroute *g, const char *name,
			 const char *reason)
{
	const struct conf *c = s->r->conf;
	struct buf *b = &s->o.rows;

	if (s->o.json) {
		json_sep(b);
		buf_chr(b, '{');
		if (m)
			show_json_flow(b, "mroute", &m->source, m->slen, &m->group, m->glen, c->names[m->iif].name);
		else
			show_json_flow(b, "mgroup", &g->source, g->slen, &g->group, g->glen, c->names[g->iif].name);
		json_key(b, "oifs");
		buf_chr(b, '[');
		if (m)
			show_set_names(s->r, b, &c->sets[m->oifs], ",", true);
		buf_chr(b, ']');
		json_str(b, "reason", reason);
		buf_chr(b, '}');
		out_row(&s->o);
		return;
	}
	if (!s->any)
		out_title(&s->o, "PENDING ROUTES AND GROUPS");
	s->any = true;
	if (m)
		conf_print_mroute(b, c, m);
	else
		conf_print_mgroup(b, c, g);
	if (s->o.detail)
		buf_printf(b, "  # %s: %s", name, reason);
	buf_chr(b, '\n');
	out_row(&s->o);
}

static bool pending_groups(struct show *s)
{
	const struct conf *c = s->r->conf;

	for (; show_more(s, c->nmgroups); s->at++) {
		const struct mroute *g = &c->mgroups[s->at];
		const char *reason = g->iif == CONF_NONE ? NULL : router_group_reason(s->r, g);

		if (reason) {
			pending_line(s, NULL, g, c->names[g->iif].name, reason);
			show_charge(s, s->r->ifs.n / 8);
		}
	}
	return s->at >= c->nmgroups;
}

static bool pending_rules(struct show *s)
{
	const struct conf *c = s->r->conf;

	for (; show_more(s, c->nmroutes); s->at++) {
		const struct mroute *m = &c->mroutes[s->at];
		uint16_t which;
		const char *reason = m->iif == CONF_NONE ? NULL : router_rule_reason(s->r, m, &which);

		if (reason) {
			pending_line(s, m, NULL, c->names[which].name, reason);
			show_charge(s, s->r->ifs.n / 8);
		}
	}
	return s->at >= c->nmroutes;
}

static bool pending_first(struct show *s)
{
	return show_json_text(s, "{\"pending\":[");
}

static bool pending_last(struct show *s)
{
	if (!s->o.json && !s->any)
		buf_str(&s->o.rows, "No pending routes or groups\n");
	return show_json_text(s, "]}\n");
}

show_part *const show_pending[] = { pending_first, pending_groups, pending_rules, pending_last, NULL };
