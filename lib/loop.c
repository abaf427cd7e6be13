/* SPDX-License-Identifier: ISC
 *
 * The event loop.  Watchers stand in an array that poll(2) reads as it is; a
 * removed one leaves a dead slot until the turn is over and a new one goes to
 * the end, so what a callback adds or removes cannot upset the turn it is in.
 * Timers are a binary heap of pointers.  What is watched is not known here.
 */
#include "lib/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/grow.h"

struct watch {
	int fd;			/* -1: dead */
	loop_fd_fn *fn;
	void *ctx;
};

struct on_signal {
	loop_fn *fn;		/* NULL: not ours */
	void *ctx;
	struct sigaction old;
};

struct loop {
	struct pollfd *pfd;	/* n of them; fd is negative while dead or paused */
	struct watch *watch;	/* beside pfd */
	uint32_t n, cap, dead;
	uint32_t *place;	/* by descriptor: index + 1, or 0 */
	uint32_t nplace;

	struct timer **heap;
	uint32_t ntimers, heap_cap;

	struct on_signal sig[NSIG];
	sigset_t wait_mask;	/* inside ppoll */
	sigset_t old_mask;

	int64_t now;
	int code;
	bool stopped;
};

static volatile sig_atomic_t got_signal;
static volatile sig_atomic_t got[NSIG];

static void on_signal(int sig)
{
	got[sig] = 1;
	got_signal = 1;
}

static int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

struct loop *loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);

	if (!l)
		return NULL;
	sigprocmask(SIG_BLOCK, NULL, &l->old_mask);
	l->wait_mask = l->old_mask;
	l->now = clock_ms();
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	/* First the mask, so that what is pending still meets our handler. */
	sigprocmask(SIG_SETMASK, &l->old_mask, NULL);
	for (int sig = 1; sig < NSIG; sig++)
		if (l->sig[sig].fn)
			sigaction(sig, &l->sig[sig].old, NULL);
	free(l->pfd);
	free(l->watch);
	free(l->place);
	free(l->heap);
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

/* The watcher of fd as index + 1, or 0. */
static uint32_t place_of(const struct loop *l, int fd)
{
	return fd >= 0 && (uint32_t)fd < l->nplace ? l->place[fd] : 0;
}

static int make_room(struct loop *l, int fd)
{
	if ((uint32_t)fd >= l->nplace) {
		uint32_t had = l->nplace;
		uint32_t *place = grow(l->place, &l->nplace, (uint64_t)fd + 1, sizeof *place);

		if (!place)
			return -1;
		memset(place + had, 0, (l->nplace - had) * sizeof *place);
		l->place = place;
	}
	if (l->n == l->cap) {
		uint32_t cap = l->cap;
		void *p = grow(l->watch, &cap, (uint64_t)l->n + 1, sizeof *l->watch);

		if (!p)
			return -1;
		l->watch = p;
		cap = l->cap;
		p = grow(l->pfd, &cap, (uint64_t)l->n + 1, sizeof *l->pfd);
		if (!p)
			return -1;
		l->pfd = p;
		l->cap = cap;
	}
	return 0;
}

int loop_add(struct loop *l, int fd, short events, loop_fd_fn *fn, void *ctx)
{
	if (fd < 0 || place_of(l, fd)) {
		errno = fd < 0 ? EBADF : EEXIST;
		return -1;
	}
	if (make_room(l, fd) < 0)
		return -1;
	l->watch[l->n] = (struct watch){ fd, fn, ctx };
	l->pfd[l->n] = (struct pollfd){ .fd = events ? fd : -1, .events = events };
	l->place[fd] = ++l->n;
	return 0;
}

void loop_events(struct loop *l, int fd, short events)
{
	uint32_t i = place_of(l, fd);
	struct pollfd *p;

	if (!i)
		return;
	p = &l->pfd[i - 1];
	p->events = events;
	/* Without events poll(2) would still report a hang-up, over and over. */
	p->fd = events ? fd : -1;
	p->revents &= events ? (short)(events | POLLERR | POLLHUP | POLLNVAL) : 0;
}

void loop_del(struct loop *l, int fd)
{
	uint32_t i = place_of(l, fd);

	if (!i)
		return;
	l->place[fd] = 0;
	l->watch[i - 1].fd = -1;
	l->pfd[i - 1] = (struct pollfd){ .fd = -1 };
	l->dead++;
}

static void drop_dead(struct loop *l)
{
	uint32_t to = 0;

	if (!l->dead)
		return;
	for (uint32_t i = 0; i < l->n; i++) {
		if (l->watch[i].fd < 0)
			continue;
		l->watch[to] = l->watch[i];
		l->pfd[to] = l->pfd[i];
		l->place[l->watch[to].fd] = to + 1;
		to++;
	}
	l->n = to;
	l->dead = 0;
}

static void heap_put(struct loop *l, uint32_t i, struct timer *t)
{
	l->heap[i] = t;
	t->slot = i;
}

/* Puts t at place i and moves it up or down to where it belongs. */
static void heap_sift(struct loop *l, uint32_t i, struct timer *t)
{
	while (i && l->heap[(i - 1) / 2]->due > t->due) {
		heap_put(l, i, l->heap[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
	for (uint32_t child; (child = 2 * i + 1) < l->ntimers; i = child) {
		if (child + 1 < l->ntimers && l->heap[child + 1]->due < l->heap[child]->due)
			child++;
		if (l->heap[child]->due >= t->due)
			break;
		heap_put(l, i, l->heap[child]);
	}
	heap_put(l, i, t);
}

int timer_set(struct loop *l, struct timer *t, int64_t ms)
{
	int64_t due = l->now + (ms > 0 ? ms : 0);
	uint32_t i = t->slot;

	if (!t->due) {
		if (l->ntimers == l->heap_cap) {
			struct timer **heap = grow(l->heap, &l->heap_cap,
						    (uint64_t)l->ntimers + 1, sizeof *heap);

			if (!heap)
				return -1;
			l->heap = heap;
		}
		i = l->ntimers++;
	}
	t->due = due > 0 ? due : 1;
	heap_sift(l, i, t);
	return 0;
}

void timer_stop(struct loop *l, struct timer *t)
{
	struct timer *last;

	if (!t->due)
		return;
	last = l->heap[--l->ntimers];
	if (last != t)
		heap_sift(l, t->slot, last);
	t->due = 0;
}

int loop_signal(struct loop *l, int sig, loop_fn *fn, void *ctx)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NOCLDSTOP };
	sigset_t one;

	if (sig <= 0 || sig >= NSIG || !fn) {
		errno = EINVAL;
		return -1;
	}
	if (!l->sig[sig].fn) {
		sigemptyset(&sa.sa_mask);	/* so that one ppoll() delivers all */
		sigemptyset(&one);
		sigaddset(&one, sig);
		got[sig] = 0;
		if (sigprocmask(SIG_BLOCK, &one, NULL) < 0 ||
		    sigaction(sig, &sa, &l->sig[sig].old) < 0)
			return -1;
		sigdelset(&l->wait_mask, sig);
	}
	l->sig[sig].fn = fn;
	l->sig[sig].ctx = ctx;
	return 0;
}

static void run_signals(struct loop *l)
{
	if (!got_signal)
		return;
	got_signal = 0;
	for (int sig = 1; sig < NSIG; sig++) {
		if (!got[sig] || !l->sig[sig].fn)
			continue;
		got[sig] = 0;
		l->sig[sig].fn(l->sig[sig].ctx);
	}
}

/* As many as were there at first, so that timers of 0 ms cannot hold the turn. */
static void run_timers(struct loop *l)
{
	uint32_t left = l->ntimers;

	while (left-- && l->ntimers && l->heap[0]->due <= l->now) {
		struct timer *t = l->heap[0];

		timer_stop(l, t);
		t->fn(t->ctx);
	}
}

static void run_watchers(struct loop *l, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		short revents = l->pfd[i].revents;

		if (!revents || l->watch[i].fd < 0)
			continue;
		l->pfd[i].revents = 0;
		l->watch[i].fn(l->watch[i].ctx, l->watch[i].fd, revents);
	}
}

int loop_turn(struct loop *l, bool block)
{
	static const struct timespec at_once = { 0, 0 };
	struct timespec wait = at_once;
	uint32_t n;
	int ready;

	drop_dead(l);
	if (block && l->ntimers) {
		int64_t ms = l->heap[0]->due - clock_ms();

		if (ms > 0)
			wait = (struct timespec){ .tv_sec = (time_t)(ms / 1000),
						  .tv_nsec = (long)(ms % 1000) * 1000000 };
	}
	n = l->n;
	ready = ppoll(l->pfd, n, block && !l->ntimers ? NULL : &wait, &l->wait_mask);
	if (ready < 0 && errno != EINTR)
		return -1;
	/* With descriptors ready ppoll delivers no signal (fs/select.c, do_poll), and
	 * a busy loop would never hear SIGTERM: ask again without any. */
	if (ready > 0)
		ppoll(NULL, 0, &at_once, &l->wait_mask);
	l->now = clock_ms();
	run_signals(l);
	run_timers(l);
	if (ready > 0)
		run_watchers(l, n);
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
