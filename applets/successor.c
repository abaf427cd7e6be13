/* SPDX-License-Identifier: ISC
 *
 * See successor.h.
 */
#include "applets/successor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/give.h"
#include "lib/buf.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/proc.h"

char **successor_environment(const struct daemon *d, char *more)
{
	static char notify[160], watchdog[64], store[64], keeper[64];
	size_t n = 0;
	char **env;

	while (environ[n])
		n++;
	env = calloc(n + 6, sizeof *env);
	if (!env)
		return NULL;
	memcpy(env, environ, n * sizeof *env);
	if (more)
		env[n++] = more;
	if (notify_socket()) {
		snprintf(notify, sizeof notify, "NOTIFY_SOCKET=%s", notify_socket());
		env[n++] = notify;
	}
	if (notify_socket() && d->set->keeper) {
		snprintf(keeper, sizeof keeper, SUCCESSOR_KEEPER "=%d", (int)d->set->keeper);
		env[n++] = keeper;
	}
	if (notify_has_store()) {
		snprintf(store, sizeof store, "FDSTORE=%lld", (long long)notify_store_size());
		env[n++] = store;
	}
	if (notify_watchdog_usec()) {
		snprintf(watchdog, sizeof watchdog, "WATCHDOG_USEC=%llu", (unsigned long long)notify_watchdog_usec());
		env[n++] = watchdog;
	}
	return env;
}

/* As exec(3) takes words, which it does not change. */
static char *successor_word(const char *word)
{
	union {
		const char *word;
		char *plain;
	} as = { word };

	return as.plain;
}

char **successor_argv(const struct settings *s, enum successor_kind kind)
{
	char **argv = calloc(s->n_words + 5, sizeof *argv);
	size_t n = 0;

	if (!argv)
		return NULL;
	argv[n++] = successor_word("smcrouted");
	if (kind != SUCCESSOR_ALONE)
		argv[n++] = successor_word("-T");
	for (size_t i = 0; i < s->n_words; i++)
		if (strcmp(s->words[i], "-T"))
			argv[n++] = successor_word(s->words[i]);
	if (kind == SUCCESSOR_TRIAL) {
		argv[n++] = successor_word("-F");
		argv[n++] = successor_word(s->conf);
	}
	return argv;
}

static void successor_name(void *ctx, const char *name, int fd)
{
	buf_printf(ctx, " %s=%d", name, fd);
	fcntl(fd, F_SETFD, 0);
}

static void successor_close_on_exec(void *ctx, const char *name, int fd)
{
	(void)ctx;
	(void)name;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void successor_in_place(struct daemon *d, const char *why)
{
	struct buf fds = { 0 };
	char **argv = successor_argv(d->set, SUCCESSOR_ALONE), **env;

	buf_str(&fds, SUCCESSOR_FDS "=");
	give_list(d, successor_name, &fds);
	buf_chr(&fds, '\0');
	env = successor_environment(d, fds.p);
	log_notice("%s: %s goes on in this process", why, d->set->program);
	/* What is blocked stays so until the new program hears it: a signal in between is not lost. */
	errno = ENOMEM;
	if (argv && env && !fds.failed)
		execve(d->set->program, argv, env);

	int err = errno;
	give_list(d, successor_close_on_exec, NULL);
	buf_free(&fds);
	free(argv);
	free(env);
	errno = err;
}
