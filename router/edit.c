/* SPDX-License-Identifier: ISC
 *
 * Words of a client -> edits of the wanted state, through the field parsers of
 * the config file.  Each command is done when its function returns.
 */
#include "router/edit.h"

#include <stdlib.h>
#include <string.h>

#include "lib/status.h"
#include "router/pending.h"

/* What a client said of a flow: interfaces as text still. */
struct flow {
	const char *iif;
	size_t iif_len;
	struct addr source, group;
	uint8_t slen, glen;
	int words;		/* that it took, command included */
};

/* Takes IIF [SOURCE[/LEN]] GROUP[/LEN] from the words.  0, or the exit status. */
static int parse_flow(struct cmd *c, struct flow *f)
{
	struct addr a;
	uint8_t len;
	int n = 1;
	const char *why;

	f->iif = c->argv[1];
	f->iif_len = strlen(f->iif);
	why = conf_ifname(f->iif, &f->iif_len);
	if (why)
		return cmd_fail(c, EXIT_DATA, "%s: %s", c->argv[1], why);
	/* A second address is a group; an interface may be called 10.1 or eth0:1, but not like an address. */
	if (c->argc > 3 && (prefix_parse(c->argv[3], strlen(c->argv[3]), &a, &len) != ADDR_BAD ||
			    (addr_parse(c->argv[2], strcspn(c->argv[2], "/"), &a) == ADDR_OK && !addr_is_multicast(&a, 128))))
		n = 2;
	why = conf_parse_flow(c->argv + 2, n, &f->source, &f->slen, &f->group, &f->glen);
	if (why)
		return cmd_fail(c, EXIT_DATA, "%s", why);
	f->words = 2 + n;
	return 0;
}

/* Number of a name, which conf_ifname() has found right, in the conf.  One that is not there is added, or
 * with `known` CONF_NONE. */
static uint16_t name_of(struct router *r, const char *word, bool known)
{
	size_t len = strcspn(word, ":");	/* the alias suffix is no part of it */

	return known ? conf_name_find(r->conf, word, len) : conf_name(r->conf, word, len);
}

/* Takes IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...] from the words.  With `known` interface names that the conf
 * does not have are left out, otherwise they are added.  The outputs are the caller's to free; *named tells
 * whether there were any.  0, or the exit status. */
static int parse_rule(struct router *r, struct cmd *c, bool known, struct router_rule *rule, uint16_t **oifs,
		      bool *named)
{
	struct flow f = { 0 };
	int status = parse_flow(c, &f);

	*oifs = NULL;
	for (int i = f.words; !status && i < c->argc; i++) {
		size_t len = strlen(c->argv[i]);
		const char *why = conf_ifname(c->argv[i], &len);

		if (why)
			status = cmd_fail(c, EXIT_DATA, "%s: %s", c->argv[i], why);
	}
	if (status)
		return status;
	uint16_t *v = malloc((size_t)c->argc * sizeof *v);
	*rule = (struct router_rule){
		.key = { .iif = name_of(r, c->argv[1], known), .source = f.source, .slen = f.slen, .group = f.group,
			 .glen = f.glen },
		.oifs = v,
	};
	bool full = !v || (rule->key.iif == CONF_NONE && !known);
	for (int i = f.words; !full && i < c->argc; i++) {
		uint16_t name = name_of(r, c->argv[i], known);
		uint32_t k = 0;

		while (k < rule->noifs && v[k] != name)
			k++;
		if (name == CONF_NONE)
			full = !known;
		else if (k == rule->noifs)
			v[rule->noifs++] = name;
	}
	if (full) {
		free(v);
		return cmd_fail(c, EXIT_SYSTEM, "out of memory or of interface names");
	}
	*oifs = v;
	*named = c->argc > f.words;
	return 0;
}

/* Brings the kernel in line; what it refused is the command's failure. */
static int apply(struct router *r, struct cmd *c)
{
	memset(&r->changes, 0, sizeof r->changes);
	router_sync(r);
	if (r->changes.failed)
		return cmd_fail(c, EXIT_SYSTEM, "the kernel refused: %s", strerror(r->changes.err));
	return 0;
}

/* True when an output is the inbound interface by its own name, not by a wildcard. */
static bool names_itself(const struct conf *c, const struct mroute *m)
{
	const struct conf_set *s = &c->sets[m->oifs];

	for (uint32_t i = 0; i < s->n; i++)
		if (c->pool[s->off + i] == m->iif && !c->names[m->iif].wild)
			return true;
	return false;
}

static int run_add(struct router *r, struct cmd *c, bool replace)
{
	struct router_rule rule;
	uint16_t *oifs, which;
	bool named;
	uint32_t id;
	int status = parse_rule(r, c, false, &rule, &oifs, &named);

	if (status)
		return status;
	int res = router_rule_add(r, &rule, replace, &id);
	free(oifs);
	if (res < 0)
		return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	status = apply(r, c);
	pending_tell(r, id);
	if (status)
		return status;
	const struct mroute *m = &r->conf->mroutes[id];
	const char *reason = router_rule_reason(r, m, &which);
	if (reason)
		cmd_note(c, "%s: %s, the rule waits for it", r->conf->names[which].name, reason);
	else if (names_itself(r->conf, m))
		cmd_note(c, "%s is the inbound interface too: packets go out where they came in", c->argv[1]);
	else if (!r->conf->sets[m->oifs].n)
		cmd_note(c, "no output interface: packets of this flow are stopped");
	return 0;
}

int edit_add(struct router *r, struct cmd *c)
{
	return run_add(r, c, false);
}

int edit_replace(struct router *r, struct cmd *c)
{
	return run_add(r, c, true);
}

int edit_remove(struct router *r, struct cmd *c)
{
	char s[ADDR_STRLEN], g[ADDR_STRLEN];
	struct router_rule rule;
	uint16_t *oifs;
	bool named;
	int status = parse_rule(r, c, true, &rule, &oifs, &named), res = 0;

	if (status)
		return status;
	uint32_t id = rules_find(&r->rules, &rule.key);
	/* Outputs were named and the rule has none of them: nothing to do, and surely not all of it. */
	if (id != HASH_NONE && !(named && !rule.noifs))
		res = router_rule_remove(r, &rule, id);
	free(oifs);
	if (id == HASH_NONE)
		return cmd_fail(c, EXIT_NONE, "no rule (%s, %s) from %s",
				conf_any_source(&rule.key.group, rule.key.slen) ? "*" :
				prefix_str(&rule.key.source, rule.key.slen, s),
				prefix_str(&rule.key.group, rule.key.glen, g), c->argv[1]);
	if (res < 0)
		return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	status = apply(r, c);
	pending_tell(r, id);
	return status;
}

/* Takes the words of join and leave as a line of the conf, all but the name.  0, or the exit status. */
static int parse_group(struct cmd *c, struct flow *f, struct mroute *g)
{
	int status = parse_flow(c, f);

	if (status)
		return status;
	if (c->argc > f->words)
		return cmd_fail(c, EXIT_USAGE, "%s: %s: one word too many", c->argv[0], c->argv[f->words]);
	*g = (struct mroute){ .source = f->source, .slen = f->slen, .group = f->group, .glen = f->glen };
	unsigned bits = mgroup_bits(g);
	if (bits > CONF_JOIN_BITS)
		return cmd_fail(c, EXIT_DATA, "%s: this is %s%llu memberships, at most %u are possible at once",
				c->argv[f->words - 1], bits < 64 ? "" : "2^", bits < 64 ? 1ull << bits : bits,
				1u << CONF_JOIN_BITS);
	return 0;
}

/* How a line came out, or when that will be known. */
static int join_result(struct router *r, struct cmd *c, const struct mroute *g)
{
	struct group_count n;

	if (g->iif == CONF_NONE || group_line_find(r, g) == HASH_NONE)
		return 0;		/* left again meanwhile */
	group_line_count(r, g, &n);
	if (n.waiting && !c->again) {
		c->later = groups_ticket(&r->groups);
		return 0;
	}
	if (n.failed) {
		const char *limit = kernel_join_limit(n.err, addr_fam(&g->group));

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
	struct flow f;
	struct mroute g;
	int status = parse_group(c, &f, &g);

	if (status)
		return status;
	g.iif = c->again ? conf_name_find(r->conf, f.iif, f.iif_len) : conf_name(r->conf, f.iif, f.iif_len);
	if (c->again)
		return join_result(r, c, &g);
	if (g.iif == CONF_NONE)
		return cmd_fail(c, EXIT_SYSTEM, "out of memory or of interface names");
	uint32_t line = group_line_find(r, &g);
	if (line != HASH_NONE)
		group_line_retry(r, line);
	else if (group_line_add(r, &g) < 0)
		return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	router_sync(r);
	return join_result(r, c, &g);
}

int edit_leave(struct router *r, struct cmd *c)
{
	char s[ADDR_STRLEN], a[ADDR_STRLEN];
	struct group_count n;
	struct flow f;
	struct mroute g;
	int status = parse_group(c, &f, &g);

	if (status || c->again)
		return status;
	g.iif = conf_name_find(r->conf, f.iif, f.iif_len);
	uint32_t line = g.iif == CONF_NONE ? HASH_NONE : group_line_find(r, &g);
	if (line == HASH_NONE)
		/* Programs look for this text: see behaviour of SMCRoute 2.4. */
		return cmd_fail(c, EXIT_NONE, "failed leave (%s,%s), not a member",
				conf_any_source(&g.group, g.slen) ? "*" : prefix_str(&g.source, g.slen, s),
				prefix_str(&g.group, g.glen, a));
	group_line_del(r, line);
	router_sync(r);
	group_line_count(r, &g, &n);
	if (n.waiting)
		c->later = groups_ticket(&r->groups);
	return 0;
}
