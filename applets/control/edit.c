/* SPDX-License-Identifier: ISC
 *
 * Words of a client become edits of the wanted state, through the same field parsers
 * as the config file.  An edit is done when its function returns: the kernel has
 * it.  Memberships alone may take longer, and are asked for again then.
 */
#include "applets/control/edit.h"

#include <string.h>

#include "lib/status.h"
#include "lib/wire.h"
#include "router/pending.h"

/* Fails where word i is no name of an interface. */
static int edit_check_name(struct call *call, int i)
{
	size_t len = strlen(call->argv[i]);
	const char *why = ifname_check(call->argv[i], &len);

	return why ? call_fail(call, EXIT_DATA, "%s: %s", call->argv[i], why) : 0;
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

/* Reads IIF [SOURCE[/LEN]] GROUP[/LEN].  The interface is checked and stays text.  Sets *end to the number of
 * the word behind.  0, or the exit status. */
static int edit_parse_range(struct call *call, struct flow_range *range, int *end)
{
	const char *const *words = call->argv + 2;
	int n, status = edit_check_name(call, 1);

	if (status)
		return status;
	n = call->argc > 3 && edit_has_source(words[0], words[1]) ? 2 : 1;
	*end = 2 + n;

	const char *why = conf_parse_range(words, n, range);

	return why ? call_fail(call, EXIT_DATA, "%s", why) : 0;
}

/* The number of an interface name that has been checked.  One that is not there is added, or with `known`
 * becomes CONF_NONE. */
static uint16_t edit_name(struct router *r, const char *word, bool known)
{
	size_t len = strcspn(word, ":");	/* the alias suffix is no part of it */

	return known ? conf_name_find(r->conf, word, len) : conf_name(r->conf, word, len);
}

static int edit_no_names(struct call *call)
{
	return call_fail(call, EXIT_SYSTEM, "out of memory or of interface names");
}

/* Fails as there is no such rule, or with is_group no such membership. */
static int edit_not_there(struct call *call, const struct flow_range *range, bool is_group)
{
	char s[ADDR_STRLEN], g[ADDR_STRLEN];
	const char *source = "*";

	if (!flow_range_any_source(range))
		source = prefix_str(&range->flow.source, range->source_len, s);
	prefix_str(&range->flow.group, range->group_len, g);
	if (is_group)
		/* Programs look for this text: see behaviour of SMCRoute 2.4. */
		return call_fail(call, EXIT_NONE, "failed leave (%s,%s), not a member", source, g);
	return call_fail(call, EXIT_NONE, "no rule (%s, %s) from %s", source, g, call->argv[1]);
}

/* ---- rules ---- */

enum edit_kind { EDIT_ADD, EDIT_REPLACE, EDIT_REMOVE };

/* A rule in the words of a client. */
struct edit_rule {
	struct router_rule rule;
	bool has_oifs;			/* outputs were named, even if the conf does not know them */
	uint16_t oifs[WIRE_MAX_WORDS];
};

static bool edit_has_oif(const struct edit_rule *w, uint16_t name)
{
	for (uint32_t i = 0; i < w->rule.noifs; i++)
		if (w->oifs[i] == name)
			return true;
	return false;
}

/* Reads IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...].  With `known` interface names that the conf does not have are
 * left out, otherwise they are added.  0, or the exit status. */
static int edit_parse_rule(struct call *call, bool known, struct edit_rule *w)
{
	struct router *r = call->router;
	int at = 0;

	w->rule = (struct router_rule){ .oifs = w->oifs };

	int status = edit_parse_range(call, &w->rule.key.range, &at);

	for (int i = at; !status && i < call->argc; i++)
		status = edit_check_name(call, i);
	if (status)
		return status;
	w->has_oifs = at < call->argc;
	w->rule.key.iif = edit_name(r, call->argv[1], known);
	if (w->rule.key.iif == CONF_NONE && !known)
		return edit_no_names(call);
	for (; at < call->argc; at++) {
		uint16_t name = edit_name(r, call->argv[at], known);

		if (name == CONF_NONE && !known)
			return edit_no_names(call);
		if (name != CONF_NONE && !edit_has_oif(w, name))
			w->oifs[w->rule.noifs++] = name;
	}
	return 0;
}

/* True when an output is the inbound interface by its own name, not by a wildcard. */
static bool edit_names_itself(const struct conf *c, const struct conf_rule *rule)
{
	const struct conf_set *set = &c->sets[rule->oifs];

	for (uint32_t i = 0; i < set->n; i++)
		if (c->pool[set->off + i] == rule->iif && !c->names[rule->iif].ifname.is_wildcard)
			return true;
	return false;
}

/* Says what is remarkable about a rule that was added. */
static void edit_note_rule(struct call *call, const struct conf_rule *rule)
{
	const struct router *r = call->router;
	uint16_t which;
	const char *reason = router_rule_reason(r, rule, &which);

	if (reason)
		call_note(call, "%s: %s, the rule waits for it", r->conf->names[which].ifname.text, reason);
	else if (edit_names_itself(r->conf, rule))
		call_note(call, "%s is the inbound interface too: packets go out where they came in", call->argv[1]);
	else if (!r->conf->sets[rule->oifs].n)
		call_note(call, "no output interface: packets of this flow are stopped");
}

/* Edits a rule and brings the kernel in line; what it refused is the command's failure. */
static int edit_rule(struct call *call, enum edit_kind kind)
{
	struct router *r = call->router;
	struct edit_rule w;
	uint32_t id;
	int status = edit_parse_rule(call, kind == EDIT_REMOVE, &w), res = 0;

	if (status)
		return status;
	if (kind == EDIT_REMOVE) {
		id = rules_find(&r->rules, &w.rule.key);
		if (id == HASH_NONE)
			return edit_not_there(call, &w.rule.key.range, false);
		/* Outputs were named and the rule has none of them: nothing to do, and surely not all of it. */
		if (w.rule.noifs || !w.has_oifs)
			res = router_rule_remove(r, &w.rule, id);
	} else {
		res = router_rule_add(r, &w.rule, kind == EDIT_REPLACE, &id);
	}
	if (res < 0)
		return call_no_memory(call);
	r->changes.failed = 0;
	router_sync(r);
	pending_tell(r, id);
	if (r->changes.failed)
		return call_fail(call, EXIT_SYSTEM, "the kernel refused: %s", strerror(r->changes.err));
	if (kind != EDIT_REMOVE)
		edit_note_rule(call, &r->conf->mroutes[id]);
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

/* ---- memberships ---- */

/* Reads the words of join and leave as a line of the conf.  *line is its number, or HASH_NONE.  The name of
 * the interface is added, or with `known` becomes CONF_NONE where it is not there.  0, or the exit status. */
static int edit_parse_group(struct call *call, bool known, struct conf_rule *group, uint32_t *line)
{
	int end, status;

	*group = (struct conf_rule){ 0 };
	status = edit_parse_range(call, &group->range, &end);
	if (status)
		return status;
	if (end < call->argc)
		return call_fail(call, EXIT_USAGE, "%s: %s: one word too many", call->argv[0], call->argv[end]);

	unsigned bits = mgroup_bits(group);

	if (bits > CONF_JOIN_BITS)
		return call_fail(call, EXIT_DATA, "%s: this is %s%llu memberships, at most %u are possible at once",
				 call->argv[end - 1], bits < 64 ? "" : "2^", bits < 64 ? 1ull << bits : bits,
				 1u << CONF_JOIN_BITS);
	group->iif = edit_name(call->router, call->argv[1], known);
	*line = group->iif == CONF_NONE ? HASH_NONE : group_line_find(call->router, group);
	return 0;
}

/* Says how a line came out, or when that will be known. */
static int edit_join_result(struct call *call, const struct conf_rule *group)
{
	struct router *r = call->router;
	struct group_count n;

	group_line_count(r, group, &n);
	if (n.waiting && !call->is_again) {
		call->later = groups_ticket(&r->groups);
		return 0;
	}
	if (n.failed) {
		const char *limit = kernel_join_limit(n.err, flow_range_fam(&group->range));

		return call_fail(call, EXIT_SYSTEM, "the kernel refused %u of %u memberships: %s%s%s%s", n.failed,
				 n.failed + n.joined, strerror(n.err), *limit ? " (" : "", limit, *limit ? ")" : "");
	}

	const char *reason = router_group_reason(r, group);

	if (reason)
		call_note(call, "%s: %s, the membership waits for it", call->argv[1], reason);
	return 0;
}

int edit_join(struct call *call)
{
	struct router *r = call->router;
	struct conf_rule group;
	uint32_t line;
	int status = edit_parse_group(call, call->is_again, &group, &line);

	if (status)
		return status;
	if (call->is_again)	/* it may have been left meanwhile */
		return line == HASH_NONE ? 0 : edit_join_result(call, &group);
	if (group.iif == CONF_NONE)
		return edit_no_names(call);
	if (line != HASH_NONE)
		group_line_retry(r, line);
	else if (group_line_add(r, &group) < 0)
		return call_no_memory(call);
	router_sync(r);
	return edit_join_result(call, &group);
}

int edit_leave(struct call *call)
{
	struct router *r = call->router;
	struct group_count n;
	struct conf_rule group;
	uint32_t line;
	int status = edit_parse_group(call, true, &group, &line);

	if (status || call->is_again)
		return status;
	if (line == HASH_NONE)
		return edit_not_there(call, &group.range, true);
	group_line_del(r, line);
	router_sync(r);
	group_line_count(r, &group, &n);
	if (n.waiting)
		call->later = groups_ticket(&r->groups);
	return 0;
}
