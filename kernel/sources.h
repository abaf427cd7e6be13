/* SPDX-License-Identifier: ISC
 *
 * How many sources of each group are joined on each interface, over all sockets, where kernel_group_sources() has a
 * limit; elsewhere nothing is counted.  Private to this room.
 */
#ifndef KERNEL_SOURCES_H
#define KERNEL_SOURCES_H

#include <stdbool.h>

#include "lib/addr.h"

/* True when one more may be joined, and there is memory to count it. */
bool sources_have_room(int ifindex, const struct addr *grp);

/* Counts one that was joined behind sources_have_room(), and one that was left. */
void sources_more(int ifindex, const struct addr *grp);
void sources_less(int ifindex, const struct addr *grp);

/* None is joined any more. */
void sources_forget(void);

#endif
