/* SPDX-License-Identifier: ISC
 *
 * Words are checked here first, so that a slip costs no question to the daemon, which
 * checks them again.
 */
#include "applets/ctl_words.h"

#include <stdio.h>
#include <string.h>

#include "applets/applet.h"
#include "applets/control/show.h"

bool ctl_words_add(struct ctl_words *w, const char *word)
{
	if (w->n == CTL_WORDS_MAX - 1)
		return false;
	w->v[++w->n] = word;
	return true;
}

/* Writes to why[len] that a word means nothing, or more than one thing. */
static void ctl_words_refuse(const char *what, const struct word_search *s, char *why, size_t len)
{
	if (s->is_ambiguous)
		snprintf(why, len, "%s \"%s\" is ambiguous: %s", what, s->word, s->candidates);
	else
		snprintf(why, len, "no %s \"%s\", there are: %s", what, s->word, s->candidates);
}

/* Returns the command of that name, or NULL with the reason in why[len]. */
static const struct command *ctl_words_find(const char *word, char *why, size_t len)
{
	struct word_search s;
	const struct command *cmd = command_find(word, &s);

	if (!cmd)
		ctl_words_refuse("command", &s, why, len);
	return cmd;
}

/* What stands between a command and its words. */
static const char *ctl_words_blank(const struct command *cmd)
{
	return *cmd->usage ? " " : "";
}

bool ctl_words_check(struct ctl_words *w)
{
	const struct command *cmd = ctl_words_find(w->v[1], w->why, sizeof w->why);
	int more = w->n - 1;

	if (!cmd)
		return false;
	if (more < cmd->min_words || more > cmd->max_words) {
		snprintf(w->why, sizeof w->why, "too %s words, usage: smcroutectl %s%s%s",
			 more < cmd->min_words ? "few" : "many", cmd->name, ctl_words_blank(cmd), cmd->usage);
		return false;
	}
	if (cmd->run == show_run && more) {
		struct word_search s;
		const char *table = show_find(w->v[2], &s);

		if (!table) {
			ctl_words_refuse("table", &s, w->why, sizeof w->why);
			return false;
		}
		w->v[2] = table;
	}
	w->v[1] = cmd->name;
	w->cmd = cmd;
	return true;
}

/* Prints what `help` says, of one command where there is a word. */
static int ctl_words_help(const char *word)
{
	char why[512];
	const struct command *cmd = commands;

	if (!word) {
		for (; cmd < commands + commands_n; cmd++)
			printf("%s%s%s\n    %s\n", cmd->name, ctl_words_blank(cmd), cmd->usage, cmd->help);
		return 0;
	}
	cmd = ctl_words_find(word, why, sizeof why);
	if (!cmd)
		return applet_fail(EXIT_USAGE, "%s", why);
	printf("Usage: smcroutectl %s%s%s\n  %s\n", cmd->name, ctl_words_blank(cmd), cmd->usage, cmd->help);
	if (*cmd->aliases)
		printf("  also called: %s\n", cmd->aliases);
	printf("Example: smcroutectl %s\n", cmd->example);
	return 0;
}

int ctl_words_run_local(const struct ctl_words *w)
{
	if (!strcmp(w->cmd->name, "help"))
		return ctl_words_help(w->n > 1 ? w->v[2] : NULL);
	applet_told(&smcroutectl_applet, 'v');
	return 0;
}
