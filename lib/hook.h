/* SPDX-License-Identifier: ISC
 *
 * Runs the user's program for one event after the other: in order, one at a time, each with a time limit, at most
 * HOOK_QUEUE waiting.  What happens to them is logged here, because nobody waits for the answer.
 */
#ifndef LIB_HOOK_H
#define LIB_HOOK_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/loop.h"

#define HOOK_QUEUE 1024
#define HOOK_LIMIT_MS 60000

struct hook;

/* Returns a runner of the program cmd (copied; looked for in PATH without a slash), or NULL with errno. */
struct hook *hook_new(struct loop *l, const char *cmd);

/* Forgets what waits, sends SIGTERM to what runs, and frees h. */
void hook_free(struct hook *h);

/* How long each run may take; HOOK_LIMIT_MS at first. */
void hook_set_limit(struct hook *h, int64_t ms);

/* Queues `cmd arg` with the lines NAME=VALUE of `pairs` added to the environment (all copied; "" for none).  It is left
 * out when too many wait already (counted and logged) or memory ran out. */
void hook_run(struct hook *h, const char *arg, const char *pairs);

/* Call for each child that has ended, with what wait(2) says of it: ends a run when it was one, and starts the next.  h
 * may be NULL. */
void hook_ended(struct hook *h, pid_t pid, int status);

/* Lets a run that goes on do so by itself, when another process takes our place.  hook_free() is next. */
void hook_leave(struct hook *h);

/* Number of runs that wait or go on. */
unsigned hook_pending(const struct hook *h);

#endif
