/* SPDX-License-Identifier: ISC
 *
 * The table of commands, finding a row by what the user typed, running it, and
 * the commands that are only a line.  Those that edit rules and groups are in
 * edit.c.
 */
#include "applets/control/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/status.h"
#include "applets/control/edit.h"
#include "router/router.h"
#include "applets/control/show.h"

void cmd_init(struct cmd *c, enum cmd_form form, struct buf *out)
{
	memset(c, 0, offsetof(struct cmd, error));
	c->error[0] = c->note[0] = '\0';
	c->form = form;
	c->out = out;
}

int cmd_fail(struct cmd *c, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(status ? c->error : c->note, sizeof c->error, fmt, ap);
	va_end(ap);
	return status;
}

int cmd_no_memory(struct cmd *c)
{
	return cmd_fail(c, EXIT_SYSTEM, "out of memory");
}

static int cmd_flush(struct router *r, struct cmd *c)
{
	(void)c;
	router_flush(r);
	return 0;
}

/* The daemon gives both ops to its router. */
static int cmd_reload(struct router *r, struct cmd *c)
{
	int status = r->ops->reload(r->ops_ctx, c);

	/* What changed is asked for here, so it is an answer and no remark. */
	if (!status && c->form == CMD_RECORDS) {
		size_t n = strlen(c->note);

		c->note[n++] = '\n';
		wire_put_record(c->out, WIRE_ROW, c->note, n);
	}
	*c->note = '\0';
	return status;
}

static int cmd_kill(struct router *r, struct cmd *c)
{
	(void)c;
	r->ops->stop(r->ops_ctx);
	return 0;
}

static int cmd_monitor(struct router *r, struct cmd *c)
{
	(void)r;
	c->follow = true;
	return 0;
}

static int cmd_ping(struct router *r, struct cmd *c)
{
	(void)r;
	(void)c;
	return 0;
}

const struct command commands[COMMANDS] = {
	{ "add", "", "IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...]", "add a multicast route, or more outputs to one",
	  "add eth0 192.168.1.42 225.1.2.3 eth1 eth2", edit_add, 2, WIRE_MAX_WORDS, 0 },
	{ "replace", "", "IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...]", "add a route, or give one exactly these outputs",
	  "replace eth0 225.1.2.3 eth2", edit_replace, 2, WIRE_MAX_WORDS, 0 },
	{ "remove", "del rem", "IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...]", "remove a route, or some of its outputs",
	  "remove eth0 192.168.1.42 225.1.2.3 eth2", edit_remove, 2, WIRE_MAX_WORDS, 0 },
	{ "join", "", "IIF [SOURCE[/LEN]] GROUP[/LEN]", "join a multicast group on an interface",
	  "join eth0 192.168.1.42 232.1.2.3", edit_join, 2, 3, CMD_LONG },
	{ "leave", "", "IIF [SOURCE[/LEN]] GROUP[/LEN]", "leave a joined group",
	  "leave eth0 192.168.1.42 232.1.2.3", edit_leave, 2, 3, CMD_LONG },
	{ "flush", "", "", "forget all learned and blocked entries", "flush", cmd_flush, 0, 0, 0 },
	{ "reload", "restart", "", "read the config file again, as SIGHUP does", "reload", cmd_reload, 0, 0, CMD_LONG },
	{ "kill", "", "", "end the daemon", "kill", cmd_kill, 0, 0, CMD_GONE },
	{ "show", "", "[routes | groups | interfaces | pending | config | metrics]", "show what is routed, and what waits",
	  "-d show routes", show_run, 0, 1, 0 },
	{ "monitor", "", "", "print events as they happen, until interrupted", "-j monitor", cmd_monitor, 0, 0, CMD_FOLLOW },
	{ "ping", "", "", "succeed when the daemon answers", "ping", cmd_ping, 0, 0, 0 },
	{ "help", "", "[COMMAND]", "show this text, or that of one command", "help add", NULL, 0, 1, CMD_LOCAL },
	{ "version", "", "", "show version and features", "version", NULL, 0, 0, CMD_LOCAL },
};

/* ---- finding ---- */

/* A search for a word among the names of some rows. */
struct search {
	const char *word;
	char *why;		/* names that begin with it, blank-separated */
	size_t len;
	int hit, hits;		/* the last row that has such a name, and how many have */
};

static void append(struct search *s, const char *name, size_t n)
{
	size_t at = strlen(s->why);

	snprintf(s->why + at, s->len - at, "%s%.*s", at ? " " : "", (int)n, name);
}

/* Looks through the blank-separated names of a row: true when the word is one of them. */
static bool is_one_of(struct search *s, int row, const char *names)
{
	size_t n = strlen(s->word), len;

	for (const char *a = names; *a; a += len, a += strspn(a, " ")) {
		len = strcspn(a, " ");
		if (!n || strncmp(a, s->word, n))
			continue;
		if (len == n)
			return true;
		append(s, a, len);
		s->hits += s->hit != row;
		s->hit = row;
	}
	return false;
}

/* word_find() in a list of which each row has `width` entries, the first its name. */
static int find(const char *const *list, int width, const char *word, char *why, size_t len)
{
	struct search s = { word, why, len, -1, 0 };

	*why = '\0';
	for (int i = 0; list[i]; i++)
		if (is_one_of(&s, i / width, list[i]))
			return i / width;
	for (int i = 0; !s.hits && list[i]; i += width)
		append(&s, list[i], strlen(list[i]));
	return s.hits == 1 ? s.hit : -1;
}

int word_find(const char *const *list, const char *word, char *why, size_t len)
{
	return find(list, 1, word, why, len);
}

const struct command *command_find(const char *word, char *why, size_t len)
{
	const char *names[2 * COMMANDS + 1], **n = names;

	for (const struct command *c = commands; c < commands + COMMANDS; c++) {
		*n++ = c->name;
		*n++ = c->aliases;
	}
	*n = NULL;
	int row = find(names, 2, word, why, len);
	return row < 0 ? NULL : &commands[row];
}

int command_run(struct router *r, struct cmd *c)
{
	const struct command *cmd = command_find(c->argv[0], c->names, sizeof c->names);

	if (!cmd)
		return cmd_fail(c, EXIT_USAGE, "%s: no such command, or not only one: %s", c->argv[0], c->names);
	if (!cmd->run)
		return cmd_fail(c, EXIT_USAGE, "%s: only the client itself knows that", cmd->name);
	if (c->argc - 1 < cmd->min || c->argc - 1 > cmd->max)
		return cmd_fail(c, EXIT_USAGE, "%s: too %s words, usage: %s %s", cmd->name,
				c->argc - 1 < cmd->min ? "few" : "many", cmd->name, cmd->words);
	router_compact(r, r->conf->nnames >= CONF_NONE - (uint32_t)c->argc);
	return cmd->run(r, c);
}
