/* SPDX-License-Identifier: ISC
 *
 * Words are checked here first, so that a slip costs no question to the daemon, which checks them again.
 */
#include "applets/ctl_words.h"

#include <stdio.h>
#include <string.h>

#include "applets/applet.h"
#include "applets/control/show.h"
#include "router/owners.h"

bool ctl_words_add(struct ctl_words *w, const char *word)
{
	if (w->n == CTL_WORDS_MAX - 1)
		return false;
	w->v[++w->n] = word;
	return true;
}

const char *ctl_words_split(struct ctl_words *w, char *s)
{
	w->n = 0;
	/* A byte order mark, as some editors write it. */
	if (!strncmp(s, "\xef\xbb\xbf", 3))
		s += 3;
	w->owner = NULL;
	for (char *word; (word = strtok_r(s, " \t\r\n", &s)) && *word != '#'; ) {
		if (!strncmp(word, "-o", 2)) {
			w->owner = word[2] ? word + 2 : strtok_r(s, " \t\r\n", &s);
			if (!w->owner)
				return "option -o needs a value";
		} else if (!ctl_words_add(w, word)) {
			return "too many words";
		}
	}
	return w->owner && !w->n ? "-o needs a command" : NULL;
}

/* Notes in w->why that a word is no command or table, or could be more than one. */
static void ctl_words_refuse(struct ctl_words *w, const char *what, const char *word, const struct word_miss *miss)
{
	if (miss->is_ambiguous)
		snprintf(w->why, sizeof w->why, "%s \"%s\" is ambiguous: %s", what, word, miss->candidates);
	else if (*miss->near)
		snprintf(w->why, sizeof w->why, "no %s \"%s\", did you mean \"%s\"? There are: %s", what, word,
			 miss->near, miss->candidates);
	else
		snprintf(w->why, sizeof w->why, "no %s \"%s\", there are: %s", what, word, miss->candidates);
}

/* What to write for a word that is no command, and is a word of another program or the name of a table; "" = not so. */
static void ctl_words_find_elsewhere(const char *word, char *out, size_t size)
{
	static const struct { const char *word, *write; } elsewhere[] = {
		{ "start", "smcrouted" }, { "run", "smcrouted" },
		{ "explain", "smcroute-check explain IIF SOURCE GROUP" },
		{ "doctor", "smcroute-check doctor GROUP" },
		{ "check", "smcroute-check" }, { "test", "smcroute-check" }, { "verify", "smcroute-check" },
		{ "save", "smcroutectl show config" }, { "write", "smcroutectl show config" },
		{ "phyint", "it in the config file, then smcroutectl reload" },
		{ "include", "it in the config file, then smcroutectl reload" },
	};
	struct word_miss miss;
	const char *table = show_find(word, &miss);

	*out = '\0';
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
		if (!strcmp(word, elsewhere[i].word))
			snprintf(out, size, "%s", elsewhere[i].write);
	if (!*out && table)
		snprintf(out, size, "smcroutectl show %s", table);
}

static const struct command *ctl_words_find(struct ctl_words *w, const char *word)
{
	struct word_miss miss;
	const struct command *cmd = command_find(word, &miss);
	char elsewhere[64];

	if (cmd)
		return cmd;
	ctl_words_find_elsewhere(word, elsewhere, sizeof elsewhere);
	if (*elsewhere && !miss.is_ambiguous)
		snprintf(w->why, sizeof w->why, "no command \"%s\": write %s", word, elsewhere);
	else
		ctl_words_refuse(w, "command", word, &miss);
	return NULL;
}

/* What stands between a command and its words. */
static const char *ctl_words_blank(const struct command *cmd)
{
	return *cmd->usage ? " " : "";
}

/* Checks who is named as owner, and whether the command takes one. */
static bool ctl_words_check_owner(struct ctl_words *w)
{
	const struct command *cmd = w->cmd;
	const char *why;

	if (!w->owner && cmd->takes_owner)
		w->owner = w->batch_owner;
	why = w->owner ? owner_check(w->owner) : NULL;
	if (why)
		snprintf(w->why, sizeof w->why, "-o %s: %s", w->owner, why);
	else if (w->owner && !cmd->takes_owner)
		snprintf(w->why, sizeof w->why, "%s: -o has no meaning here", cmd->name);
	else if (!w->owner && cmd->needs_owner)
		snprintf(w->why, sizeof w->why, "%s: of whom? Write -o OWNER", cmd->name);
	else
		return true;
	return false;
}

bool ctl_words_check(struct ctl_words *w)
{
	const struct command *cmd = w->cmd = ctl_words_find(w, w->v[1]);
	int more = w->n - 1;

	if (!cmd)
		return false;
	if (more < cmd->min_words || more > cmd->max_words) {
		snprintf(w->why, sizeof w->why, "too %s words, usage: smcroutectl %s%s%s",
			 more < cmd->min_words ? "few" : "many", cmd->name, ctl_words_blank(cmd), cmd->usage);
		return false;
	}
	w->v[1] = cmd->name;
	if (!ctl_words_check_owner(w))
		return false;
	if (cmd->run == show_run && more) {
		struct word_miss miss;
		const char *table = show_find(w->v[2], &miss);

		if (!table)
			ctl_words_refuse(w, "table", w->v[2], &miss);
		w->v[2] = table;
		return table;
	}
	return true;
}

/* Prints the help of all commands, or of the one that a word names. */
static int ctl_words_help(struct ctl_words *w, const char *word)
{
	const struct command *cmd = commands;

	for (; !word && cmd < commands + commands_n; cmd++)
		printf("%s%s%s\n    %s\n", cmd->name, ctl_words_blank(cmd), cmd->usage, cmd->help);
	if (!word)
		return 0;
	cmd = ctl_words_find(w, word);
	if (!cmd)
		return applet_fail(EXIT_USAGE, "%s", w->why);
	printf("Usage: smcroutectl %s%s%s\n  %s\n", cmd->name, ctl_words_blank(cmd), cmd->usage, cmd->help);
	if (*cmd->aliases)
		printf("  also called: %s\n", cmd->aliases);
	printf("Example: smcroutectl %s\n", cmd->example);
	return 0;
}

int ctl_words_run_local(struct ctl_words *w)
{
	if (!strcmp(w->cmd->name, "help"))
		return ctl_words_help(w, w->n > 1 ? w->v[2] : NULL);
	applet_told(&smcroutectl_applet, 'v');
	return 0;
}

bool ctl_words_refuse_command(const char *word)
{
	struct word_miss miss;
	const struct command *cmd = command_find(word, &miss);

	return cmd && applet_fail(EXIT_USAGE, "%s is a command of smcroutectl: smcroutectl %s", word, cmd->name);
}
