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
#define HOOK_FINISH_MS 10000

struct hook;

/* Returns a runner of the program cmd (copied; looked for in PATH without a slash), each run of which may take
 * limit_ms; or NULL with errno. */
struct hook *hook_new(struct loop *l, const char *cmd, int64_t limit_ms);

/* Forgets what waits, sends SIGTERM to what runs, and frees h. */
void hook_free(struct hook *h);

/* Queues `cmd arg` with the lines NAME=VALUE of `pairs` added to the environment (all copied; "" for none).  It is left
 * out when too many wait already (counted and logged) or memory ran out. */
void hook_run(struct hook *h, const char *arg, const char *pairs);

/* Call for each child that has ended, with what wait(2) says of it: ends a run when it was one, and starts the next.  h
 * may be NULL. */
void hook_ended(struct hook *h, pid_t pid, int status);

/* True while one runs or waits.  h may be NULL. */
bool hook_is_at_work(const struct hook *h);

/* Waits until all runs have ended, but at most HOOK_FINISH_MS and until SIGTERM or SIGINT has arrived for the loop,
 * which does not turn meanwhile: when this process is about to end, and what was learned is to be told.  What waits
 * then is left out, what goes on does so by itself.  h may be NULL; hook_free() is next. */
void hook_finish(struct hook *h);

#endif
