/* SPDX-License-Identifier: ISC
 *
 * Names are few and rules are many: it is counted for each name how many rules have it, by the lists of outputs as far
 * as they go, and then asked what the name lacks.
 */
#include "router/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"
#include "router/reason.h"

#define WAIT_NAMED 8		/* interfaces that a sum names */
#define WAIT_FEW 64		/* interfaces that are compared after each change */
#define WAIT_MS 1000		/* until more than that are */

/* How many wait for a name. */
struct wait_count {
	uint32_t rules[FAM_N], groups[FAM_N];
};

void waits_free(struct waits *t)
{
	free(t->v);
	*t = (struct waits){ 0 };
}

/* The names that rules have. */
static void wait_count_rules(const struct router *r, struct wait_count *v)
{
	const struct names *t = &r->rules.names;
	const struct rules *rules = &r->rules.routes;

	for (const struct oif_list *list = t->lists; list < t->lists + t->nlists; list++)
		for (enum fam f = 0; f < FAM_N; f++)
			for (uint32_t i = 0; list->rules[t->side][f] && list->bits.lacks[f] && i < list->n; i++)
				v[list->names[i]].rules[f] += list->rules[t->side][f];
	for (uint32_t id = rules->first; id != HASH_NONE; id = rules->v[id].next) {
		const struct rule *rule = &rules->v[id];
		enum fam f = flow_range_fam(&rule->range);

		/* Once, even when it is an output of the rule as well. */
		if (t->v[rule->iif].bits.lacks[f] && !oif_list_has_name(t, rule->oifs, rule->iif))
			v[rule->iif].rules[f]++;
	}
}

static void wait_count_groups(const struct router *r, struct wait_count *v)
{
	const struct rules *joins = &r->rules.joins;

	for (uint32_t id = joins->first; id != HASH_NONE; id = joins->v[id].next)
		v[joins->v[id].iif].groups[flow_range_fam(&joins->v[id].range)]++;
}

static void wait_add(struct waits *t, const char *name, const char *reason, uint32_t rules, uint32_t groups,
		     bool was_there)
{
	struct wait *v = grow(t->v, &t->cap, t->n + 1, sizeof *v);

	if (!v)
		return;
	t->v = v;
	v[t->n] = (struct wait){ .rules = rules, .groups = groups, .was_there = was_there, .reason = reason,
				 .why = hash_bytes(reason, strlen(reason)) };
	snprintf(v[t->n++].name, sizeof v->name, "%s", name);
}

/* What rules wait for because of a name: itself, or interfaces that it means. */
static void wait_add_rules(const struct router *r, struct waits *t, const struct name *name, enum fam fam, uint32_t n)
{
	const struct ifname *ifname = &name->ifname;
	const char *which, *reason = n && r->up[fam] ? reason_of_name(r, ifname, fam, true, &which) : NULL;
	bool any = false;

	for (struct iface *i = NULL; reason && (i = iface_match(&r->ifs, ifname, i));) {
		const char *why = iface_usable(i, ifname) ? reason_of_iface(i, ifname, fam, true) : NULL;

		if (why)
			wait_add(t, i->name, why, n, 0, true);
		any |= why != NULL;
	}
	if (reason && !any)
		wait_add(t, ifname->text, reason, n, 0, name->was_met);
}

/* All rules of a family that is not routed wait for that, each once however many names it has. */
static void wait_add_family(const struct router *r, struct waits *t, enum fam fam)
{
	const struct rules *rules = &r->rules.routes;
	const struct name *name = NULL;
	const char *which;
	uint32_t n = 0;

	for (uint32_t id = rules->first; !r->up[fam] && id != HASH_NONE; id = rules->v[id].next)
		if (flow_range_fam(&rules->v[id].range) == fam) {
			name = &r->rules.names.v[rules->v[id].iif];
			n++;
		}
	if (n)
		wait_add(t, fam_str(fam), reason_of_name(r, &name->ifname, fam, true, &which), n, 0, false);
}

static int wait_by_name(const void *a, const void *b)
{
	return strcmp(((const struct wait *)a)->name, ((const struct wait *)b)->name);
}

/* Makes one of those with the same name. */
static void wait_merge(struct waits *t)
{
	uint32_t n = 0;

	if (t->n)
		qsort(t->v, t->n, sizeof *t->v, wait_by_name);
	for (uint32_t i = 0; i < t->n; i++) {
		if (n && !strcmp(t->v[n - 1].name, t->v[i].name)) {
			t->v[n - 1].rules += t->v[i].rules;
			t->v[n - 1].groups += t->v[i].groups;
		} else {
			t->v[n++] = t->v[i];
		}
	}
	t->n = n;
}

/* Finds out what is waited for.  Without memory for that it looks like nothing. */
static void wait_collect(const struct router *r, struct waits *t)
{
	const struct names *names = &r->rules.names;
	/* Twice as large now and then, not of another size each time: what is freed would be kept for each of them. */
	uint32_t cap = 0;
	struct wait_count *v = grow(NULL, &cap, names->n + 1u, sizeof *v);

	if (!v)
		return;
	memset(v, 0, cap * sizeof *v);
	wait_count_rules(r, v);
	wait_count_groups(r, v);
	for (uint32_t id = 0; id < names->n; id++)
		for (enum fam f = 0; f < FAM_N; f++) {
			const struct name *name = &names->v[id];
			const char *reason = v[id].groups[f] ? reason_of_join(r, &name->ifname, f) : NULL;

			wait_add_rules(r, t, name, f, v[id].rules[f]);
			if (reason)
				wait_add(t, name->ifname.text, reason, 0, v[id].groups[f], name->was_met);
		}
	free(v);
	for (enum fam f = 0; f < FAM_N; f++)
		wait_add_family(r, t, f);
	wait_merge(t);
}

static void wait_log(struct router *r, const struct wait *w)
{
	bool is_missing = !strcmp(w->reason, reason_missing);
	char what[64] = "";

	if (w->rules)
		snprintf(what, sizeof what, "%lu rule%s", (unsigned long)w->rules, w->rules == 1 ? "" : "s");
	if (w->groups)
		snprintf(what + strlen(what), sizeof what - strlen(what), "%s%lu group%s", w->rules ? " and " : "",
			 (unsigned long)w->groups, w->groups == 1 ? "" : "s");
	log_limited(&r->lim_wait, r->now, LOG_LVL_NOTICE, "%s%s%s: %s wait%s for it", w->name,
		    !is_missing ? ": " : w->was_there ? " is gone" : " does not exist yet",
		    is_missing ? "" : w->reason, what, w->rules + w->groups == 1 ? "s" : "");
}

static void wait_log_end(struct router *r, const struct wait *w)
{
	log_limited(&r->lim_wait, r->now, LOG_LVL_NOTICE, "%s: nothing waits for it any more", w->name);
}

/* Logs what is in one of both alone. */
static void wait_compare(struct router *r, const struct waits *old, const struct waits *new)
{
	uint32_t k = 0;

	for (uint32_t i = 0; i < new->n; i++) {
		const struct wait *w = &new->v[i];

		for (; k < old->n && strcmp(old->v[k].name, w->name) < 0; k++)
			wait_log_end(r, &old->v[k]);
		bool is_known = k < old->n && !strcmp(old->v[k].name, w->name);

		if (!is_known || old->v[k].why != w->why)
			wait_log(r, w);
		k += is_known;
	}
	for (; k < old->n; k++)
		wait_log_end(r, &old->v[k]);
}

/* What is waited for is compared as a whole, which many changes share when it is much. */
bool wait_is_due(struct router *r)
{
	struct waits *t = &r->waits;

	if (!t->is_stale)
		return false;
	if (t->n < WAIT_FEW || t->put_off++ >= t->n || (t->due && r->now >= t->due))
		return true;
	if (!t->due)
		t->due = r->now + WAIT_MS;
	return false;
}

void wait_report(struct router *r)
{
	struct waits new = { 0 };

	wait_collect(r, &new);
	wait_compare(r, &r->waits, &new);
	new.changes = r->waits.changes + 1;
	r->has_shrunk |= r->waits.n > 2 * new.n + WAIT_FEW;
	waits_free(&r->waits);
	r->waits = new;
}

void wait_tell_all(struct router *r)
{
	r->waits.n = 0;
	r->waits.is_stale = true;
}

void wait_sum_up(struct buf *b, const struct router *r)
{
	const struct waits *t = &r->waits;

	for (uint32_t i = 0; i < t->n && i < WAIT_NAMED; i++)
		buf_printf(b, "%s %lu %s%s", i ? "," : ";", (unsigned long)t->v[i].rules + t->v[i].groups,
			   i ? "for " : t->v[i].rules + t->v[i].groups == 1 ? "waits for " : "wait for ", t->v[i].name);
	if (t->n > WAIT_NAMED)
		buf_printf(b, " and others for %lu more", (unsigned long)(t->n - WAIT_NAMED));
	for (enum fam f = 0; f < FAM_N; f++)
		if (*r->lacks[f])
			buf_printf(b, "; %s", r->lacks[f]);
}
