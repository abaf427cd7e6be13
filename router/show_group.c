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
static void line_failures(struct router *r, struct output *o, const struct mgroup *g)
{
	struct group_count n;

	if (!r->groups.failed)
		return;
	group_line_count(r, g, &n);
	if (!n.failed)
		return;
	if (o->json)
		json_u64(&o->rows, "failed", n.failed);
	else
		buf_printf(&o->rows, "  %u of %u ", n.failed, n.failed + n.joined + n.waiting);
	put_failure(o, n.err, addr_fam(&g->group));
}

static void lines(struct router *r, struct output *o)
{
	const struct conf *c = r->conf;
	bool any = false;

	for (uint32_t k = 0; k < c->nmgroups; k++) {
		const struct mgroup *g = &c->mgroups[k];

		if (g->iif == CONF_NONE)
			continue;
		if (o->json) {
			json_sep(&o->rows);
			buf_chr(&o->rows, '{');
			show_json_flow(&o->rows, NULL, &g->source, g->slen, &g->group, g->glen, c->names[g->iif].name);
			line_failures(r, o, g);
			buf_chr(&o->rows, '}');
			out_row(o);
			continue;
		}
		if (!any) {
			out_title(o, "Group Memberships Table");
			out_head(o, "%-42s %s", "GROUP (S,G)", "IIF");
		}
		any = true;
		show_text_flow(&o->rows, &g->source, g->slen, &g->group, g->glen, c->names[g->iif].name);
		line_failures(r, o, g);
		buf_chr(&o->rows, '\n');
		out_row(o);
	}
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

static void members(struct router *r, struct output *o)
{
	bool title = false;

	for (uint32_t at = 0; at < r->groups.n; at++) {
		const struct member *m = &r->groups.v[at];
		bool there = m->used && !m->gone;
		uint32_t i = there ? iface_find(&r->ifs, m->ifindex) : IFACE_NONE;
		const char *iif = i == IFACE_NONE ? "?" : r->ifs.v[i].name;
		struct addr a;
		uint8_t any;

		if (!there)
			continue;
		if (o->json) {
			member_json(o, m, iif);
			out_row(o);
			continue;
		}
		if (!title) {
			out_title(o, "Kernel Group Membership Table");
			out_head(o, "%-42s %s", "GROUP (S,G)", "IIF");
			title = true;
		}
		addr_any(addr_fam(&m->group), &a, &any);
		show_text_flow(&o->rows, &m->source, member_is_asm(m) ? any : 128, &m->group, 128, iif);
		if (m->err) {
			buf_str(&o->rows, "  ");
			put_failure(o, m->err, addr_fam(&m->group));
		}
		buf_chr(&o->rows, '\n');
		out_row(o);
	}
}

void show_groups(struct router *r, struct output *o)
{
	if (o->json)
		buf_str(&o->rows, "{\"groups\":{\"conf\":[");
	lines(r, o);
	if (o->json)
		buf_str(&o->rows, "],\"kernel\":[");
	if (o->json || o->detail)
		members(r, o);
	if (o->json)
		buf_str(&o->rows, "]}}\n");
}

/* ---- pending ---- */

struct pending {
	struct router *r;
	struct output *o;
	bool any;
};

/* One pending line: a rule, or a group when m is NULL. */
static void pending_line(struct pending *p, const struct mroute *m, const struct mgroup *g, const char *name,
			 const char *reason)
{
	const struct conf *c = p->r->conf;
	struct buf *b = &p->o->rows;

	if (p->o->json) {
		json_sep(b);
		buf_chr(b, '{');
		if (m)
			show_json_flow(b, "mroute", &m->source, m->slen, &m->group, m->glen, c->names[m->iif].name);
		else
			show_json_flow(b, "mgroup", &g->source, g->slen, &g->group, g->glen, c->names[g->iif].name);
		json_key(b, "oifs");
		buf_chr(b, '[');
		if (m)
			show_set_names(p->r, b, &c->sets[m->oifs], ",", true);
		buf_chr(b, ']');
		json_str(b, "reason", reason);
		buf_chr(b, '}');
		out_row(p->o);
		return;
	}
	if (!p->any)
		out_title(p->o, "PENDING ROUTES AND GROUPS");
	p->any = true;
	if (m)
		conf_print_mroute(b, c, m);
	else
		conf_print_mgroup(b, c, g);
	if (p->o->detail)
		buf_printf(b, "  # %s: %s", name, reason);
	buf_chr(b, '\n');
	out_row(p->o);
}

void show_pending(struct router *r, struct output *o)
{
	struct pending p = { .r = r, .o = o };
	const struct conf *c = r->conf;

	if (o->json)
		buf_str(&o->rows, "{\"pending\":[");
	for (uint32_t k = 0; k < c->nmgroups; k++) {
		const struct mgroup *g = &c->mgroups[k];
		const char *reason = g->iif == CONF_NONE ? NULL : router_group_reason(r, g);

		if (reason)
			pending_line(&p, NULL, g, c->names[g->iif].name, reason);
	}
	for (uint32_t id = 0; id < c->nmroutes; id++) {
		const struct mroute *m = &c->mroutes[id];
		uint16_t which;
		const char *reason = m->iif == CONF_NONE ? NULL : router_rule_reason(r, m, &which);

		if (reason)
			pending_line(&p, m, NULL, c->names[which].name, reason);
	}
	if (o->json)
		buf_str(&o->rows, "]}\n");
	else if (!p.any)
		buf_str(&o->rows, "No pending routes or groups\n");
}
