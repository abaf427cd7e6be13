/* SPDX-License-Identifier: ISC
 *
 * "Did you mean": how near a mistyped word is to the words that there are.  The config file, the client and the
 * checker ask here.
 */
#ifndef LIB_NEAR_H
#define LIB_NEAR_H

#include <limits.h>
#include <stddef.h>

#define NEAR_FAR UINT_MAX

/* Returns the number of slips between n bytes and a keyword: letters that are missing, too many, wrong, or swapped with
 * their neighbour; capitals are as good as small letters.  NEAR_FAR when they are more than one in three letters of the
 * keyword, so that it was hardly meant.  A keyword of four letters or more with something behind it (group=225.1.2.3)
 * counts as no slip, nor does the beginning of one, of three letters or more.  Keywords are in small letters. */
unsigned near_slips(const char *word, size_t n, const char *keyword);

/* Returns the number of the keyword, of list[count], that the n bytes were probably meant to be: the nearest, of two
 * the first.  -1 when all are far. */
int near_find(const char *word, size_t n, const char *const *list, int count);

#endif
