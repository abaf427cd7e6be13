/* SPDX-License-Identifier: ISC
 *
 * Words of a client -> edits of the wanted state, through the field parsers of
 * the config file.  Each command is done when its function returns.
 */
#include "applets/control/edit.h"

#include <string.h>

#include "lib/status.h"
#include "lib/wire.h"
#include "router/pending.h"

static int check_name(struct cmd *c, int i)
{
	size_t len = strlen(c->argv[i]);
	const char *why = ifname_check(c->argv[i], &len);

	return why ? cmd_fail(c, EXIT_DATA, "%s: %s", c->argv[i], why) : 0;
}

/* Takes IIF [SOURCE[/LEN]] GROUP[/LEN] from the words, the interface as text still.  *words: how many that
 * were, with the command.  0, or the exit status. */
static int parse_flow(struct cmd *c, struct conf_rule *g, int *words)
{
	const char *const *w = c->argv + 2;
	struct addr a;
	uint8_t len;
	int n = 1, status = check_name(c, 1);

	if (status)
		return status;
	/* A second address is a group; an interface may be called 10.1 or eth0:1, but not like an address. */
	if (c->argc > 3 && (prefix_parse(w[1], strlen(w[1]), &a, &len) != ADDR_BAD ||
			    (addr_parse(w[0], strcspn(w[0], "/"), &a) == ADDR_OK && !addr_is_multicast(&a, 128))))
		n = 2;
	*words = 2 + n;
	const char *why = conf_parse_range(w, n, &g->range);
	return why ? cmd_fail(c, EXIT_DATA, "%s", why) : 0;
}

/* Number of a name, which ifname_check() has found right, in the conf.  One that is not there is added, or
 * with `known` CONF_NONE. */
static uint16_t name_of(struct router *r, const char *word, bool known)
{
	size_t len = strcspn(word, ":");	/* the alias suffix is no part of it */

	return known ? conf_name_find(r->conf, word, len) : conf_name(r->conf, word, len);
}

static int no_names(struct cmd *c)
{
	return cmd_fail(c, EXIT_SYSTEM, "out of memory or of interface names");
}

/* Fails as there is no such rule, or with `leave` no such membership. */
static int no_flow(struct cmd *c, const struct conf_rule *f, bool leave)
{
	char s[ADDR_STRLEN], g[ADDR_STRLEN];
	const char *source = flow_range_any_source(&f->range) ? "*" : prefix_str(&f->range.flow.source, f->range.source_len, s);

	prefix_str(&f->range.flow.group, f->range.group_len, g);
	if (leave)
		/* Programs look for this text: see behaviour of SMCRoute 2.4. */
		return cmd_fail(c, EXIT_NONE, "failed leave (%s,%s), not a member", source, g);
	return cmd_fail(c, EXIT_NONE, "no rule (%s, %s) from %s", source, g, c->argv[1]);
}

/* ---- rules ---- */

/* What a client says of a rule. */
struct words {
	struct router_rule rule;
	bool named;			/* outputs were */
	uint16_t oifs[WIRE_MAX_WORDS];
};

/* Takes IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...] from the words.  With `known` interface names that the conf
 * does not have are left out, otherwise they are added.  0, or the exit status. */
static int parse_rule(struct router *r, struct cmd *c, bool known, struct words *w)
{
	struct router_rule *rule = &w->rule;
	int i, at = 0, status;

	*rule = (struct router_rule){ .oifs = w->oifs };
	status = parse_flow(c, &rule->key, &at);

	for (i = at; !status && i < c->argc; i++)
		status = check_name(c, i);
	if (status)
		return status;
	rule->key.iif = name_of(r, c->argv[1], known);
	w->named = i > at;
	bool full = rule->key.iif == CONF_NONE && !known;
	for (; !full && at < c->argc; at++) {
		uint16_t name = name_of(r, c->argv[at], known);
		uint32_t k = 0;

		while (k < rule->noifs && w->oifs[k] != name)
			k++;
		if (name == CONF_NONE)
			full = !known;
		else if (k == rule->noifs)
			w->oifs[rule->noifs++] = name;
	}
	return full ? no_names(c) : 0;
}

/* True when an output is the inbound interface by its own name, not by a wildcard. */
static bool names_itself(const struct conf *c, const struct conf_rule *m)
{
	const struct conf_set *s = &c->sets[m->oifs];

	for (uint32_t i = 0; i < s->n; i++)
		if (c->pool[s->off + i] == m->iif && !c->names[m->iif].ifname.is_wildcard)
			return true;
	return false;
}

/* What is remarkable about a rule that was added. */
static void note_rule(struct router *r, struct cmd *c, const struct conf_rule *m)
{
	uint16_t which;
	const char *reason = router_rule_reason(r, m, &which);

	if (reason)
		cmd_note(c, "%s: %s, the rule waits for it", r->conf->names[which].ifname.text, reason);
	else if (names_itself(r->conf, m))
		cmd_note(c, "%s is the inbound interface too: packets go out where they came in", c->argv[1]);
	else if (!r->conf->sets[m->oifs].n)
		cmd_note(c, "no output interface: packets of this flow are stopped");
}

enum change { ADD, REPLACE, REMOVE };

/* Changes a rule and brings the kernel in line; what it refused is the command's failure. */
static int change(struct router *r, struct cmd *c, enum change how)
{
	struct words w;
	const struct router_rule *rule = &w.rule;
	uint32_t id;
	int status = parse_rule(r, c, how == REMOVE, &w), res = 0;

	if (status)
		return status;
	if (how == REMOVE) {
		id = rules_find(&r->rules, &rule->key);
		if (id == HASH_NONE)
			return no_flow(c, &rule->key, false);
		/* Outputs were named and the rule has none of them: nothing to do, and surely not all of it. */
		if (rule->noifs || !w.named)
			res = router_rule_remove(r, rule, id);
	} else {
		res = router_rule_add(r, rule, how == REPLACE, &id);
	}
	if (res < 0)
		return cmd_no_memory(c);
	r->changes.failed = 0;
	router_sync(r);
	pending_tell(r, id);
	if (r->changes.failed)
		return cmd_fail(c, EXIT_SYSTEM, "the kernel refused: %s", strerror(r->changes.err));
	if (how != REMOVE)
		note_rule(r, c, &r->conf->mroutes[id]);
	return 0;
}

int edit_add(struct router *r, struct cmd *c)
{
	return change(r, c, ADD);
}

int edit_replace(struct router *r, struct cmd *c)
{
	return change(r, c, REPLACE);
}

int edit_remove(struct router *r, struct cmd *c)
{
	return change(r, c, REMOVE);
}

/* ---- memberships ---- */

/* Takes the words of join and leave as a line of the conf; *line is its number or HASH_NONE.  A name that is
 * not there is added, or with `known` CONF_NONE.  0, or the exit status. */
static int parse_group(struct router *r, struct cmd *c, bool known, struct conf_rule *g, uint32_t *line)
{
	int words, status;

	*g = (struct conf_rule){ 0 };
	status = parse_flow(c, g, &words);
	if (status)
		return status;
	if (c->argc > words)
		return cmd_fail(c, EXIT_USAGE, "%s: %s: one word too many", c->argv[0], c->argv[words]);
	unsigned bits = mgroup_bits(g);
	if (bits > CONF_JOIN_BITS)
		return cmd_fail(c, EXIT_DATA, "%s: this is %s%llu memberships, at most %u are possible at once",
				c->argv[words - 1], bits < 64 ? "" : "2^", bits < 64 ? 1ull << bits : bits,
				1u << CONF_JOIN_BITS);
	g->iif = name_of(r, c->argv[1], known);
	*line = g->iif == CONF_NONE ? HASH_NONE : group_line_find(r, g);
	return 0;
}

/* How a line came out, or when that will be known. */
static int join_result(struct router *r, struct cmd *c, const struct conf_rule *g)
{
	struct group_count n;

	group_line_count(r, g, &n);
	if (n.waiting && !c->again) {
		c->later = groups_ticket(&r->groups);
		return 0;
	}
	if (n.failed) {
		const char *limit = kernel_join_limit(n.err, flow_range_fam(&g->range));

		return cmd_fail(c, EXIT_SYSTEM, "the kernel refused %u of %u memberships: %s%s%s%s", n.failed,
				n.failed + n.joined, strerror(n.err), *limit ? " (" : "", limit, *limit ? ")" : "");
	}
	const char *reason = router_group_reason(r, g);
	if (reason)
		cmd_note(c, "%s: %s, the membership waits for it", c->argv[1], reason);
	return 0;
}

int edit_join(struct router *r, struct cmd *c)
{
	struct conf_rule g;
	uint32_t line;
	int status = parse_group(r, c, c->again, &g, &line);

	if (status)
		return status;
	if (c->again)	/* it may have been left meanwhile */
		return line == HASH_NONE ? 0 : join_result(r, c, &g);
	if (g.iif == CONF_NONE)
		return no_names(c);
	if (line != HASH_NONE)
		group_line_retry(r, line);
	else if (group_line_add(r, &g) < 0)
		return cmd_no_memory(c);
	router_sync(r);
	return join_result(r, c, &g);
}

int edit_leave(struct router *r, struct cmd *c)
{
	struct group_count n;
	struct conf_rule g;
	uint32_t line;
	int status = parse_group(r, c, true, &g, &line);

	if (status || c->again)
		return status;
	if (line == HASH_NONE)
		return no_flow(c, &g, true);
	group_line_del(r, line);
	router_sync(r);
	group_line_count(r, &g, &n);
	if (n.waiting)
		c->later = groups_ticket(&r->groups);
	return 0;
}
