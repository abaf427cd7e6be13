/* SPDX-License-Identifier: ISC
 *
 * The life of the keeper: starts, deaths, signals.
 */
#include "applets/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applets/keep.h"
#include "applets/successor.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/notify.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "lib/status.h"
#include "lib/usock.h"

#define KEEPER_QUICK_MS 1000		/* a child that lived shorter, or was never ready, died quickly */
#define KEEPER_PAUSE_MS 100		/* after the second quick death in a row; doubled each time, up to this: */
#define KEEPER_PAUSE_READY_MS 1000
#define KEEPER_PAUSE_UNREADY_MS 30000
#define KEEPER_GIVE_UP 3		/* deaths until the next thing is given up */
#define KEEPER_MESSAGES_LAST 1024
#define KEEPER_MESSAGES 64		/* that are read before others get their turn */

struct keeper {
	struct settings *set;
	struct loop *loop;
	struct keep keep;
	struct timer pause;
	int64_t started;		/* the child, ms */
	unsigned starts;
	unsigned quick;			/* deaths in a row that came quickly */
	unsigned unready;		/* deaths in a row of daemons that were not ready yet */
	bool was_ready;			/* one of them was */
	int asked;			/* the signal that asked it to end, or 0 */
	bool is_apart;			/* from the terminal, in the background */
};

/* Ends as the child did. */
static void __attribute__((noreturn)) keeper_end(const struct keeper *k, int status)
{
	static const struct rlimit no_core = { 0, 0 };
	int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	notify_send("STOPPING=1");
	usock_unname(k->keep.address);
	proc_ready(sig ? EXIT_SYSTEM : WEXITSTATUS(status));
	if (!sig)
		exit(WEXITSTATUS(status));
	log_err("keeper: the daemon was ended by signal %d (%s)", sig, strsignal(sig));
	loop_free(k->loop);
	/* Its core is of use, not ours.  Process 1 dies of no signal. */
	setrlimit(RLIMIT_CORE, &no_core);
	signal(sig, SIG_DFL);
	raise(sig);
	exit(128 + sig);
}

/* ---- deaths ---- */

/* How long the next start waits, in ms. */
static int64_t keeper_wait(const struct keeper *k)
{
	int64_t most = k->unready ? KEEPER_PAUSE_UNREADY_MS : KEEPER_PAUSE_READY_MS, ms = KEEPER_PAUSE_MS;

	if (k->quick < 2)
		return 0;
	for (unsigned i = 2; i < k->quick && ms < most; i++)
		ms *= 2;
	return ms < most ? ms : most;
}

/* Gives something up that may be the reason of deaths before the daemon was ready. */
static void keeper_give_up(struct keeper *k)
{
	const char *what = NULL;

	if (k->unready == KEEPER_GIVE_UP && k->set->program)
		what = "with the program as it was when the keeper started";
	else if (k->unready == 2 * KEEPER_GIVE_UP && keep_drop(&k->keep, "journal"))
		what = "without what clients asked for";
	else if (k->unready == 3 * KEEPER_GIVE_UP && keep_drop(&k->keep, NULL))
		what = "with nothing, and packets are lost";
	if (what)
		log_err("keeper: %u deaths in a row before the daemon was ready: it is started %s", k->unready, what);
}

/* Decides what comes after the death of the child, whose status is that of waitpid(2). */
static void keeper_died(struct keeper *k, pid_t pid, int status)
{
	bool is_crash = WIFSIGNALED(status) || WEXITSTATUS(status) == EXIT_INTERNAL ||
			WEXITSTATUS(status) == EXIT_SYSTEM;
	char how[64];
	int64_t ms;

	k->keep.main = 0;
	k->was_ready |= k->keep.is_ready;
	/* In the background somebody waits for the verdict until one is ready. */
	if (!is_crash || k->asked || (!k->was_ready && !(WIFSIGNALED(status) && k->set->foreground)))
		keeper_end(k, status);
	k->unready = k->keep.is_ready ? 0 : k->unready + 1;
	k->quick = k->unready || loop_touch(k->loop) - k->started < KEEPER_QUICK_MS ? k->quick + 1 : 1;
	if (WIFSIGNALED(status))
		snprintf(how, sizeof how, "by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(how, sizeof how, "with status %d", WEXITSTATUS(status));
	ms = keeper_wait(k);
	if (ms)
		log_err("keeper: the daemon (pid %d) died %s; it is started again in %d.%d s", (int)pid, how,
			(int)(ms / 1000), (int)(ms % 1000 / 100));
	else
		log_err("keeper: the daemon (pid %d) died %s; it is started again", (int)pid, how);
	keeper_give_up(k);
	timer_set(k->loop, &k->pause, ms);
}

/* Takes note of a process that has ended. */
static void keeper_reaped(struct keeper *k, pid_t pid, int status)
{
	int last;

	if (pid == k->keep.main) {
		keeper_died(k, pid, status);
	} else if (pid == k->keep.former) {
		k->keep.former = 0;
		/* What another one started is none of our business (-T). */
		pid = waitpid(k->keep.main, &last, WNOHANG);
		if (pid < 0)
			keeper_end(k, status);
		if (pid > 0)
			keeper_died(k, pid, last);
	}
	/* All others were left behind by somebody: as process 1 they are ours to bury. */
}

/* ---- messages and signals ---- */

static void keeper_pass(struct keeper *k, int sig)
{
	if (k->keep.main && kill(k->keep.main, sig) < 0 && errno != ESRCH)
		log_errno("keeper: signal %d to the daemon", sig);
}

/* Reads messages: see keep_receive().  Whoever follows the daemon that was asked to end is asked as well. */
static void keeper_read(struct keeper *k, int max)
{
	pid_t before = k->keep.main;

	keep_receive(&k->keep, max);
	if (k->asked && k->keep.main != before)
		keeper_pass(k, k->asked);
}

static void keeper_on_child(void *ctx)
{
	struct keeper *k = ctx;
	int status;
	pid_t pid;

	/* What it has said before comes first: more than a queue holds (net.unix.max_dgram_qlen), so that a stranger
	 * who never stops does not keep us here. */
	keeper_read(k, KEEPER_MESSAGES_LAST);
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		keeper_reaped(k, pid, status);
}

static void keeper_on_message(void *ctx, int fd, short revents)
{
	struct keeper *k = ctx;

	(void)fd;
	(void)revents;
	keeper_read(k, KEEPER_MESSAGES);
	if (!k->keep.is_ready || k->is_apart || k->set->foreground)
		return;
	proc_leave();
	k->is_apart = true;
}

static void keeper_stop(struct keeper *k, int sig)
{
	k->asked = sig;
	if (!k->keep.main) {
		usock_unname(k->keep.address);
		exit(0);
	}
	keeper_pass(k, sig);
}

static void keeper_on_term(void *ctx)
{
	keeper_stop(ctx, SIGTERM);
}

static void keeper_on_int(void *ctx)
{
	keeper_stop(ctx, SIGINT);
}

static void keeper_on_hup(void *ctx)
{
	keeper_pass(ctx, SIGHUP);
}

static void keeper_on_usr2(void *ctx)
{
	keeper_pass(ctx, SIGUSR2);
}

/* ---- starts ---- */

static void keeper_on_pause(void *ctx)
{
	struct keeper *k = ctx;

	loop_stop(k->loop, 0);
}

/* Tells the child where the keeper listens, and what it wants to hear in time. */
static void keeper_set_environment(const struct keeper *k)
{
	char number[24];

	setenv("NOTIFY_SOCKET", k->keep.address, 1);
	snprintf(number, sizeof number, "%d", KEEP_MAX);
	setenv("FDSTORE", number, 1);
	snprintf(number, sizeof number, "%llu", (unsigned long long)notify_watchdog_usec());
	if (notify_watchdog_usec())
		setenv("WATCHDOG_USEC", number, 1);
}

/* Runs the program that is on disk now, which may be a newer one.  Returns when there is none: where the real root has
 * taken the place of an initramfs, say. */
static void keeper_run_program(struct keeper *k)
{
	const struct settings *s = k->set;
	char **words, number[16];

	if (!s->program || access(s->program, X_OK) < 0)
		return;
	words = successor_argv(s, SUCCESSOR_ALONE);
	if (!words)
		return;
	snprintf(number, sizeof number, "%d", (int)s->keeper);
	setenv(SUCCESSOR_KEEPER, number, 1);
	if (handover_pass(&k->keep.store) == 0)
		execv(s->program, words);
	_exit(EXIT_SYSTEM);
}

/* Starts the child: true in it, when it is to go on as the daemon. */
static bool keeper_start(struct keeper *k, struct handover *h)
{
	pid_t keeper = getpid(), pid = fork();

	if (pid < 0) {
		log_errno("keeper: cannot start the daemon");
		if (!k->starts)
			keeper_end(k, EXIT_SYSTEM << 8);
		timer_set(k->loop, &k->pause, KEEPER_PAUSE_READY_MS);
		return false;
	}
	if (pid) {
		if (!k->starts++)
			proc_close_inherited();
		k->keep.main = pid;
		k->keep.is_ready = false;
		k->started = loop_touch(k->loop);
		proc_leave_verdict();
		return false;
	}
	loop_free(k->loop);
	k->set->keeper = keeper;
	keeper_set_environment(k);
	if (k->starts && k->unready < KEEPER_GIVE_UP)
		keeper_run_program(k);
	close(k->keep.fd);
	k->set->takes_over &= !k->starts;
	*h = k->keep.store;
	return true;
}

/* What comes before the first start: NULL, or what failed, with errno. */
static const char *keeper_prepare(struct keeper *k)
{
	const struct settings *s = k->set;
	static const struct {
		int sig;
		loop_fn *fn;
	} signals[] = {
		{ SIGTERM, keeper_on_term }, { SIGINT, keeper_on_int }, { SIGHUP, keeper_on_hup },
		{ SIGUSR2, keeper_on_usr2 }, { SIGCHLD, keeper_on_child },
	};

	if (proc_open_std() < 0)
		return "standard descriptors";
	log_open(s->ident, !s->foreground ? LOG_TO_BOTH : s->syslog ? LOG_TO_SYSLOG : LOG_TO_STDERR);
	if (!s->foreground && proc_daemonize() < 0)
		return "going to the background";
	notify_init();
	proc_raise_descriptors();
	/* What an upgrade started becomes a child of ours when the old one ends. */
	proc_adopt_orphans();
	k->loop = loop_new();
	if (keep_open(&k->keep) < 0 || !k->loop ||
	    loop_add(k->loop, k->keep.fd, POLLIN, keeper_on_message, k) < 0)
		return "keeper";
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (loop_signal(k->loop, signals[i].sig, signals[i].fn, k) < 0)
			return "signals";
	return NULL;
}

pid_t keeper_pid(void)
{
	const char *text = getenv(SUCCESSOR_KEEPER);
	int64_t pid = text ? number_parse(text, INT32_MAX) : 0;

	unsetenv(SUCCESSOR_KEEPER);
	return pid > 0 ? (pid_t)pid : 0;
}

void keeper_run(struct settings *set, struct handover *h)
{
	struct keeper k = { .set = set, .keep = { .fd = -1, .store = *h } };
	const char *failed;

	log_set_level(set->level);
	failed = keeper_prepare(&k);
	if (failed) {
		log_errno("cannot start: %s", failed);
		proc_ready(EXIT_SYSTEM);
		exit(EXIT_SYSTEM);
	}
	k.pause.fn = keeper_on_pause;
	k.pause.ctx = &k;
	while (!keeper_start(&k, h))
		if (loop_run(k.loop) < 0)
			exit(EXIT_INTERNAL);
}
