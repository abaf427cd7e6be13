/* SPDX-License-Identifier: ISC
 *
 * The engine beside a model of what rules mean, which knows nothing of how the engine
 * works: a list of rules and a loop.  A step does something to both (a rule, a link, a
 * reload, a packet) and compares what the kernel got with what the model says.
 */
#ifndef TESTS_FAKE_MODEL_H
#define TESTS_FAKE_MODEL_H

#include <stdint.h>

/* Starts both from nothing. */
void model_begin(void);

/* Takes a step that the random number decides about.  NULL, or what is wrong: a text valid until the next step. */
const char *model_step(uint64_t random);

void model_end(void);

#endif
