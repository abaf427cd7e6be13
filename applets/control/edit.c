/* SPDX-License-Identifier: ISC
 *
 * Words of a client become edits of the wanted state, through the same field parsers as the config file.  An edit is
 * done when its function returns: the kernel has it.  Memberships alone may take longer, and are asked for again then.
 */
#include "applets/control/edit.h"

#include <errno.h>
#include <string.h>

#include "conf/field.h"
#include "lib/status.h"
#include "lib/wire.h"
#include "router/pending.h"
#include "router/reason.h"
#include "router/reflect.h"

/* Reads word i as the name of an interface; an alias suffix is no part of it.  0, or the exit status. */
static int edit_take_name(struct call *call, int i, struct ifname *name)
{
	size_t len = strlen(call->argv[i]);
	const char *why = ifname_check(call->argv[i], &len);

	if (why)
		return call_fail(call, EXIT_DATA, "%s: %s", call->argv[i], why);
	*name = ifname_of(call->argv[i], len);
	return 0;
}

/* True when the two words behind the interface are source and group, not group and output. */
static bool edit_has_source(const char *first, const char *second)
{
	struct addr a;
	uint8_t len;

	/* An interface may be called 10.1 or eth0:1, but not like an address: a second address is a group. */
	if (prefix_parse(second, strlen(second), &a, &len) != ADDR_BAD)
		return true;
	return addr_parse(first, strcspn(first, "/"), &a) == ADDR_OK && !addr_is_multicast(&a, 128);
}

/* Reads IIF [SOURCE[/LEN]] GROUP[/LEN].  Sets *end to the number of the word behind.  0, or the exit status. */
static int edit_take_range(struct call *call, struct ifname *iif, struct flow_range *range, int *end)
{
	const char *const *words = call->argv + 2;
	int n = call->argc > 3 && edit_has_source(words[0], words[1]) ? 2 : 1, status = edit_take_name(call, 1, iif);

	*end = 2 + n;
	if (status)
		return status;

	const char *why = field_range(words, n, range);

	return why ? call_fail(call, EXIT_DATA, "%s", why) : 0;
}

static int edit_no_memory(struct call *call)
{
	if (errno != ENOSPC)
		return call_no_memory(call);
	return call_fail(call, EXIT_SYSTEM, "65536 interface names are in use: remove rules that name some");
}

/* Fails as there is no such rule, or with is_group no such membership. */
static int edit_not_there(struct call *call, const struct flow_range *range, bool is_group)
{
	char s[ADDR_STRLEN] = "*", g[ADDR_STRLEN];

	if (!flow_range_any_source(range))
		prefix_str(&range->flow.source, range->source_len, s);
	prefix_str(&range->flow.group, range->group_len, g);
	/* Programs look for the first text, which is that of SMCRoute 2.4. */
	return is_group ? call_fail(call, EXIT_NONE, "failed leave (%s,%s), not a member", s, g) :
			  call_fail(call, EXIT_NONE, "no rule (%s, %s) from %s", s, g, call->argv[1]);
}

enum edit_kind { EDIT_ADD, EDIT_REPLACE, EDIT_REMOVE };

/* A rule in the words of a client. */
struct edit_rule {
	struct router_rule rule;
	struct ifname oifs[WIRE_MAX_WORDS];
};

/* Reads IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...].  0, or the exit status. */
static int edit_take_rule(struct call *call, struct edit_rule *w)
{
	int at, status = edit_take_range(call, &w->rule.iif, &w->rule.range, &at);

	w->rule.oifs = w->oifs;
	for (w->rule.noifs = 0; !status && at < call->argc; at++)
		status = edit_take_name(call, at, &w->oifs[w->rule.noifs++]);
	return status;
}

int edit_check(struct call *call, bool is_rule)
{
	struct edit_rule w;
	int end;

	return is_rule ? edit_take_rule(call, &w) : edit_take_range(call, &w.rule.iif, &w.rule.range, &end);
}

/* True when an output is the inbound interface by its own name, not by a wildcard. */
static bool edit_names_itself(const struct names *t, const struct rule *rule)
{
	const struct oif_list *list = &t->lists[rule->oifs];

	for (uint32_t i = 0; i < list->n; i++)
		if (list->names[i] == rule->iif && !t->v[rule->iif].ifname.is_wildcard)
			return true;
	return false;
}

/* Says what is remarkable about a rule that was added. */
static void edit_note_rule(struct call *call, const struct rule *rule)
{
	const struct router *r = call->router;
	const char *which, *held = reflect_reason(r, rule, &which), *reason = reason_of_route(r, rule, &which);

	if (held)
		call_note(call, "%s is %s", which, held);
	else if (reason)
		call_note(call, "%s: %s, the rule waits for it", which, reason);
	else if (edit_names_itself(&r->rules.names, rule))
		call_note(call, "%s is the inbound interface too: packets go out where they came in", call->argv[1]);
	else if (!rule->oifs)
		call_note(call, "no output interface: packets of this flow are stopped");
}

/* Edits a rule and brings the kernel in line; what it refused is the command's failure. */
static int edit_rule(struct call *call, enum edit_kind kind)
{
	struct router *r = call->router;
	struct edit_rule w;
	uint32_t id;
	int status = edit_take_rule(call, &w), res;

	if (status)
		return status;
	if (kind == EDIT_REMOVE) {
		id = rules_find(&r->rules, &r->rules.routes, &w.rule.iif, &w.rule.range);
		if (id == HASH_NONE)
			return edit_not_there(call, &w.rule.range, false);
		res = router_rule_remove(r, &w.rule, id);
	} else {
		res = router_rule_add(r, &w.rule, kind == EDIT_REPLACE, &id);
	}
	if (res < 0)
		return edit_no_memory(call);
	r->changes.failed = 0;
	router_sync(r);
	if (kind != EDIT_REMOVE || w.rule.noifs)
		pending_report(r, id);
	if (r->changes.failed)
		return call_fail(call, EXIT_SYSTEM, "the kernel refused: %s", strerror(r->changes.err));
	if (kind != EDIT_REMOVE)
		edit_note_rule(call, &r->rules.routes.v[id]);
	return 0;
}

int edit_add(struct call *call)
{
	return edit_rule(call, EDIT_ADD);
}

int edit_replace(struct call *call)
{
	return edit_rule(call, EDIT_REPLACE);
}

int edit_remove(struct call *call)
{
	return edit_rule(call, EDIT_REMOVE);
}

/* A membership in the words of a client. */
struct edit_group {
	struct ifname iif;
	struct flow_range range;
	uint32_t join;		/* its number, HASH_NONE = there is none such */
};

/* Reads the words of join and leave.  0, or the exit status. */
static int edit_take_group(struct call *call, struct edit_group *w)
{
	int end, status = edit_take_range(call, &w->iif, &w->range, &end);

	if (status)
		return status;
	if (end < call->argc)
		return call_fail(call, EXIT_USAGE, "%s: %s: one word too many", call->argv[0], call->argv[end]);

	unsigned bits = conf_join_bits(&w->range);

	if (bits > CONF_JOIN_BITS)
		return call_fail(call, EXIT_DATA, "%s: this is %s%llu memberships, at most %u are possible at once",
				 call->argv[end - 1], bits < 64 ? "" : "2^", bits < 64 ? 1ull << bits : bits,
				 1u << CONF_JOIN_BITS);
	w->join = rules_find(&call->router->rules, &call->router->rules.joins, &w->iif, &w->range);
	return 0;
}

/* Says how a join came out, or when that will be known. */
static int edit_join_result(struct call *call, const struct edit_group *w)
{
	struct router *r = call->router;
	struct group_count n = group_count(r, &w->iif, &w->range);
	enum fam fam = flow_range_fam(&w->range);

	if (n.waiting && !call->is_again) {
		call->later = groups_ticket(r->groups);
		return 0;
	}
	if (n.failed) {
		const char *limit = kernel_join_limit(n.err, fam);

		return call_fail(call, EXIT_SYSTEM, "the kernel refused %u of %u memberships: %s%s%s%s", n.failed,
				 n.failed + n.joined, strerror(n.err), *limit ? " (" : "", limit, *limit ? ")" : "");
	}

	const char *reason = reason_of_join(r, &w->iif, fam);

	if (reason)
		call_note(call, "%s: %s, the membership waits for it", call->argv[1], reason);
	else if ((reason = reflect_of_join(r, &w->iif, &w->range)))
		call_note(call, "%s: a rule sends such packets out where they come in, which is held back while this "
			  "host is a member there, as each packet would come back: leave the group or drop that output",
			  reason);
	return 0;
}

int edit_join(struct call *call)
{
	struct router *r = call->router;
	struct edit_group w;
	int status = edit_take_group(call, &w);

	if (status)
		return status;
	if (call->is_again)	/* it may have been left meanwhile */
		return w.join == HASH_NONE ? 0 : edit_join_result(call, &w);
	if (w.join != HASH_NONE)
		group_retry(r, w.join);
	else if (group_join(r, &w.iif, &w.range) < 0)
		return edit_no_memory(call);
	router_sync(r);
	return edit_join_result(call, &w);
}

int edit_leave(struct call *call)
{
	struct router *r = call->router;
	struct edit_group w;
	int status = edit_take_group(call, &w);

	if (status || call->is_again)
		return status;
	if (w.join == HASH_NONE)
		return edit_not_there(call, &w.range, true);
	group_leave(r, w.join);
	router_sync(r);
	if (group_count(r, &w.iif, &w.range).waiting)
		call->later = groups_ticket(r->groups);
	return 0;
}
