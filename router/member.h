/* SPDX-License-Identifier: ISC
 *
 * The table of memberships, each joined or left as soon as its turn comes.
 * Which there are to be is group.c's business, who alone includes this.
 */
#ifndef ROUTER_MEMBER_H
#define ROUTER_MEMBER_H

#include "router/group.h"

/* Makes room for n more.  0, or -1 with ENOMEM. */
int member_reserve(struct groups *t, uint64_t n);

/* Place of the membership with the source, group and ifindex of key, or HASH_NONE. */
uint32_t member_find(const struct groups *t, const struct member *key);

/* Adds one that is not there yet; there must be room for it. */
uint32_t member_add(struct groups *t, const struct member *key);

/* Has the kernel match what is wanted of one, which is forgotten when that is nothing: at once while
 * the slice lasts, later otherwise. */
void member_touch(struct router *r, uint32_t at);

/* Gives the memory back when there is none left. */
void member_trim(struct groups *t);

#endif
