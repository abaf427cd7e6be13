/* SPDX-License-Identifier: ISC */
#include "applets/doctor/advise_why.h"

#include <string.h>

#include "applets/doctor/advise_rule.h"
#include "conf/explain.h"
#include "conf/match.h"
#include "conf/print.h"

static bool advise_why_explain(const struct advice *r, struct explanation *x, const struct conf *c)
{
	bool ok = explain_packet(x, c, r->in_name, &r->x->w->flow);

	r->f->failed |= !ok;
	return ok;
}

/* Appends the line that disables an interface, as the file has it. */
static void advise_why_phyint(const struct advice *r, struct buf *b, const struct phyint *line)
{
	const struct conf *c = r->d->file_conf;
	const struct phyint *p = c->phyints;

	while (p < c->phyints + c->nphyints && strcmp(p->ifname.text, line->ifname.text))
		p++;
	if (p < c->phyints + c->nphyints)
		buf_printf(b, "%s:%lu ", c->files[p->where.file], (unsigned long)p->where.line);
	buf_printf(b, "(phyint %s disable)", line->ifname.text);
}

/* Errors in the file, of which the first ones: a line that has one is left out, and so is a reload. */
static bool advise_why_slips(struct advice *r)
{
	const struct diags *d = &r->d->file_diags;
	struct buf b = { 0 };
	unsigned n = 0;

	r->f->what = "config";
	for (const struct diag *e = d->v; e < d->v + d->n && n < 3; e++) {
		if (!e->error)
			continue;
		buf_printf(&b, "%s%s:%lu:%u: %s", n++ ? "; " : "", r->d->file_conf->files[e->where.file],
			   (unsigned long)e->where.line, e->where.col, e->text);
	}
	if (!n)
		return false;
	finding_add(r->f, FINDING_ERROR, "the file has errors: %s; lines like that are left out at a start, and a "
		    "reload changes nothing until they are mended", buf_cstr(&b));
	buf_free(&b);
	if (r->d->file)
		buf_shell_word(&b, r->d->file);
	finding_fix(r->f, "smcroute-check %s", buf_cstr(&b));
	buf_free(&b);
	return true;
}

/* Outputs that a phyint line disables. */
static void advise_why_disabled(struct advice *r, const struct explanation *x, struct buf *b)
{
	for (uint32_t id = 0; id < x->c->nnames; id++) {
		struct explain_output o = x->is_output[id] ? explain_output(x, id) : (struct explain_output){ 0 };

		if (!o.disabled)
			continue;
		buf_str(b, b->len ? ", " : "");
		buf_printf(b, "%s by ", x->c->names[id].ifname.text);
		advise_why_phyint(r, b, o.disabled);
	}
}

/* Outputs with a threshold that no packet exceeds: the kernel has none of them in the entry. */
static bool advise_why_shut(struct advice *r, const struct explanation *x, struct buf *b)
{
	const struct conf *c = r->d->file_conf;

	for (uint32_t id = 0; r->fam == FAM_4 && id < x->c->nnames; id++) {
		const struct phyint *line = match_phyint(c->phyints, c->nphyints, x->c->names[id].ifname.text).ttl_line;

		if (!x->is_output[id] || !line || line->ttl != UINT8_MAX)
			continue;
		buf_printf(b, "%s%s (%s:%lu)", b->len ? ", " : "", x->c->names[id].ifname.text,
			   c->files[line->where.file], (unsigned long)line->where.line);
	}
	return b->len;
}

/* Nothing is known that keeps its rule from being in force: only time can have been too short. */
static void advise_why_late(struct advice *r, const struct loss *l, const char *rule)
{
	struct running *run = &r->d->running;

	if (l->verdict == VERDICT_WRONG_IIF && run->answers && r->x->entry) {
		/* The kernel reports such packets every 3 seconds at most (ip_mr_forward()). */
		r->f->what = "wrong_iif";
		finding_add(r->f, FINDING_ERROR, "wrong input interface: %s, and its entry waits for them on %s, where "
			    "a rule is for them too; it moves some seconds after nothing comes there any more",
			    advice_came(r, l), host_name(&r->d->host, r->x->entry->iif));
		finding_fix(r->f, "smcroute-check doctor %s 15", r->group);
	} else if (l->verdict == VERDICT_NO_ANSWER && run->answers) {
		r->f->what = "no_answer";
		finding_add(r->f, FINDING_ERROR, "the router made no entry: %s, and %s sends them on; it is busy, or "
			    "the kernel refused the entry: its log tells",
			    advice_came(r, l), rule);
		finding_fix(r->f, "%s show metrics", running_ctl(run));
	} else {
		r->f->what = "not_in_force";
		finding_add(r->f, FINDING_ERROR, "the rule is not in force: %s and go nowhere, but "
			    "%s sends them on; the router was not told of it yet, or waits for an interface",
			    advice_came(r, l), rule);
		finding_fix(r->f, "%s reload", running_ctl(run));
		finding_fix(r->f, "%s -d show pending", running_ctl(run));
	}
}

/* A rule is in force for it, and its entry has no output. */
static void advise_why_waits(struct advice *r, const struct explanation *x, const struct loss *l)
{
	struct running *run = &r->d->running;
	struct buf rule = { 0 }, why = { 0 };
	bool waits = false;

	for (uint32_t i = 0; i < x->n && !waits; i++) {
		if (x->rules[i].narrower)
			continue;
		rule.len = 0;
		advise_rule_line(r, &rule, x->rules[i].rule);
		waits = run->answers && running_pending(run, x->rules[i].rule, &why);
	}
	if (!waits && advise_why_shut(r, x, &why)) {
		r->f->what = "shut";
		finding_add(r->f, FINDING_ERROR, "shut by a ttl-threshold: %s and go nowhere; a "
			    "ttl-threshold of 255 lets nothing out, and that is what %s has; lower it in the file and "
			    "reload", advice_came(r, l), buf_cstr(&why));
		finding_fix(r->f, "%s show config", running_ctl(run));
	} else if (x->reason == EXPLAIN_OUTPUTS_DISABLED) {
		r->f->what = "disabled";
		why.len = 0;
		advise_why_disabled(r, x, &why);
		finding_add(r->f, FINDING_ERROR, "the outputs are disabled: %s and go nowhere; %s; "
			    "take that out and reload", advice_came(r, l), buf_cstr(&why));
		finding_fix(r->f, "%s show config", running_ctl(run));
	} else if (waits) {
		r->f->what = "waits";
		finding_add(r->f, FINDING_ERROR, "the rule waits: %s and go nowhere; %s waits for "
			    "%s", advice_came(r, l), buf_cstr(&rule), buf_cstr(&why));
		finding_fix(r->f, "%s show interfaces", running_ctl(run));
		finding_fix(r->f, "%s", kernel_word(WORD_LINKS, FAM_4));
	} else if (run->answers && running_metric(run, RUNNING_REFUSED)) {
		r->f->what = "limit";
		finding_add(r->f, FINDING_ERROR, "the router is full: %s and no entry was made; "
			    "%llu new sources were refused so far, start smcrouted with a larger -M",
			    advice_came(r, l),
			    (ull)running_metric(run, RUNNING_REFUSED));
		finding_fix(r->f, "%s show metrics", running_ctl(run));
	} else {
		advise_why_late(r, l, buf_cstr(&rule));
	}
	buf_free(&rule);
	buf_free(&why);
}

/* No rule is in force for it: perhaps the file has one. */
static enum why advise_why_file(struct advice *r, const struct loss *l)
{
	struct buf rule = { 0 };
	struct explanation x;
	enum why why = WHY_NOTHING;

	if (r->d->running.answers && advise_why_explain(r, &x, r->d->file_conf) && x.n && !x.stop && !x.in_disabled &&
	    sample_is_its_file(r->d)) {
		why = WHY_CAUSE;
		r->f->what = "not_reloaded";
		advise_rule_line(r, &rule, x.rules[0].rule);
		finding_add(r->f, FINDING_ERROR, "not reloaded yet: %s, %s sends them on, and the "
			    "router that runs does not know that rule", advice_came(r, l),
			    buf_cstr(&rule));
		if (!r->d->file_diags.errors)
			finding_fix(r->f, "%s reload", running_ctl(&r->d->running));
		buf_free(&rule);
	}
	if (r->d->running.answers)
		explain_free(&x);
	if (r->d->file_diags.errors && advise_why_slips(r))
		why = WHY_CAUSE;
	return why;
}

/* Two routers: the one that answers has its routes in another table than the one that packets are looked up in. */
static bool advise_why_table(struct advice *r, const struct loss *l)
{
	struct running *run = &r->d->running;
	uint32_t ours = run->table ? run->table : probe_default_table(r->fam), there = r->x->w->e.table;
	struct probe_lookup now = { .table = there };

	if (!run->answers || !r->in || !r->x->w->has_entry || there == ours)
		return false;
	probe_table(r->fam, r->in_name, &now);
	r->f->what = "table";
	finding_add(r->f, FINDING_ERROR, "looked up in another table: %s and are looked up in table %u, where another "
		    "router has no rule for them; that of process %d has table %u", advice_came(r, l), there, run->pid,
		    ours);
	remedy_table(r->f, r->fam, r->in_name, &now, ours);
	return true;
}

enum why advise_why(struct advice *r, const struct loss *l)
{
	enum why why = WHY_NOTHING;
	char holder[HOLDER];
	struct buf b = { 0 };
	struct explanation x;

	if (r->d->running.silent) {
		r->f->what = "no_answer";
		finding_add(r->f, FINDING_ERROR, "the router does not answer: %s, and process %d, "
			    "smcrouted, says nothing, to its client neither: is it stopped, or busy?",
			    advice_came(r, l), r->d->running.silent);
		finding_fix(r->f, "ps -o pid,stat,time,args -p %d", r->d->running.silent);
		return WHY_CAUSE;
	}
	if (advice_is_foreign(r->d)) {
		r->f->what = "holder";
		finding_add(r->f, FINDING_ERROR, "%s routes %s multicast here, and does not send on %s of %s that came "
			    "in on %s: it needs a rule for them, or end it and start smcrouted",
			    host_holder(r->k, holder), r->k->name, advice_count(r, l), r->flow, r->in_name);
		if (r->k->holder)
			finding_fix(r->f, "ps -o pid,args -p %d", r->k->holder);
		else
			advice_root(r);
		return WHY_CAUSE;
	}
	if (advise_why_table(r, l))
		return WHY_CAUSE;
	if (!r->in || r->x->is_any)
		return WHY_NOTHING;
	if (!advise_why_explain(r, &x, r->d->host.conf)) {
		explain_free(&x);
		return WHY_NOTHING;
	}
	if (x.in_disabled && x.n) {
		advise_why_phyint(r, &b, x.in_disabled);
		r->f->what = "disabled";
		finding_add(r->f, FINDING_ERROR, "the input is disabled: %s, which is never used, "
			    "by %s; take that out and reload", advice_came(r, l), buf_cstr(&b));
		finding_fix(r->f, "%s show config", running_ctl(&r->d->running));
		why = WHY_CAUSE;
	} else if (x.stop) {
		advise_rule_line(r, &b, x.stop);
		r->f->what = "stopped";
		finding_add(r->f, FINDING_NOTE, "stopped by a rule: %s comes in on %s and is not forwarded, as %s "
			    "says; if that is not wanted, change that line and reload", r->flow, r->in_name,
			    buf_cstr(&b));
		why = WHY_WANTED;
	} else if (x.n) {
		advise_why_waits(r, &x, l);
		why = WHY_CAUSE;
	} else {
		why = advise_why_file(r, l);
	}
	explain_free(&x);
	buf_free(&b);
	return why;
}

/* True when the entry of the flow sends to an interface that a name means. */
static bool advise_why_sends(const struct advice *r, const struct conf *c, uint32_t name)
{
	const struct evidence *e = &r->x->e;
	const struct ifname *ifname = &c->names[name].ifname;

	/* Of a wildcard those that there are: what is there is used. */
	for (unsigned i = 0; i < e->nouts; i++)
		if (ifname_matches(ifname, host_name(&r->d->host, e->out[i].ifindex)))
			return true;
	return ifname_matches(ifname, r->in_name);
}

static void advise_why_lacking(struct advice *r, const struct conf *c, bool is_file)
{
	struct running *run = &r->d->running;
	struct explanation x;

	if (!advise_why_explain(r, &x, c)) {
		explain_free(&x);
		return;
	}
	for (uint32_t id = 0; id < c->nnames && x.reason == EXPLAIN_FORWARDED; id++) {
		struct buf why = { 0 };
		const char *name = c->names[id].ifname.text;

		if (!x.is_output[id] || !explain_output(&x, id).is_used || advise_why_sends(r, c, id))
			continue;
		for (uint32_t i = 0; i < x.n && !is_file && !why.len; i++)
			running_pending(run, x.rules[i].rule, &why);
		r->f->what = is_file ? "not_reloaded" : "waits";
		finding_add(r->f, FINDING_WARNING, "nothing of %s goes to %s, which %s: %s", r->flow, name, is_file ?
			    "the file names as an output" : "its rule names as an output", is_file ?
			    "not reloaded yet" : why.len ? buf_cstr(&why) : "the router does not use it");
		finding_fix(r->f, "%s %s", running_ctl(run), is_file ? "reload" : "-d show pending");
		buf_free(&why);
	}
	explain_free(&x);
}

void advise_why_partly(struct advice *r)
{
	/* What another program is to send where, no file of ours says. */
	if (!r->in || r->x->is_any || !r->x->e.nouts || advice_is_foreign(r->d))
		return;
	advise_why_lacking(r, r->d->host.conf, !r->d->running.answers);
	if (r->d->running.answers)
		advise_why_lacking(r, r->d->file_conf, true);
}
