/* SPDX-License-Identifier: ISC
 *
 * Words of a client become edits of the wanted state, through the same field parsers as the config file.  An edit is
 * done when its function returns: the kernel has it.  Memberships, and what concerns very many entries, may take
 * longer: then the command is called again.
 */
#include "applets/control/edit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "applets/control/edit_owner.h"
#include "applets/control/edit_words.h"
#include "conf/match.h"
#include "conf/warn.h"
#include "lib/status.h"
#include "router/claims.h"
#include "router/pending.h"
#include "router/reason.h"
#include "router/reflect.h"

#define EDIT_STOPS "no output interface: packets of this flow are stopped"

/* ---- routes ---- */

/* True when an output is the inbound interface by its own name, not by a wildcard. */
static bool edit_names_itself(const struct names *t, const struct rule *rule)
{
	const struct oif_list *list = &t->lists[rule->oifs];

	for (uint32_t i = 0; i < list->n; i++)
		if (list->names[i] == rule->iif && !t->v[rule->iif].ifname.is_wildcard)
			return true;
	return false;
}

/* Says what is remarkable about a rule. */
static void edit_note_rule(struct call *call, const struct edit_words *w, const struct rule *rule)
{
	const struct router *r = call->router;
	struct buf why = { 0 };
	const char *which, *held = reflect_reason(r, rule, &which), *reason = reason_of_route(r, rule, &why, &which);
	char text[ADDR_STRLEN];

	prefix_str(&rule->range.flow.group, rule->range.group_len, text);
	if (match_link_local(&rule->range.flow.group, rule->range.group_len))
		call_note(call, "group %s is link-local: routers never forward it%s", text, warn_tool(text));
	else if (rule->oifs && match_range_stays(&rule->range))
		call_note(call, "source %s stays on its link or host: routers never forward it",
			  prefix_str(&rule->range.flow.source, rule->range.source_len, text));
	if (held)
		call_note(call, "%s is %s", which, held);
	else if (reason && which)
		edit_words_note_waits(call, w, which, reason);
	else if (edit_names_itself(&r->rules.names, rule))
		call_note(call, "%s is the inbound interface too: packets go out where they came in", call->argv[1]);
	else if (!rule->oifs)
		call_note(call, EDIT_STOPS);
	if (reason && !which)
		call_note(call, "%s", reason);
	buf_free(&why);
}

/* Says that a rule has outputs beside those that its owner asks for alone. */
static void edit_note_more(struct call *call, const struct edit_words *w, uint32_t id)
{
	const struct rules *t = &call->router->rules.routes;
	const char *other = edit_owner_other(call, t, id, w->rule.owner);
	struct claim claim;

	if (other && claims_find(t, id, w->rule.owner, &claim) && claim.oifs != t->v[id].oifs)
		call_note(call, claim.oifs ? "the rule has outputs of owner %s too" :
			  "the stop comes when owner %s asks for no output any more", other);
}

/* True when the kernel is not in line yet with what was edited: the command is called again then. */
static bool edit_waits(struct call *call)
{
	if (router_is_busy(call->router))
		call->later = router_ticket(call->router);
	return call->later;
}

/* Begins to bring the kernel in line with what was edited: what is refused of that rule is a failure. */
static void edit_sync(struct call *call, const struct edit_words *w)
{
	struct router *r = call->router;

	state_edit(r);
	state_edit_add(r, &w->rule.iif, &w->rule.range);
	router_sync(r);
}

/* The errno with which the kernel refused an interface that the words name, or 0. */
static int edit_refused_interface(const struct router *r, const struct edit_words *w)
{
	enum fam fam = flow_range_fam(&w->rule.range);

	for (uint32_t k = 0; k <= w->rule.noifs; k++) {
		const struct ifname *name = k ? &w->rule.oifs[k - 1] : &w->rule.iif;

		for (struct iface *i = NULL; (i = iface_match(&r->ifs, name, i));)
			if (i->vif[fam] < 0 && i->vif_errno[fam] && iface_usable(i, name))
				return i->vif_errno[fam];
	}
	return 0;
}

/* Ends the edit of a rule, or of one that is gone: what the kernel refused is the command's failure, and so is an
 * interface that it asked for.  The exit status, after saying so. */
static int edit_end_rule(struct call *call, const struct edit_words *w, uint32_t id, bool is_asked)
{
	struct router *r = call->router;
	int err = id != HASH_NONE && is_asked ? edit_refused_interface(r, w) : 0;

	if (id != HASH_NONE)
		pending_report(r, id);
	if (r->edit.failed)
		err = r->edit.err;
	return err ? call_fail(call, EXIT_SYSTEM, "the kernel refused: %s", strerror(err)) : 0;
}

/* Adds a rule or outputs to one, or says what exactly they are. */
static int edit_add_rule(struct call *call, enum change_how how)
{
	struct router *r = call->router;
	struct edit_words w;
	uint32_t id;
	int status = edit_words_rule(call, &w), res;

	if (status)
		return status;
	if (!call->is_again) {
		w.rule.owner = edit_owner_hold(call);
		if (w.rule.owner == HASH_NONE)
			return edit_owner_refused(call);
		res = change_add(r, &w.rule, how, &id);
		owner_drop(&r->rules.owners, w.rule.owner);
		if (res < 0)
			return edit_words_refused(call);
		edit_sync(call, &w);
		if (edit_waits(call))
			return 0;
	}
	/* It may have been removed meanwhile. */
	id = rules_find(&r->rules, &r->rules.routes, &w.rule.iif, &w.rule.range);
	w.rule.owner = edit_owner_find(call);
	status = edit_end_rule(call, &w, id, true);
	if (!status && id != HASH_NONE)
		edit_note_rule(call, &w, &r->rules.routes.v[id]);
	if (!status && id != HASH_NONE && (how == CHANGE_REPLACE || !w.rule.noifs))
		edit_note_more(call, &w, id);
	return status;
}

int edit_add(struct call *call)
{
	return edit_add_rule(call, CHANGE_MORE);
}

int edit_replace(struct call *call)
{
	return edit_add_rule(call, CHANGE_REPLACE);
}

/* The number of the first output that the owner does not ask for, so that it cannot be removed; or of outputs. */
static uint32_t edit_lacking(const struct call *call, const struct edit_words *w, uint32_t id)
{
	uint32_t i = 0;

	while (i < w->rule.noifs && change_has_output(call->router, id, w->rule.owner, &w->rule.oifs[i]))
		i++;
	return i;
}

/* The name of another owner who asks for an output, by its word; NULL when nobody does. */
static const char *edit_output_owner(const struct call *call, const struct edit_words *w, uint32_t id, uint32_t i)
{
	const struct ruleset *set = &call->router->rules;
	uint32_t name = name_find(&set->names, &w->rule.oifs[i]);
	struct claim claim;

	for (struct claim_walk walk = claims_walk(&set->routes, id); claims_next(&walk, &claim);)
		if (!change_is_of(w->rule.owner, claim.owner) && oif_list_has_name(&set->names, claim.oifs, name))
			return owner_name(&set->owners, claim.owner);
	return NULL;
}

/* Fails as none of the outputs can be removed. */
static int edit_no_output(struct call *call, const struct edit_words *w, uint32_t id)
{
	const char *other = edit_output_owner(call, w, id, 0), *oif = call->argv[w->end];

	if (!other)
		return call_fail(call, EXIT_NONE, "the rule has no output %s", oif);
	return call_fail(call, EXIT_NONE, "%s is an output for owner %s%s%s%s", oif, other,
			 call->owner ? ", not for " : ": -o ", call->owner ? call->owner : other,
			 call->owner ? "" : " takes it back");
}

/* Says what is left of a rule that was removed, or some of its outputs; lacking: number of one that the owner did not
 * ask for. */
static void edit_note_rest(struct call *call, const struct edit_words *w, uint32_t id, uint32_t lacking)
{
	const struct ruleset *set = &call->router->rules;
	const char *other = NULL;

	if (!w->rule.noifs)
		edit_owner_note_others(call, &set->routes, id, "the rule");
	if (lacking < w->rule.noifs && !edit_output_owner(call, w, id, lacking))
		call_note(call, "%s was no output of the rule", call->argv[w->end + (int)lacking]);
	for (uint32_t i = 0; !other && i < w->rule.noifs; i++) {
		other = edit_output_owner(call, w, id, i);
		if (other)
			call_note(call, "%s stays: owner %s asks for it", call->argv[w->end + (int)i], other);
	}
	if (w->rule.noifs && !set->routes.v[id].oifs)
		call_note(call, EDIT_STOPS);
}

int edit_remove(struct call *call)
{
	struct router *r = call->router;
	struct rules *t = &r->rules.routes;
	struct edit_words w;
	uint32_t id, lacking;
	int status = edit_words_rule(call, &w);

	if (status)
		return status;
	id = rules_find(&r->rules, t, &w.rule.iif, &w.rule.range);
	w.rule.owner = edit_owner_find(call);
	if (call->is_again)
		return edit_end_rule(call, &w, id, false);
	if (id == HASH_NONE || w.rule.owner == HASH_NONE)
		return edit_owner_not_there(call, &w.rule.range, t, id);
	lacking = edit_lacking(call, &w, id);
	if (change_remove(r, &w.rule, id) < 0)
		return errno != ENOENT ? edit_words_refused(call) :
		       w.rule.noifs ? edit_no_output(call, &w, id) : edit_owner_not_there(call, &w.rule.range, t, id);
	edit_sync(call, &w);
	if (edit_waits(call))
		return 0;
	id = rules_find(&r->rules, t, &w.rule.iif, &w.rule.range);
	status = edit_end_rule(call, &w, id, false);
	if (!status && id != HASH_NONE)
		edit_note_rest(call, &w, id, lacking);
	return status;
}

/* ---- memberships ---- */

/* Reads the words of join and leave.  *join: its number, HASH_NONE = there is none such.  0, or the exit status. */
static int edit_take_group(struct call *call, struct edit_words *w, uint32_t *join)
{
	const struct ruleset *set = &call->router->rules;
	int status = edit_words_range(call, w);

	*join = HASH_NONE;
	if (status)
		return status;
	if (w->end < call->argc)
		return call_fail(call, EXIT_USAGE, "%s: %s: one word too many", call->argv[0], call->argv[w->end]);

	unsigned bits = conf_join_bits(&w->rule.range);

	if (bits > CONF_JOIN_BITS)
		return call_fail(call, EXIT_DATA, "%s: this is %s%llu memberships, at most %u are possible at once",
				 call->argv[w->end - 1], bits < 64 ? "" : "2^", bits < 64 ? 1ull << bits : bits,
				 1u << CONF_JOIN_BITS);
	*join = rules_find(set, &set->joins, &w->rule.iif, &w->rule.range);
	return 0;
}

/* Says how a join came out, or when that will be known. */
static int edit_join_result(struct call *call, const struct edit_words *w)
{
	struct router *r = call->router;
	struct group_count n = group_count(r, &w->rule.iif, &w->rule.range);
	enum fam fam = flow_range_fam(&w->rule.range);

	if ((n.waiting || router_is_busy(r)) && !call->is_again) {
		call->later = router_ticket(r);
		return 0;
	}
	if (n.failed) {
		const char *limit = kernel_join_limit(n.err, fam);

		return call_fail(call, EXIT_SYSTEM, "the kernel refused %u of %u memberships: %s%s%s%s", n.failed,
				 n.failed + n.joined, strerror(n.err), *limit ? " (" : "", limit, *limit ? ")" : "");
	}

	const char *reason = reason_of_join(r, &w->rule.iif, fam);

	if (reason)
		call_note(call, "%s: %s, the membership waits for it", call->argv[1], reason);
	else if ((reason = reflect_of_join(r, &w->rule.iif, &w->rule.range)))
		call_note(call, "%s: a rule sends such packets out where they come in, which is held back while this "
			  "host is a member there, as each packet would come back: leave the group or drop that output",
			  reason);
	return 0;
}

int edit_join(struct call *call)
{
	struct router *r = call->router;
	struct edit_words w;
	uint32_t join, owner;
	int status = edit_take_group(call, &w, &join), res;

	if (status)
		return status;
	if (call->is_again)	/* it may have been left meanwhile */
		return join == HASH_NONE ? 0 : edit_join_result(call, &w);
	owner = edit_owner_hold(call);
	if (owner == HASH_NONE)
		return edit_owner_refused(call);
	res = change_join(r, &w.rule.iif, &w.rule.range, owner);
	owner_drop(&r->rules.owners, owner);
	if (res < 0)
		return edit_words_refused(call);
	router_sync(r);
	return edit_join_result(call, &w);
}

/* Says how a leave came out, or when that will be known. */
static int edit_leave_result(struct call *call, const struct edit_words *w)
{
	struct router *r = call->router;

	if (!call->is_again && (router_is_busy(r) || group_count(r, &w->rule.iif, &w->rule.range).waiting)) {
		call->later = router_ticket(r);
		return 0;
	}
	if (!r->edit.failed)
		return 0;
	return call_fail(call, EXIT_SYSTEM, "the kernel has not let go of all: %s; this is tried again",
			 strerror(r->edit.err));
}

int edit_leave(struct call *call)
{
	struct router *r = call->router;
	const struct rules *t = &r->rules.joins;
	struct edit_words w;
	uint32_t join, owner = edit_owner_find(call);
	int status = edit_take_group(call, &w, &join);

	if (status)
		return status;
	if (call->is_again)
		return edit_leave_result(call, &w);
	if (join == HASH_NONE || owner == HASH_NONE)
		return edit_owner_not_there(call, &w.rule.range, t, join);
	state_edit(r);
	state_edit_leave(r, &w.rule.iif, &w.rule.range);
	if (change_leave(r, join, owner) < 0)
		return errno == ENOENT ? edit_owner_not_there(call, &w.rule.range, t, join) : edit_words_refused(call);
	router_sync(r);
	join = rules_find(&r->rules, t, &w.rule.iif, &w.rule.range);
	if (join == HASH_NONE)
		return edit_leave_result(call, &w);
	edit_owner_note_others(call, t, join, "the membership");
	return 0;
}
