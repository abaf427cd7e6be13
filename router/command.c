/* SPDX-License-Identifier: ISC
 *
 * Words of a client -> edits of the wanted state, through the field parsers of
 * the config file.  Each command is done when its function returns.
 */
#include "router/command.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/status.h"
#include "router/router.h"
#include "router/show.h"

int cmd_fail(struct cmd *c, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->error, sizeof c->error, fmt, ap);
	va_end(ap);
	return status;
}

void cmd_note(struct cmd *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->note, sizeof c->note, fmt, ap);
	va_end(ap);
}

/* ---- words ---- */

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
	char buf[256];
	struct addr a;
	uint8_t len;
	int bad = 0, n = 1;
	const char *why;

	f->iif = c->argv[1];
	f->iif_len = strlen(f->iif);
	why = conf_ifname(f->iif, &f->iif_len);
	if (why)
		return cmd_fail(c, EXIT_DATA, "%s: %s", c->argv[1], why);
	/* A second address is a group; an interface may be called 10.1 or eth0:1, but not like an address. */
	if (c->argc > 3 && (prefix_parse(c->argv[3], strlen(c->argv[3]), &a, &len) != ADDR_BAD ||
			    (prefix_parse(c->argv[2], strlen(c->argv[2]), &a, &len) == ADDR_OK && !addr_is_multicast(&a, len))))
		n = 2;
	why = conf_parse_flow(c->argv + 2, n, &f->source, &f->slen, &f->group, &f->glen, &bad, buf, sizeof buf);
	if (why)
		return cmd_fail(c, EXIT_DATA, "%s", why);
	f->words = 2 + n;
	return 0;
}

/* The output interfaces among the words, as numbers in the conf, none twice.  Unknown names are added, or
 * with `known` skipped.  0, or the exit status. */
static int parse_oifs(struct router *r, struct cmd *c, int from, bool known, uint16_t *out, uint32_t *n)
{
	*n = 0;
	for (int i = from; i < c->argc; i++) {
		size_t len = strlen(c->argv[i]);
		const char *why = conf_ifname(c->argv[i], &len);

		if (why)
			return cmd_fail(c, EXIT_DATA, "%s: %s", c->argv[i], why);
	}
	for (int i = from; i < c->argc; i++) {
		size_t len = strlen(c->argv[i]);
		uint32_t k = 0;

		conf_ifname(c->argv[i], &len);
		uint16_t name = known ? conf_name_find(r->conf, c->argv[i], len) : conf_name(r->conf, c->argv[i], len);
		if (name == CONF_NONE && known)
			continue;
		if (name == CONF_NONE)
			return cmd_fail(c, EXIT_SYSTEM, "out of memory or of interface names");
		while (k < *n && out[k] != name)
			k++;
		if (k == *n)
			out[(*n)++] = name;
	}
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

static int run_add(struct router *r, struct cmd *c, bool replace)
{
	struct router_rule rule = { 0 };
	struct flow f;
	uint32_t id;
	int status = parse_flow(c, &f);

	if (status)
		return status;
	uint16_t *oifs = malloc((size_t)c->argc * sizeof *oifs);
	if (!oifs)
		return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	status = parse_oifs(r, c, f.words, false, oifs, &rule.noifs);
	rule.iif = status ? CONF_NONE : conf_name(r->conf, f.iif, f.iif_len);
	if (!status && rule.iif == CONF_NONE)
		status = cmd_fail(c, EXIT_SYSTEM, "out of memory or of interface names");
	if (status) {
		free(oifs);
		return status;
	}
	rule.source = f.source;
	rule.slen = f.slen;
	rule.group = f.group;
	rule.glen = f.glen;
	rule.oifs = oifs;
	int res = router_rule_add(r, &rule, replace, &id);
	free(oifs);
	if (res < 0)
		return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	status = apply(r, c);
	if (status)
		return status;
	const struct mroute *m = &r->conf->mroutes[id];
	uint16_t which;
	const char *reason = router_rule_reason(r, m, &which);
	if (reason)
		cmd_note(c, "%s: %s, the rule waits for it", r->conf->names[which].name, reason);
	else if (!r->conf->sets[m->oifs].n)
		cmd_note(c, "no output interface: packets of this flow are stopped");
	return 0;
}

static int cmd_add(struct router *r, struct cmd *c)
{
	return run_add(r, c, false);
}

static int cmd_replace(struct router *r, struct cmd *c)
{
	return run_add(r, c, true);
}

static int cmd_remove(struct router *r, struct cmd *c)
{
	struct router_rule rule = { 0 };
	struct flow f;
	int status = parse_flow(c, &f);

	if (status)
		return status;
	uint16_t *oifs = malloc((size_t)c->argc * sizeof *oifs);
	if (!oifs)
		return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	status = parse_oifs(r, c, f.words, true, oifs, &rule.noifs);
	if (status) {
		free(oifs);
		return status;
	}
	rule.iif = conf_name_find(r->conf, f.iif, f.iif_len);
	rule.source = f.source;
	rule.slen = f.slen;
	rule.group = f.group;
	rule.glen = f.glen;
	rule.oifs = oifs;
	bool named = c->argc > f.words;
	int res = -1;

	errno = ENOENT;
	if (rule.iif != CONF_NONE &&
	    rules_find(&r->rules, r->conf, rule.iif, &f.source, f.slen, &f.group, f.glen) != HASH_NONE)
		res = named && !rule.noifs ? 0 : router_rule_remove(r, &rule);
	free(oifs);
	if (res < 0 && errno == ENOENT) {
		char s[ADDR_STRLEN], g[ADDR_STRLEN];
		bool any = f.slen <= (addr_fam(&f.group) == FAM_4 ? ADDR_V4_BITS : 0);

		return cmd_fail(c, EXIT_NONE, "no rule (%s, %s) from %s", any ? "*" : prefix_str(&f.source, f.slen, s),
				prefix_str(&f.group, f.glen, g), c->argv[1]);
	}
	if (res < 0)
		return cmd_fail(c, EXIT_SYSTEM, "out of memory");
	return apply(r, c);
}

static int cmd_flush(struct router *r, struct cmd *c)
{
	(void)c;
	router_flush(r);
	return 0;
}

static int cmd_reload(struct router *r, struct cmd *c)
{
	if (!r->ops || !r->ops->reload)
		return cmd_fail(c, EXIT_INTERNAL, "this daemon cannot reload");
	return r->ops->reload(r->ops_ctx, c);
}

static int cmd_kill(struct router *r, struct cmd *c)
{
	(void)c;
	if (r->ops && r->ops->stop)
		r->ops->stop(r->ops_ctx);
	return 0;
}

static int cmd_ping(struct router *r, struct cmd *c)
{
	(void)r;
	(void)c;
	return 0;
}

const struct command commands[] = {
	{ "add", "", "IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...]", "add a multicast route, or more outputs to one",
	  "add eth0 192.168.1.42 225.1.2.3 eth1 eth2", 2, 4096, 0, cmd_add },
	{ "replace", "", "IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...]", "add a route, or give one exactly these outputs",
	  "replace eth0 225.1.2.3 eth2", 2, 4096, 0, cmd_replace },
	{ "remove", "del rem", "IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...]", "remove a route, or some of its outputs",
	  "remove eth0 192.168.1.42 225.1.2.3 eth2", 2, 4096, 0, cmd_remove },
	{ "flush", "", "", "forget all learned and blocked entries", "flush", 0, 0, 0, cmd_flush },
	{ "reload", "restart", "", "read the config file again, as SIGHUP does", "reload", 0, 0, 0, cmd_reload },
	{ "kill", "", "", "end the daemon", "kill", 0, 0, CMD_GONE, cmd_kill },
	{ "show", "", "[routes | interfaces | pending | config]", "show what is routed, and what waits",
	  "-d show routes", 0, 1, 0, show_run },
	{ "ping", "", "", "succeed when the daemon answers", "ping", 0, 0, 0, cmd_ping },
	{ "help", "", "[COMMAND]", "show this text, or that of one command", "help add", 0, 1, CMD_LOCAL, NULL },
	{ "version", "", "", "show version and features", "version", 0, 0, CMD_LOCAL, NULL },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL },
};

/* ---- finding ---- */

static bool is_alias(const struct command *cmd, const char *word)
{
	size_t n = strlen(word);

	for (const char *a = cmd->aliases; *a; a += strcspn(a, " "), a += strspn(a, " "))
		if (strcspn(a, " ") == n && !strncmp(a, word, n))
			return true;
	return false;
}

static void append(char *why, size_t len, const char *name)
{
	size_t at = strlen(why);

	if (at < len)
		snprintf(why + at, len - at, "%s%s", at ? " " : "", name);
}

const struct command *command_find(const char *word, char *why, size_t len)
{
	const struct command *hit = NULL;
	unsigned hits = 0;

	if (len)
		*why = '\0';
	for (const struct command *c = commands; c->name; c++) {
		if (!strcmp(c->name, word) || is_alias(c, word))
			return c;
		if (*word && !strncmp(c->name, word, strlen(word))) {
			hit = c;
			hits++;
			append(why, len, c->name);
		}
	}
	if (hits == 1)
		return hit;
	if (!hits)
		for (const struct command *c = commands; c->name; c++)
			append(why, len, c->name);
	return NULL;
}

int word_find(const char *const *list, const char *word, char *why, size_t len)
{
	int hit = -1, hits = 0;

	if (len)
		*why = '\0';
	for (int i = 0; list[i]; i++) {
		if (!strcmp(list[i], word))
			return i;
		if (*word && !strncmp(list[i], word, strlen(word))) {
			hit = i;
			hits++;
			append(why, len, list[i]);
		}
	}
	if (hits == 1)
		return hit;
	for (int i = 0; !hits && list[i]; i++)
		append(why, len, list[i]);
	return -1;
}

int command_run(struct router *r, struct cmd *c)
{
	char why[256];
	const struct command *cmd = c->argc > 0 ? command_find(c->argv[0], why, sizeof why) : NULL;

	if (c->argc < 1)
		return cmd_fail(c, EXIT_USAGE, "no command");
	if (!cmd || !cmd->run)
		return cmd_fail(c, EXIT_USAGE, "%s: no such command here, there are: %s", c->argv[0],
				cmd ? "see help" : why);
	if (c->argc - 1 < cmd->min || c->argc - 1 > cmd->max)
		return cmd_fail(c, EXIT_USAGE, "%s: too %s words, usage: %s %s", cmd->name,
				c->argc - 1 < cmd->min ? "few" : "many", cmd->name, cmd->words);
	router_compact(r, r->conf->nnames >= CONF_NONE - (uint32_t)c->argc);
	return cmd->run(r, c);
}
