/* SPDX-License-Identifier: ISC
 *
 * Runs the user's program for one event after the other: in order, one at a time, each with a time limit, at most
 * HOOK_QUEUE waiting.  What happens to them is logged here, because nobody waits for the answer.
 */
#ifndef LIB_HOOK_H
#define LIB_HOOK_H

#include <stdint.h>

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

/* Call on SIGCHLD: collects every child, ours or inherited as PID 1, and starts the next run.  h may be NULL. */
void hook_reap(struct hook *h);

/* Number of runs that wait or go on. */
unsigned hook_pending(const struct hook *h);

#endif
