/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_filter.h"

#include <string.h>

#include "applets/doctor/passage.h"

struct advise_chains {
	struct advice *r;
	const struct advise_hooks *at;
	unsigned fates;
	bool is_sure;
	struct buf *text;		/* of names, or NULL: commands */
	unsigned n;
};

/* "chain c of table inet t", with who made it where that is known. */
static void advise_filter_who(struct buf *b, const struct probe_chain *c)
{
	if (c->filter == PROBE_TC)
		buf_printf(b, "tc at the %s of %s", c->name, c->table);
	else
		buf_printf(b, "chain %s of table %s%s%s (%s)", c->name, c->filter == PROBE_NFT ? c->family : "",
			   c->filter == PROBE_NFT ? " " : "", c->table, remedy_maker(c));
}

static void advise_filter_rule(struct buf *b, const struct probe_chain *c)
{
	if (!c->rule_chain)
		buf_str(b, "its policy");
	else if (c->filter == PROBE_TC)
		buf_printf(b, "the filter %s with preference %llu%s", c->rule_chain, (ull)c->rule,
			   c->tc.block ? " of a block that interfaces share" : "");
	else
		buf_printf(b, "the rule with %s %llu%s%s", c->filter == PROBE_NFT ? "handle" : "number", (ull)c->rule,
			   strcmp(c->rule_chain, c->name) ? " of chain " : "",
			   strcmp(c->rule_chain, c->name) ? c->rule_chain : "");
}

static void advise_filter_name(struct buf *b, const struct probe_chain *c, const struct flow *was, unsigned n,
			       bool is_gone)
{
	buf_str(b, n ? "; " : ": ");
	advise_filter_who(b, c);
	if (c->fate == FATE_LOWERED) {
		buf_printf(b, " sends them on with %u", c->ttl);
		return;
	}
	if (c->fate == FATE_CHANGED) {
		buf_printf(b, " gives them %s by ", c->has_flow ? addr_eq(&c->flow.group, &was->group) ? "that source" :
			   "that group" : "other addresses");
		advise_filter_rule(b, c);
		return;
	}
	buf_str(b, c->fate == FATE_DROPPED ? " drops them by " : " may drop them by ");
	advise_filter_rule(b, c);
	buf_str(b, c->fate == FATE_BY_CHANCE ? ", as a limit, a quota or chance says" : "");
	if (c->fate != FATE_UNKNOWN && !is_gone)
		buf_printf(b, " (for good: %s)", remedy_lasts(c));
}

static void advise_filter_chain(void *ctx, const struct probe_chain *c)
{
	struct advise_chains *j = ctx;
	struct advice *r = j->r;
	const struct probe_link *out = j->at->o ? host_link(&r->d->host, j->at->o->ifindex) : NULL;
	struct probe_packet p = {
		.flow = r->x->w->flow, .iif = r->x->in,
		.iif_name = r->in && !passage_is_vrf(r->d, r->in) ? r->in->name : NULL,
		.oif_name = out ? out->name : NULL,
	};

	if (!(j->fates & ADVISE_FATE(c->fate)))
		return;
	if (j->text)
		advise_filter_name(j->text, c, &r->x->w->flow, j->n, j->at->is_gone);
	else if (j->is_sure)
		remedy_chain(r->f, c, &p, 128);
	else
		remedy_chain_show(r->f, c);
	j->n++;
}

unsigned advise_filter_names(struct advice *r, const struct advise_hooks *at, unsigned fates, struct buf *text)
{
	struct advise_chains j = { .r = r, .at = at, .fates = fates, .text = text };

	if (finding_is_full(r->f, r->f->what))
		return 0;
	evidence_filter(r->d, r->x, at->o, at->from, at->to, advise_filter_chain, &j);
	return j.n;
}

void advise_filter_fix(struct advice *r, const struct advise_hooks *at, unsigned fates, bool is_sure)
{
	struct advise_chains j = { .r = r, .at = at, .fates = fates, .is_sure = is_sure };

	if (!r->f->last)
		return;
	evidence_filter(r->d, r->x, at->o, at->from, at->to, advise_filter_chain, &j);
}

static bool advise_filter_tell(struct advice *r, const struct advise_hooks *at, const struct loss *l)
{
	bool is_limit = l->verdict == VERDICT_LIMIT;
	const unsigned fates = ADVISE_FATE(is_limit ? FATE_BY_CHANCE : FATE_DROPPED);
	struct buf who = { 0 };
	unsigned n = advise_filter_names(r, at, fates, &who);

	if (n || !at->is_gone) {
		r->f->what = "firewall";
		finding_add(r->f, FINDING_ERROR, "%s by the packet filter%s: %s%s%s and %s%s",
			    is_limit ? "limited" : "dropped", at->is_gone ? ", until it was changed meanwhile" : "",
			    advice_came(r, l), at->o ? ", were routed to " : "",
			    at->o ? host_name(&r->d->host, at->o->ifindex) : "",
			    at->o ? "not sent" : "are dropped before routing", buf_cstr(&who));
	}
	buf_free(&who);
	if (!at->is_gone)
		advise_filter_fix(r, at, fates, true);
	if (n ? at->is_gone : !at->is_gone)
		advice_root(r);
	return n;
}

void advise_filter_dropped(struct advice *r, const struct advise_hooks *at, const struct loss *l)
{
	advise_filter_tell(r, at, l);
}

bool advise_filter_gone(struct advice *r, const struct advise_hooks *at, const struct loss *l)
{
	const struct advise_hooks gone = { at->o, at->from, at->to, true };
	struct filters *now = r->d->host.filters;
	bool is_gone = false;

	r->d->host.filters = r->d->filters_before;
	if (now && r->d->filters_before)
		is_gone = advise_filter_tell(r, &gone, l);
	r->d->host.filters = now;
	return is_gone;
}

void advise_filter_counted(const struct advice *r, int ifindex, struct buf *text)
{
	const struct probe_link *l = host_link(&r->d->host, ifindex);
	uint64_t n = l ? sample_filter_drops(r->d, l) : 0;

	if (n)
		buf_printf(text, "; filters of tc on %s dropped %llu packets meanwhile", l->name, (ull)n);
}
