/* SPDX-License-Identifier: ISC
 *
 * The table of commands, and those that are only a line.  The others are in edit.c and show.c.
 */
#include "applets/control/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "applets/control/edit.h"
#include "applets/control/edit_owner.h"
#include "applets/control/journal.h"
#include "applets/control/show.h"
#include "lib/status.h"
#include "lib/wire.h"

static int command_flush(struct call *call)
{
	if (!call->is_again)
		call->flush = (struct router_flush){ 0 };
	call->has_more = router_flush(call->router, &call->flush);
	if (call->has_more || !call->flush.failed)
		return 0;
	return call_fail(call, EXIT_SYSTEM, "the kernel refused to remove %u of the entries: the log says why",
			 call->flush.failed);
}

/* Makes a row of the note, which is what was asked for here and no remark. */
static int command_answer(struct call *call, int status)
{
	if (!status && call->form == CALL_RECORDS) {
		char line[sizeof call->note + 1];

		wire_put_record(call->out, WIRE_ROW, line, (size_t)snprintf(line, sizeof line, "%s\n", call->note));
	}
	*call->note = '\0';
	return status;
}

static int command_reload(struct call *call)
{
	return command_answer(call, call->daemon->reload(call->daemon->ctx, call));
}

static int command_upgrade(struct call *call)
{
	return command_answer(call, call->daemon->upgrade(call->daemon->ctx, call));
}

static int command_kill(struct call *call)
{
	call->daemon->stop(call->daemon->ctx);
	return 0;
}

static int command_monitor(struct call *call)
{
	call->follow = true;
	return 0;
}

static int command_ping(struct call *call)
{
	(void)call;
	return 0;
}

const struct command commands[] = {
	{
		.name = "add", .aliases = "", .tried = "new insert set create mroute", .letters = "a",
		.usage = "IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...]",
		.example = "add eth0 192.168.1.42 225.1.2.3 eth1 eth2",
		.help = "add a multicast route, or more outputs to one",
		.run = edit_add, .edits = true, .min_words = 2, .max_words = WIRE_MAX_WORDS, .takes_owner = true,
	}, {
		.name = "replace", .aliases = "", .letters = "", .usage = "IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...]",
		.example = "replace eth0 225.1.2.3 eth2", .help = "add a route, or give one exactly these outputs",
		.run = edit_replace, .edits = true, .min_words = 2, .max_words = WIRE_MAX_WORDS, .takes_owner = true,
	}, {
		.name = "remove", .aliases = "del rem", .tried = "delete rm unset", .letters = "r",
		.usage = "IIF [SOURCE[/LEN]] GROUP[/LEN] [OIF...]",
		.example = "remove eth0 192.168.1.42 225.1.2.3 eth2",
		.help = "remove a route, or some of its outputs",
		.run = edit_remove, .edits = true, .min_words = 2, .max_words = WIRE_MAX_WORDS, .takes_owner = true,
	}, {
		.name = "join", .aliases = "", .tried = "subscribe group mgroup", .letters = "j",
		.usage = "IIF [SOURCE[/LEN]] GROUP[/LEN]",
		.example = "join eth0 192.168.1.42 232.1.2.3", .help = "join a multicast group on an interface",
		.run = edit_join, .edits = true, .takes_long = true, .min_words = 2, .max_words = 3,
		.takes_owner = true,
	}, {
		.name = "leave", .aliases = "", .tried = "unjoin unsubscribe part", .letters = "l",
		.usage = "IIF [SOURCE[/LEN]] GROUP[/LEN]",
		.example = "leave eth0 192.168.1.42 232.1.2.3", .help = "leave a joined group",
		.run = edit_leave, .edits = true, .takes_long = true, .min_words = 2, .max_words = 3,
		.takes_owner = true,
	}, {
		.name = "disown", .aliases = "", .letters = "", .usage = "-o OWNER",
		.example = "-o iptv disown", .help = "take back all that was asked for with -o OWNER",
		.run = edit_owner_disown, .edits = true, .takes_long = true, .takes_owner = true, .needs_owner = true,
	}, {
		.name = "flush", .aliases = "", .tried = "clear reset", .letters = "F", .usage = "",
		.example = "flush", .help = "forget all learned and blocked entries", .run = command_flush,
	}, {
		.name = "reload", .aliases = "restart", .tried = "hup refresh", .letters = "H", .usage = "",
		.example = "reload", .help = "read the config file again, as SIGHUP does",
		.run = command_reload, .takes_long = true,
	}, {
		.name = "upgrade", .aliases = "", .letters = "", .usage = "", .example = "upgrade",
		.help = "have the program, which may be another now, go on in place without losing a packet",
		.run = command_upgrade, .takes_long = true,
	}, {
		.name = "kill", .aliases = "", .tried = "stop quit exit end shutdown", .letters = "k",
		.usage = "", .example = "kill", .help = "end the daemon", .run = command_kill, .ends_daemon = true,
	}, {
		.name = "show", .aliases = "", .tried = "status list ls get dump stats", .letters = "sSJ",
		.usage = "[routes | groups | interfaces | pending | config | metrics | graph]",
		.example = "-d show routes", .help = "show what is routed, and what waits",
		.run = show_run, .max_words = 1,
	}, {
		.name = "monitor", .aliases = "", .tried = "watch events follow log", .letters = "", .usage = "",
		.example = "-j monitor", .help = "print events as they happen, until interrupted",
		.run = command_monitor, .is_endless = true,
	}, {
		.name = "top", .aliases = "", .letters = "", .usage = "[SEC]",
		.example = "top 5", .help = "show the busiest flows, anew every SEC seconds (2)",
		.max_words = 1, .is_repeated = true, .is_endless = true,
	}, {
		.name = "ping", .aliases = "", .letters = "", .usage = "",
		.example = "ping", .help = "succeed when the daemon answers", .run = command_ping,
	}, {
		.name = "help", .aliases = "", .letters = "", .usage = "[COMMAND]",
		.example = "help add", .help = "show this text, or that of one command",
		.max_words = 1, .is_local = true,
	}, {
		.name = "version", .aliases = "", .letters = "", .usage = "",
		.example = "version", .help = "show version and features", .is_local = true,
	},
};

const int commands_n = sizeof commands / sizeof *commands;

static bool command_names(int row, struct word_names *names)
{
	if (row < commands_n)
		*names = (struct word_names){ commands[row].name, commands[row].aliases, commands[row].tried };
	return row < commands_n;
}

const struct command *command_find(const char *word, struct word_miss *miss)
{
	int row = word_find(word, command_names, miss);

	return row < 0 ? NULL : &commands[row];
}

const struct command *command_find_letter(uint16_t letter)
{
	if (!letter || letter > 127)
		return NULL;
	for (const struct command *cmd = commands; cmd < commands + commands_n; cmd++)
		if (strchr(cmd->letters, letter))
			return cmd;
	return NULL;
}

/* Has what a command changed outlive the daemon, before the client hears that it is done.  What a client saw of the
 * counters does so too. */
static int command_keep(struct call *call, int status)
{
	struct journal *j = call->daemon ? call->daemon->journal : NULL;

	if (!j || journal_flush(j) == 0 || status)
		return status;
	return call_fail(call, EXIT_SYSTEM, "it is done, but a restart would forget it: %s", strerror(errno));
}

int command_run(struct call *call)
{
	struct word_miss miss;
	const struct command *cmd = command_find(call->argv[0], &miss);
	int more = call->argc - 1;

	if (!cmd)
		return call_fail(call, EXIT_USAGE, "%s: no such command, or not only one: %s", call->argv[0],
				 miss.candidates);
	if (!cmd->run)
		return call_fail(call, EXIT_USAGE, "%s: only the client itself knows that", cmd->name);
	if (more < cmd->min_words || more > cmd->max_words)
		return call_fail(call, EXIT_USAGE, "%s: too %s words, usage: %s %s", cmd->name,
				 more < cmd->min_words ? "few" : "many", cmd->name, cmd->usage);
	if (call->owner && !cmd->takes_owner)
		return call_fail(call, EXIT_USAGE, "%s: -o %s has no meaning here", cmd->name, call->owner);
	if (!call->owner && cmd->needs_owner)
		return call_fail(call, EXIT_USAGE, "%s: of whom? Write -o OWNER", cmd->name);
	if (cmd->edits && !call->is_again && router_is_busy(call->router)) {
		call->later = router_ticket(call->router);
		call->is_held = true;
		return 0;
	}
	return command_keep(call, cmd->run(call));
}
