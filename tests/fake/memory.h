/* SPDX-License-Identifier: ISC
 *
 * Memory that runs out, for all of the program: the Makefile links tests so that their calls of malloc() and its
 * kin come here.  Those of libc itself do not.
 */
#ifndef TESTS_FAKE_MEMORY_H
#define TESTS_FAKE_MEMORY_H

#include <stdbool.h>

/* Of the pieces asked for from now on `first` can be had, the next `times` cannot; 0 = all can be had again. */
void memory_scarce(unsigned first, unsigned times);

/* Ends that: true when anything was refused. */
bool memory_plenty(void);

/* The fake kernel asks for its own memory between these two, and gets it. */
void memory_own(bool is_own);

#endif
