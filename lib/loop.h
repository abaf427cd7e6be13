/* SPDX-License-Identifier: ISC
 *
 * The event loop: ppoll(2) over descriptors, timers and signals.  The nearest timer is the timeout, no timer means no
 * wake-up.  Signals only set a flag while they are blocked, and are delivered once a turn, by the loop.  A callback may
 * add or remove any watcher or timer, its own included.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Called with the descriptor and what poll(2) said of it. */
typedef void loop_fd_fn(void *ctx, int fd, short revents);
typedef void loop_fn(void *ctx);

/* Embedded by its owner, zeroed at first; `due` is 0 while it is not running. */
struct timer {
	int64_t due;		/* ms of loop_now() */
	loop_fn *fn;
	void *ctx;
	struct timer *next;	/* the loop's own business */
};

/* Returns a new loop, or NULL with errno. */
struct loop *loop_new(void);

/* Frees the loop; descriptors are not closed, signal handlers are the default ones again. */
void loop_free(struct loop *l);

/* Milliseconds of the monotonic clock, read afresh once a turn and after loop_touch(). */
int64_t loop_now(const struct loop *l);

/* Reads the clock again: for callbacks that took long. */
int64_t loop_touch(struct loop *l);

/* Watches fd, which is not watched yet, for events (POLLIN, POLLOUT); 0, or -1 with ENOMEM. */
int loop_add(struct loop *l, int fd, short events, loop_fd_fn *fn, void *ctx);

/* Changes the events of a watched descriptor; 0 pauses it. */
void loop_events(struct loop *l, int fd, short events);

/* The number of this turn. */
uint64_t loop_turns(const struct loop *l);

/* For a callback that has no time in this turn: the next turn begins with its descriptor, or with the first that was
 * postponed. */
void loop_postpone(struct loop *l, int fd);

/* Stops watching fd.  Its callback is not called again, not even in this turn. */
void loop_del(struct loop *l, int fd);

/* Leaves all descriptors alone from now on, or no longer; timers and signals go on. */
void loop_hold(struct loop *l, bool hold);

/* Starts or restarts t to fire once, ms from now; those due at the same time fire in the order in which they were
 * set. */
void timer_set(struct loop *l, struct timer *t, int64_t ms);

/* Stops t when it runs. */
void timer_stop(struct loop *l, struct timer *t);

/* Calls fn from the loop when sig arrives; 0 or -1 with errno.  For one loop in a process. */
int loop_signal(struct loop *l, int sig, loop_fn *fn, void *ctx);

/* True when sig, one of loop_signal(), has arrived and its function was not called yet: for a callback that takes
 * long. */
bool loop_has_signal(const struct loop *l, int sig);

/* The same of SIGTERM and SIGINT. */
bool loop_is_told_to_end(const struct loop *l);

/* One turn: waits for at most the nearest timer (or not at all with block false), then calls what is due.  0, or -1
 * with errno when poll itself failed.  Not to be called from a callback. */
int loop_turn(struct loop *l, bool block);

/* Turns until loop_stop(); returns the code given there, or -1 with errno. */
int loop_run(struct loop *l);

/* Makes loop_run() return code after this turn. */
void loop_stop(struct loop *l, int code);

#endif
