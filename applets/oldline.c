/* SPDX-License-Identifier: ISC
 *
 * The old options of `smcroute` as a table: what each is called today.  A line is read to a list of steps, which are
 * done, or printed, when all of it is known: options of the daemon may stand anywhere.
 *
 * One letter had two meanings where the versions differ: see `one_word` below.  -t is the number of a table, as since
 * 2.3.
 */
#include "applets/oldline.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/smcrouted.h"
#include "lib/grow.h"

enum oldline_kind {
	OLD_UNKNOWN,
	OLD_START,		/* starts the daemon */
	OLD_COMMAND,		/* a command of the client; its words follow */
	OLD_FLAG,		/* an option of the daemon, nothing follows */
	OLD_VALUE,		/* an option of the daemon, a value follows */
	OLD_NAME,		/* the same, and the client needs it as well */
};

struct oldline_option {
	char letter;
	enum oldline_kind kind;
	const char *now;	/* the option or command of today */
	const char *fixed;	/* value of an OLD_FLAG, or NULL */
	const char *one_word;	/* in a line that starts the daemon, with one word behind it: this option instead */
};

static const struct oldline_option oldline_options[] = {
	{ .letter = 'd', .kind = OLD_START, .now = "", .one_word = "-d" },
	{ .letter = 'a', .kind = OLD_COMMAND, .now = "add" },
	{ .letter = 'r', .kind = OLD_COMMAND, .now = "remove" },
	{ .letter = 'j', .kind = OLD_COMMAND, .now = "join" },
	/* Leaving needs two words: `smcroute -d -l debug` of 2.3 to 2.5 is a level. */
	{ .letter = 'l', .kind = OLD_COMMAND, .now = "leave", .one_word = "-l" },
	{ .letter = 'x', .kind = OLD_COMMAND, .now = "join" },
	{ .letter = 'y', .kind = OLD_COMMAND, .now = "leave" },
	{ .letter = 'k', .kind = OLD_COMMAND, .now = "kill" },
	{ .letter = 'F', .kind = OLD_COMMAND, .now = "flush", .one_word = "-F" },
	{ .letter = 'n', .kind = OLD_FLAG, .now = "-n" },
	{ .letter = 'N', .kind = OLD_FLAG, .now = "-N" },
	{ .letter = 's', .kind = OLD_FLAG, .now = "-s" },
	{ .letter = 'v', .kind = OLD_FLAG, .now = "-l", .fixed = "info" },
	{ .letter = 'D', .kind = OLD_FLAG, .now = "-l", .fixed = "debug" },
	{ .letter = 'L', .kind = OLD_VALUE, .now = "-l" },
	{ .letter = 'c', .kind = OLD_VALUE, .now = "-c" },
	{ .letter = 'e', .kind = OLD_VALUE, .now = "-e" },
	{ .letter = 'f', .kind = OLD_VALUE, .now = "-f" },
	{ .letter = 'm', .kind = OLD_VALUE, .now = "-m" },
	{ .letter = 'p', .kind = OLD_VALUE, .now = "-p" },
	{ .letter = 'P', .kind = OLD_VALUE, .now = "-P" },
	{ .letter = 't', .kind = OLD_VALUE, .now = "-t" },
	{ .letter = 'i', .kind = OLD_NAME, .now = "-i" },
	{ .letter = 'I', .kind = OLD_NAME, .now = "-i" },
	{ .letter = 'u', .kind = OLD_NAME, .now = "-u" },
};

/* What a letter was; OLD_UNKNOWN where it was nothing. */
static const struct oldline_option *oldline_option(unsigned char letter)
{
	static const struct oldline_option none = { .kind = OLD_UNKNOWN };

	for (unsigned i = 0; i < sizeof oldline_options / sizeof *oldline_options; i++)
		if ((unsigned char)oldline_options[i].letter == letter)
			return &oldline_options[i];
	return &none;
}

struct oldline_words {
	const char **v;			/* n of them, then NULL */
	uint32_t n, cap;
};

/* One thing to do: a command of the client with its words, or the start of the daemon. */
struct oldline_step {
	const struct applet *applet;
	struct oldline_words words;
};

struct oldline {
	int argc;
	char **argv;
	int at;				/* next word */
	const char *rest;		/* letters left of the last one, or NULL */
	bool starts;			/* the daemon is started */
	bool in_foreground;		/* and nothing can be run after it */
	bool has_start;			/* that is among the steps */
	bool is_cut;			/* steps behind it have been left out */
	bool failed;			/* no memory for a word */
	struct oldline_words names;	/* options of the daemon and of each command */
	struct oldline_words daemon;	/* of the daemon alone */
	struct oldline_step *steps;	/* in the order of the line */
	uint32_t n, cap;
};

/* What is read at once: an option, or a word behind a command, where letter is 0. */
struct oldline_item {
	unsigned char letter;
	enum oldline_kind kind;
	const char *now, *word;		/* word: its value */
};

static void oldline_add(struct oldline *o, struct oldline_words *w, const char *word)
{
	const char **v = grow(w->v, &w->cap, w->n + 2, sizeof *v);

	o->failed |= !v;
	if (!v)
		return;
	w->v = v;
	v[w->n++] = word;
	v[w->n] = NULL;
}

static void oldline_add_step(struct oldline *o, const struct applet *a, const char *command)
{
	struct oldline_step *v = grow(o->steps, &o->cap, o->n + 1, sizeof *v);

	o->failed |= !v;
	if (!v)
		return;
	o->steps = v;
	v[o->n] = (struct oldline_step){ .applet = a };
	if (command)
		oldline_add(o, &v[o->n].words, command);
	o->has_start |= a == &smcrouted_applet;
	o->n++;
}

/* Words that follow up to the next option. */
static int oldline_count_words(const struct oldline *o)
{
	int i = o->at;

	while (i < o->argc && *o->argv[i] != '-')
		i++;
	return i - o->at;
}

static char *oldline_next_word(struct oldline *o)
{
	return o->at < o->argc ? o->argv[o->at++] : NULL;
}

/* Reads on; false at the end. */
static bool oldline_next(struct oldline *o, struct oldline_item *it)
{
	const struct oldline_option *opt;

	if (!o->rest || !*o->rest) {
		const char *word = oldline_next_word(o);

		if (!word || *word != '-' || !word[1]) {
			*it = (struct oldline_item){ .word = word };
			return word;
		}
		o->rest = word + 1;
	}
	unsigned char letter = (unsigned char)*o->rest++;

	opt = oldline_option(letter);
	*it = (struct oldline_item){ .letter = letter, .kind = opt->kind, .now = opt->now, .word = opt->fixed };
	if (o->starts && opt->one_word && !*o->rest && oldline_count_words(o) == 1) {
		it->kind = OLD_VALUE;
		it->now = opt->one_word;
	}
	if (it->kind == OLD_VALUE || it->kind == OLD_NAME) {
		it->word = *o->rest ? o->rest : oldline_next_word(o);
		o->rest = NULL;
	}
	return true;
}

/* Whether the line starts the daemon, which says what some letters mean. */
static void oldline_find_start(struct oldline *o)
{
	struct oldline_item it;

	o->at = 1;
	while (oldline_next(o, &it)) {
		o->in_foreground |= it.letter == 'n';
		o->starts |= it.kind == OLD_START || it.letter == 'n';
	}
	o->at = 1;
}

/* Takes a word behind a command: 0, or an exit status. */
static int oldline_take_word(struct oldline *o, const char *word)
{
	if (!o->n || o->steps[o->n - 1].applet != &smcroutectl_applet)
		return applet_fail(EXIT_USAGE, "\"%s\" is one word too many", word);
	oldline_add(o, &o->steps[o->n - 1].words, word);
	return 0;
}

/* Takes an option with its value: 0, or an exit status. */
static int oldline_take_option(struct oldline *o, const struct oldline_item *it)
{
	struct oldline_words *options = it->kind == OLD_NAME ? &o->names : &o->daemon;

	if (it->kind == OLD_UNKNOWN)
		return applet_fail(EXIT_USAGE, "unknown option -%c, see smcroute -h", it->letter);
	if (it->kind == OLD_COMMAND && o->rest && *o->rest)
		return applet_fail(EXIT_USAGE, "-%c%s: write a blank behind -%c", it->letter, o->rest, it->letter);
	if ((it->kind == OLD_VALUE || it->kind == OLD_NAME) && !it->word)
		return applet_fail(EXIT_USAGE, "option -%c needs a value", it->letter);
	if (it->kind == OLD_VALUE && !o->starts)
		return applet_fail(EXIT_USAGE, "-%c %s is for the daemon: -d is missing", it->letter, it->word);
	if (it->kind == OLD_COMMAND)
		oldline_add_step(o, &smcroutectl_applet, it->now);
	else if ((it->letter == 'd' || it->letter == 'n') && !o->has_start)
		oldline_add_step(o, &smcrouted_applet, NULL);
	if (it->kind == OLD_COMMAND || it->kind == OLD_START)
		return 0;
	oldline_add(o, options, it->now);
	if (it->word)
		oldline_add(o, options, it->word);
	return 0;
}

/* Leaves out what stands behind a daemon in the foreground. */
static void oldline_cut(struct oldline *o)
{
	uint32_t n = 0;

	while (n < o->n && o->steps[n++].applet != &smcrouted_applet)
		;
	o->is_cut = n < o->n;
	while (o->n > n)
		free(o->steps[--o->n].words.v);
}

/* Finds out what a line has done: 0, or an exit status. */
static int oldline_read(struct oldline *o)
{
	struct oldline_item it;
	int status = 0;

	oldline_find_start(o);
	while (!status && oldline_next(o, &it))
		status = it.letter ? oldline_take_option(o, &it) : oldline_take_word(o, it.word);
	if (!status && o->failed)
		return applet_fail(EXIT_SYSTEM, "out of memory");
	if (!status && !o->n)
		return applet_fail(EXIT_USAGE, "nothing to do: -d starts the daemon, see smcroute -h");
	if (o->in_foreground)
		oldline_cut(o);
	return status;
}

/* Collects the words of a step, the name of its program first. */
static struct oldline_words oldline_collect(struct oldline *o, const struct oldline_step *step)
{
	const struct oldline_words *const parts[] = {
		&o->names, step->applet == &smcrouted_applet ? &o->daemon : &step->words,
	};
	struct oldline_words all = { .n = 0 };

	oldline_add(o, &all, step->applet->name);
	for (unsigned k = 0; k < 2; k++)
		for (uint32_t i = 0; i < parts[k]->n; i++)
			oldline_add(o, &all, parts[k]->v[i]);
	return all;
}

static void oldline_free(struct oldline *o)
{
	for (uint32_t i = 0; i < o->n; i++)
		free(o->steps[i].words.v);
	free(o->steps);
	free(o->daemon.v);
	free(o->names.v);
}

/* ---- what it means ---- */

static void oldline_write(struct oldline *o, struct buf *to)
{
	for (uint32_t k = 0; k < o->n; k++) {
		struct oldline_words w = oldline_collect(o, &o->steps[k]);

		for (uint32_t i = 0; i < w.n; i++) {
			buf_str(to, i ? " " : k ? "; " : "");
			buf_shell_word(to, w.v[i]);
		}
		free(w.v);
	}
}

int oldline_rewrite(int argc, char **argv, struct buf *to)
{
	struct oldline o = { .argc = argc, .argv = argv };
	int status = oldline_read(&o);

	if (!status)
		oldline_write(&o, to);
	oldline_free(&o);
	return status;
}

/* ---- doing it ---- */

/* Does one step in a child, as the start of a daemon does not return; or in this process, whose number an init system
 * may know.  Its exit status. */
static int oldline_run_step(const struct applet *a, struct oldline_words *w, bool is_here)
{
	pid_t pid;
	int status;

	if (is_here)
		return applet_run(a, (int)w->n, (char **)(uintptr_t)w->v);
	fflush(NULL);
	pid = fork();
	if (!pid)
		exit(applet_run(a, (int)w->n, (char **)(uintptr_t)w->v));
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return applet_fail(EXIT_SYSTEM, "cannot run %s", a->name);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SYSTEM;
}

/* Does one thing after the other: the status of the first that failed. */
static int oldline_run_steps(struct oldline *o)
{
	int status = 0, next = 0;

	for (uint32_t k = 0; k < o->n; k++) {
		struct oldline_words w = oldline_collect(o, &o->steps[k]);
		bool is_start = o->steps[k].applet == &smcrouted_applet;
		/* A start in this process ends it with a status of its own. */
		bool is_here = k + 1 == o->n && (!status || o->in_foreground);

		next = o->failed ? applet_fail(EXIT_SYSTEM, "out of memory") :
		       oldline_run_step(o->steps[k].applet, &w, is_here);
		free(w.v);
		status = status ? status : next;
		if (is_start && next)
			break;
	}
	return status;
}

int oldline_run(int argc, char **argv)
{
	struct oldline o = { .argc = argc, .argv = argv };
	int status = oldline_read(&o);
	struct buf now = { 0 };

	if (!status) {
		oldline_write(&o, &now);
		/* For a person at a terminal, and no script. */
		if (isatty(STDERR_FILENO))
			applet_fail(0, "options of SMCRoute 2.5 and before; today: %s", buf_cstr(&now));
		if (o.is_cut)
			applet_fail(0, "-n stays in the foreground: what stands behind it is not run");
		status = oldline_run_steps(&o);
	}
	buf_free(&now);
	oldline_free(&o);
	return status;
}

/* ---- ---- */

bool oldline_is(int argc, char **argv)
{
	return argc > 1 && argv[1][0] == '-' && argv[1][1] && argv[1][1] != '-' &&
	       oldline_option((unsigned char)argv[1][1])->kind != OLD_UNKNOWN;
}
