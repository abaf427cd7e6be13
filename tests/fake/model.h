/* SPDX-License-Identifier: ISC
 *
 * The engine beside a model of what rules mean, which knows nothing of how the engine works: a list of rules and a
 * loop.  A step does something to both (a rule of one of several owners, a join, a link, a reload, a packet, many of
 * these at once, time that goes by, verbs that fail, memory that runs out) and compares what the kernel got, and what
 * the engine believes, with what the model says.
 */
#ifndef TESTS_FAKE_MODEL_H
#define TESTS_FAKE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* Starts both from nothing, on the kernel of Linux or of FreeBSD; the random number decides about options. */
void model_begin(uint64_t random, bool is_freebsd);

/* Takes a step that the random number decides about.  NULL, or what is wrong: a text valid until the next step. */
const char *model_step(uint64_t random);

/* Takes back all failures, and compares once more: NULL, or what is wrong. */
const char *model_end(void);

#endif
