/* SPDX-License-Identifier: ISC
 *
 * The event loop.  Watchers stand in an array that ppoll(2) reads as it is.  A removed one leaves its place empty, and
 * a new one begins with no events reported, so a callback may add and remove them in the middle of a turn.  There are a
 * few hundred watchers and a dozen timers, so both are simply gone through.  What is watched is not known here.
 */
/* The checked ppoll() of glibc takes a timespec of 32 bits on machines of 32 bits, though ours has 64 there
 * (_TIME_BITS; seen in 2.36): fractions of a second were lost. */
#undef _FORTIFY_SOURCE

#include "lib/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/grow.h"

#define LACK_NSEC 10000000		/* to wait while ppoll(2) has no memory for what is watched */

struct watch {
	int fd;			/* -1: none */
	loop_fd_fn *fn;
	void *ctx;
};

struct loop {
	int64_t now;
	struct timer *timers;	/* in the order in which they are due */

	struct pollfd *pfd;	/* n of them; fd is -1 where there is none and while it is paused */
	struct watch *watch;	/* beside pfd */
	uint32_t n, cap;
	uint32_t first;		/* whose turn comes first, UINT32_MAX: it has not been said */
	uint64_t turns;

	int code;
	bool stopped, held;
	sigset_t mask;		/* inside ppoll */
	struct {
		loop_fn *fn;	/* NULL: not ours */
		void *ctx;
	} sig[NSIG];
};

static volatile sig_atomic_t loop_got[NSIG];

static void loop_on_signal(int sig)
{
	loop_got[sig] = 1;
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	sigprocmask(SIG_BLOCK, NULL, &l->mask);
	l->now = clock_ms();
	l->first = UINT32_MAX;
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	/* First the mask, so that what is pending still meets our handler. */
	sigprocmask(SIG_SETMASK, &l->mask, NULL);
	for (int sig = 1; sig < NSIG; sig++) {
		if (l->sig[sig].fn)
			signal(sig, SIG_DFL);
		loop_got[sig] = 0;
	}
	free(l->pfd);
	free(l->watch);
	free(l);
}

int64_t loop_now(const struct loop *l)
{
	return l->now;
}

int64_t loop_touch(struct loop *l)
{
	return l->now = clock_ms();
}

/* The place of the watcher of fd, or n. */
static uint32_t loop_place(const struct loop *l, int fd)
{
	uint32_t i = 0;

	while (i < l->n && l->watch[i].fd != fd)
		i++;
	return i;
}

int loop_add(struct loop *l, int fd, short events, loop_fd_fn *fn, void *ctx)
{
	uint32_t i = loop_place(l, -1), cap = l->cap;
	void *p;

	p = grow(l->watch, &cap, i + 1, sizeof *l->watch);
	if (!p)
		return -1;
	l->watch = p;
	p = grow(l->pfd, &l->cap, i + 1, sizeof *l->pfd);
	if (!p)
		return -1;
	l->pfd = p;
	l->n += i == l->n;
	l->watch[i] = (struct watch){ .fd = fd, .fn = fn, .ctx = ctx };
	l->pfd[i].revents = 0;
	loop_events(l, fd, events);
	return 0;
}

void loop_events(struct loop *l, int fd, short events)
{
	uint32_t i = loop_place(l, fd);

	if (i == l->n)
		return;
	l->pfd[i].events = events;
	/* Without events poll(2) would still report a hang-up, over and over. */
	l->pfd[i].fd = events ? fd : -1;
}

uint64_t loop_turns(const struct loop *l)
{
	return l->turns;
}

void loop_postpone(struct loop *l, int fd)
{
	if (l->first == UINT32_MAX)
		l->first = loop_place(l, fd);
}

void loop_del(struct loop *l, int fd)
{
	uint32_t i = loop_place(l, fd);

	if (i == l->n)
		return;
	l->watch[i].fd = -1;
	l->pfd[i].fd = -1;
}

void timer_set(struct loop *l, struct timer *t, int64_t ms)
{
	struct timer **at = &l->timers;

	timer_stop(l, t);
	t->due = l->now + (ms > 0 ? ms : 0);
	while (*at && (*at)->due <= t->due)
		at = &(*at)->next;
	t->next = *at;
	*at = t;
}

void timer_stop(struct loop *l, struct timer *t)
{
	struct timer **at = &l->timers;

	while (*at && *at != t)
		at = &(*at)->next;
	if (*at)
		*at = t->next;
	t->due = 0;
}

void loop_hold(struct loop *l, bool hold)
{
	l->held = hold;
}

int loop_signal(struct loop *l, int sig, loop_fn *fn, void *ctx)
{
	/* Nothing is blocked in the handler, so that all pending signals are delivered at once. */
	struct sigaction sa = { .sa_handler = loop_on_signal, .sa_flags = SA_RESTART | SA_NOCLDSTOP };

	if (sigaction(sig, &sa, NULL) < 0)
		return -1;
	sigaddset(&sa.sa_mask, sig);
	sigprocmask(SIG_BLOCK, &sa.sa_mask, NULL);
	sigdelset(&l->mask, sig);
	l->sig[sig].fn = fn;
	l->sig[sig].ctx = ctx;
	return 0;
}

bool loop_has_signal(const struct loop *l, int sig)
{
	sigset_t waiting;

	return l->sig[sig].fn && (loop_got[sig] || (sigpending(&waiting) == 0 && sigismember(&waiting, sig) == 1));
}

bool loop_is_told_to_end(const struct loop *l)
{
	return loop_has_signal(l, SIGTERM) || loop_has_signal(l, SIGINT);
}

static void loop_run_signals(struct loop *l)
{
	for (int sig = 1; sig < NSIG; sig++) {
		if (!loop_got[sig])
			continue;
		loop_got[sig] = 0;
		l->sig[sig].fn(l->sig[sig].ctx);
	}
}

/* As many as are due at first, so that timers of 0 ms cannot hold the turn. */
static void loop_run_timers(struct loop *l)
{
	unsigned left = 0;

	for (const struct timer *t = l->timers; t && t->due <= l->now; t = t->next)
		left++;
	while (left-- && l->timers && l->timers->due <= l->now) {
		struct timer *t = l->timers;

		timer_stop(l, t);
		t->fn(t->ctx);
	}
}

static void loop_run_watchers(struct loop *l)
{
	uint32_t n = l->n, first = l->first < n ? l->first : 0;

	l->first = UINT32_MAX;
	/* Those that are added meanwhile have no events yet. */
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = (first + k) % n;
		const struct pollfd *p = &l->pfd[i];
		/* A callback before this one may have changed what is asked for. */
		short revents = p->revents & (short)(p->events | POLLERR | POLLHUP | POLLNVAL);

		if (p->fd >= 0 && revents)
			l->watch[i].fn(l->watch[i].ctx, p->fd, revents);
	}
}

int loop_turn(struct loop *l, bool block)
{
	struct timespec wait = { 0 };
	sigset_t blocked;
	int ready;

	if (block && l->timers) {
		int64_t ms = l->timers->due - clock_ms();

		if (ms > 0)
			wait = (struct timespec){ .tv_sec = (time_t)(ms / 1000),
						  .tv_nsec = (long)(ms % 1000) * 1000000 };
	}
	ready = ppoll(l->pfd, l->held ? 0 : l->n, block && !l->timers ? NULL : &wait, &l->mask);
	if (ready < 0 && errno == ENOMEM)
		nanosleep(&(struct timespec){ .tv_nsec = LACK_NSEC }, NULL);
	else if (ready < 0 && errno != EINTR)
		return -1;
	/* ppoll() delivers no signal when a descriptor is ready (Linux fs/select.c, do_poll) or when it does not wait
	 * (FreeBSD): without this a busy loop would never hear SIGTERM. */
	sigprocmask(SIG_SETMASK, &l->mask, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	l->now = clock_ms();
	l->turns++;
	loop_run_signals(l);
	loop_run_timers(l);
	if (ready > 0 && !l->held)
		loop_run_watchers(l);
	return 0;
}

int loop_run(struct loop *l)
{
	while (!l->stopped)
		if (loop_turn(l, true) < 0)
			return -1;
	l->stopped = false;
	return l->code;
}

void loop_stop(struct loop *l, int code)
{
	l->code = code;
	l->stopped = true;
}
