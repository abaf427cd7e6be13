/* SPDX-License-Identifier: ISC
 *
 * Whole decimal numbers that people and other programs write.
 */
#ifndef LIB_NUMBER_H
#define LIB_NUMBER_H

#include <stdint.h>

/* The number that s is, from 0 to max, which is 9 or more; -1 when it is anything else. */
int64_t number_parse(const char *s, int64_t max);

#endif
