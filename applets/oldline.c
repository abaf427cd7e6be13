/* SPDX-License-Identifier: ISC
 *
 * The old options of `smcroute` as a table: what each is called today.  A line is read twice: first for what the daemon
 * is to be started with, which may stand anywhere, then for what is to be done, in its order.
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

/* A command line of today, the name of its program first. */
struct oldline_words {
	const char **v;
	uint32_t n, cap;
	bool failed;		/* no memory for a word */
};

struct oldline {
	int argc;
	char **argv;
	int at;				/* next word */
	const char *rest;		/* letters left of the last one, or NULL */
	bool starts;			/* the daemon is started */
	bool in_foreground;		/* and nothing can be run after it */
	unsigned commands;		/* for the client */
	struct oldline_words daemon;	/* its options */
	struct oldline_words command;	/* the one that is read */
	struct oldline_words names;	/* options that each command gets */
};

/* What is read at once: an option, or a word behind a command, where letter is 0. */
struct oldline_item {
	unsigned char letter;
	enum oldline_kind kind;
	const char *now, *word;		/* word: its value */
};

/* Does one thing of a line: 0 or an exit status. */
typedef int oldline_fn(void *ctx, const struct applet *a, struct oldline_words *w);

static void oldline_add(struct oldline_words *w, const char *word)
{
	const char **v = grow(w->v, &w->cap, w->n + 2, sizeof *v);

	w->failed |= !v;
	if (!v)
		return;
	w->v = v;
	v[w->n++] = word;
	v[w->n] = NULL;
}

static void oldline_begin(struct oldline *o)
{
	o->at = 1;
	o->rest = NULL;
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

	for (oldline_begin(o); oldline_next(o, &it); ) {
		o->in_foreground |= it.letter == 'n';
		o->starts |= it.kind == OLD_START || it.letter == 'n';
	}
}

/* Collects an option: 0, or an exit status. */
static int oldline_collect(struct oldline *o, const struct oldline_item *it)
{
	switch (it->kind) {
	case OLD_UNKNOWN:
		return it->letter ? applet_fail(EXIT_USAGE, "unknown option -%c, see smcroute -h", it->letter) :
		       o->commands ? 0 : applet_fail(EXIT_USAGE, "\"%s\" is one word too many", it->word);
	case OLD_COMMAND:
		o->commands++;
		return !o->rest || !*o->rest ? 0 :
		       applet_fail(EXIT_USAGE, "-%c%s: write a blank behind -%c", it->letter, o->rest, it->letter);
	case OLD_START:
		return 0;
	case OLD_FLAG:
		break;
	case OLD_NAME:
	case OLD_VALUE:
		if (!it->word)
			return applet_fail(EXIT_USAGE, "option -%c needs a value", it->letter);
		if (it->kind == OLD_VALUE && !o->starts)
			return applet_fail(EXIT_USAGE, "-%c %s is for the daemon: -d is missing", it->letter, it->word);
		break;
	}
	for (int i = 0; i < 1 + (it->kind == OLD_NAME); i++) {
		oldline_add(i ? &o->names : &o->daemon, it->now);
		if (it->word)
			oldline_add(i ? &o->names : &o->daemon, it->word);
	}
	return 0;
}

/* First reading: 0, or an exit status. */
static int oldline_read(struct oldline *o)
{
	struct oldline_item it;
	int status = 0;

	oldline_find_start(o);
	oldline_add(&o->daemon, smcrouted_applet.name);
	for (oldline_begin(o); !status && oldline_next(o, &it); )
		status = oldline_collect(o, &it);
	if (!status && !o->starts && !o->commands)
		status = applet_fail(EXIT_USAGE, "nothing to do: -d starts the daemon, see smcroute -h");
	return status;
}

/* Has the command done that was read last, if there is one. */
static int oldline_end_command(struct oldline *o, oldline_fn *fn, void *ctx)
{
	int status = o->command.n ? fn(ctx, &smcroutectl_applet, &o->command) : 0;

	o->command.n = 0;
	return status;
}

/* Takes an option in its place: begins a command, or starts the daemon, where `has_started` says that it has not been
 * done.  0, or an exit status. */
static int oldline_act(struct oldline *o, const struct oldline_item *it, bool *has_started, oldline_fn *fn, void *ctx)
{
	bool is_start = !*has_started && (it->letter == 'd' || it->letter == 'n');
	int status;

	if (!is_start && it->kind != OLD_COMMAND)
		return 0;
	status = oldline_end_command(o, fn, ctx);
	if (is_start) {
		*has_started = true;
		return fn(ctx, &smcrouted_applet, &o->daemon);
	}
	oldline_add(&o->command, smcroutectl_applet.name);
	for (uint32_t i = 0; i < o->names.n; i++)
		oldline_add(&o->command, o->names.v[i]);
	oldline_add(&o->command, it->now);
	return status;
}

/* Second reading: has all done in the order of the line.  The first exit status that is not 0. */
static int oldline_do(struct oldline *o, oldline_fn *fn, void *ctx)
{
	bool has_started = false, is_over = false;
	struct oldline_item it;
	int status = 0, next;

	for (oldline_begin(o); !is_over && oldline_next(o, &it); status = status ? status : next) {
		bool had_started = has_started;

		next = 0;
		if (it.letter)
			next = oldline_act(o, &it, &has_started, fn, ctx);
		else
			oldline_add(&o->command, it.word);
		is_over = has_started != had_started && (next || o->in_foreground);
	}
	next = is_over ? 0 : oldline_end_command(o, fn, ctx);
	return status ? status : next;
}

static void oldline_free(struct oldline *o)
{
	free(o->daemon.v);
	free(o->command.v);
	free(o->names.v);
}

static int oldline_no_memory(void)
{
	return applet_fail(EXIT_SYSTEM, "out of memory");
}

/* ---- what it means ---- */

static int oldline_write(void *ctx, const struct applet *a, struct oldline_words *w)
{
	struct buf *to = ctx;

	(void)a;
	if (to->len)
		buf_str(to, "; ");
	for (uint32_t i = 0; i < w->n; i++) {
		if (i)
			buf_chr(to, ' ');
		buf_shell_word(to, w->v[i]);
	}
	return w->failed ? oldline_no_memory() : 0;
}

int oldline_rewrite(int argc, char **argv, struct buf *to)
{
	struct oldline o = { .argc = argc, .argv = argv };
	int status = oldline_read(&o);

	if (!status)
		status = oldline_do(&o, oldline_write, to);
	oldline_free(&o);
	return status;
}

/* ---- doing it ---- */

/* In a child, as the start of a daemon does not return; what comes last, and a daemon in the foreground, in this
 * process, whose number an init system may know. */
static int oldline_run_step(void *ctx, const struct applet *a, struct oldline_words *w)
{
	const struct oldline *o = ctx;
	bool is_last = o->starts + o->commands == 1 || (o->in_foreground && a == &smcrouted_applet);
	pid_t pid = 0;
	int status;

	if (w->failed)
		return oldline_no_memory();
	fflush(NULL);
	if (!is_last)
		pid = fork();
	if (!pid) {
		status = applet_run(a, (int)w->n, (char **)(uintptr_t)w->v);
		if (is_last)
			return status;
		exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return applet_fail(EXIT_SYSTEM, "cannot run %s", a->name);
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_SYSTEM;
}

/* Tells a person at a terminal, and no script, what to write today. */
static void oldline_advise(int argc, char **argv)
{
	struct buf now = { 0 };

	if (isatty(STDERR_FILENO) && !oldline_rewrite(argc, argv, &now))
		applet_fail(0, "options of SMCRoute 2.5 and before; today: %s", buf_cstr(&now));
	buf_free(&now);
}

int oldline_run(int argc, char **argv)
{
	struct oldline o = { .argc = argc, .argv = argv };
	int status = oldline_read(&o);

	if (!status) {
		oldline_advise(argc, argv);
		if (o.in_foreground && o.commands)
			applet_fail(0, "-n stays in the foreground: what stands behind it is not run");
		status = oldline_do(&o, oldline_run_step, &o);
	}
	oldline_free(&o);
	return status;
}

/* ---- ---- */

bool oldline_is(int argc, char **argv)
{
	return argc > 1 && argv[1][0] == '-' && argv[1][1] && argv[1][1] != '-' &&
	       oldline_option((unsigned char)argv[1][1])->kind != OLD_UNKNOWN;
}
