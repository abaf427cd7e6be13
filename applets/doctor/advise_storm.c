/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_storm.h"

#include "conf/explain.h"
#include "conf/print.h"

#define ROUNDS 4		/* different TTLs, the same distance between them, that no sender sends by chance */

/* The rules of the file, which have the places that people know; or else those in force. */
static const struct conf *advise_storm_conf(const struct advice *r)
{
	return r->d->file_conf->nmroutes ? r->d->file_conf : r->d->host.conf;
}

/* Appends "FILE:LINE". */
static void advise_storm_place(const struct advice *r, struct buf *b, const struct where *where)
{
	buf_printf(b, "%s:%lu", advise_storm_conf(r)->files[where->file], (unsigned long)where->line);
}

/* True when a rule names the interface where the flow comes in as an output. */
static bool advise_storm_reflects(const struct advice *r, const struct conf_rule *rule)
{
	const struct conf *c = advise_storm_conf(r);
	const struct conf_set *set = &c->sets[rule->oifs];

	for (uint32_t i = 0; i < set->n; i++) {
		const struct ifname *out = &c->names[c->pool[set->off + i]].ifname;

		if (!out->is_wildcard && ifname_matches(out, r->in_name))
			return true;
	}
	return false;
}

/* The rule that decides about the flow and would send it out where it comes in; NULL when there is none. */
static const struct conf_rule *advise_storm_rule(const struct advice *r)
{
	const struct conf_rule *rule = NULL;
	struct explanation x;

	if (!explain_packet(&x, advise_storm_conf(r), r->in_name, &r->x->w->flow))
		r->f->failed = true;
	else
		for (unsigned i = 0; !rule && i < x.n; i++)
			if (!x.rules[i].narrower && advise_storm_reflects(r, x.rules[i].rule))
				rule = x.rules[i].rule;
	explain_free(&x);
	return rule;
}

/* The mgroup line that joins the group where it comes in; NULL when another program does. */
static const struct conf_rule *advise_storm_join(const struct advice *r)
{
	const struct conf *c = advise_storm_conf(r);

	for (const struct conf_rule *m = c->mgroups; m < c->mgroups + c->nmgroups; m++)
		if (ifname_matches(&c->names[m->iif].ifname, r->in_name) &&
		    addr_covers(&m->range.flow.group, m->range.group_len, &r->x->w->flow.group))
			return m;
	return NULL;
}

/* The entry has its input among its outputs. */
static bool advise_storm_is_on(const struct advice *r)
{
	const struct probe_mfc *e = r->x->entry;

	for (unsigned i = 0; e && i < e->noifs; i++)
		if (e->oif[i] == r->x->in)
			return true;
	return false;
}

/* True when what leaves where the flow comes in comes back. */
static bool advise_storm_loops(const struct advice *r)
{
	struct flow_range range = flow_range_of(&r->x->w->flow);
	uint32_t n;

	if (r->x->is_any)
		addr_any(r->fam, &range.flow.source, &range.source_len);
	return sample_is_member(r->d, r->x->in, &r->x->w->flow.group) && kernel_members_read(&n) >= 0 &&
	       kernel_members_loop(r->x->in, &range);
}

static void advise_storm_say(struct advice *r, const struct conf_rule *rule)
{
	const struct conf_rule *join = advise_storm_join(r);
	struct buf b = { 0 };

	r->f->what = "storm";
	buf_printf(&b, "drop %s from the outputs", r->in_name);
	if (rule) {
		buf_str(&b, " of ");
		advise_storm_place(r, &b, &rule->where);
	}
	buf_str(&b, join ? " or the membership of " : ", or end what has joined there");
	if (join)
		advise_storm_place(r, &b, &join->where);
	finding_add(r->f, FINDING_ERROR, "%s: %s comes in on %s and %s out there again, while this host is a member of "
		    "%s on it: Linux takes what leaves there in again, so each packet %s; %s and reload",
		    advise_storm_is_on(r) ? "multiplied" : "held back", r->flow, r->in_name,
		    advise_storm_is_on(r) ? "goes" : "should go", r->group, advise_storm_is_on(r) ?
		    "goes out until its TTL is used up" : "would go round, and the router does not send it there",
		    buf_cstr(&b));
	if (rule) {
		char source[ADDR_STRLEN] = "", group[ADDR_STRLEN];
		bool any = flow_range_any_source(&rule->range);

		finding_fix(r->f, "%s remove %s %s%s%s %s", running_ctl(&r->d->running), r->in_word,
			    any ? "" : prefix_str(&rule->range.flow.source, rule->range.source_len, source),
			    any ? "" : " ", prefix_str(&rule->range.flow.group, rule->range.group_len, group),
			    r->in_word);
		finding_or(r->f);
	}
	if (join)
		finding_fix(r->f, "%s leave %s %s", running_ctl(&r->d->running), r->in_word, r->group);
	else
		finding_fix(r->f, "ip maddr show dev %s", r->in_word);
	buf_free(&b);
}

/* How many TTLs it came with here, when the distance between each two of them is the same: *step, else 0. */
static unsigned advise_storm_rounds(const struct sighting *s, int *step)
{
	unsigned n = 0;
	int last = 0;

	*step = 0;
	for (int ttl = 0; ttl < 256; ttl++) {
		if (!(s->ttls[ttl / 64] >> ttl % 64 & 1))
			continue;
		if (n > 1 && ttl - last != *step)
			return 0;
		if (n)
			*step = ttl - last;
		last = ttl;
		n++;
	}
	return n;
}

/* Appends the rules of the file for the flow's group: where from and where to. */
static void advise_storm_rules(const struct advice *r, struct buf *b)
{
	const struct conf *c = advise_storm_conf(r);
	unsigned n = 0;

	for (const struct conf_rule *m = c->mroutes; m < c->mroutes + c->nmroutes && n < 8; m++)
		if (c->sets[m->oifs].n && flow_range_has(&m->range, &r->x->w->flow)) {
			buf_str(b, n++ ? ", " : ": rules for it are ");
			advise_storm_place(r, b, &m->where);
			buf_str(b, " (");
			print_rule(b, c, "mroute", 6, m);
			buf_chr(b, ')');
		}
}

static void advise_storm_round(struct advice *r)
{
	const struct sighting *s = r->x->here;
	int step;
	unsigned n = s ? advise_storm_rounds(s, &step) : 0;
	struct buf b = { 0 };

	if (n < ROUNDS)
		return;
	r->f->what = "round";
	advise_storm_rules(r, &b);
	finding_add(r->f, FINDING_WARNING, "packets go round: %s came in on %s with %u different TTLs from %u down to "
		    "%u, %d less each time, as packets that a ring of routers or rules sends back do%s", r->flow,
		    r->in_name, n, s->ttl_max, s->ttl_min, step, buf_cstr(&b));
	if (r->d->file) {
		buf_consume(&b, b.len);
		buf_shell_word(&b, r->d->file);
		finding_fix(r->f, "smcroute-check %s", buf_cstr(&b));
	}
	advice_tcpdump(r, r->in_word);
	buf_free(&b);
}

bool advise_storm(struct advice *r)
{
	const struct conf_rule *rule;

	if (!r->in || advice_is_foreign(r->d))
		return false;
	advise_storm_round(r);
	rule = advise_storm_rule(r);
	if ((!rule && !advise_storm_is_on(r)) || !advise_storm_loops(r))
		return false;
	advise_storm_say(r, rule);
	return true;
}
