/* SPDX-License-Identifier: ISC
 *
 * Option -M: how many learned and blocked entries there may be, in fair shares.  When there is one too many, an
 * interface (of a family) that has the most gives way, and within it a template that has the most:
 * - first the interface's blocked entries, the longest idle first,
 * - then those of the template that were seen once, oldest first,
 * - then those that were used, the longest idle first.
 * The new entry is one of those that are counted, and who has no less than any other gives way itself: to blocked
 * ones one learned entry that is not in use, so that the kernel need not ask for each packet without a rule.  So a
 * flood of made-up sources pushes out its own, and a new source elsewhere finds a place at once.  Who gives way to
 * itself keeps what is in use: then it is the new source that has no entry, and each of its packets comes by the
 * daemon.
 *
 * What is in use is asked of the kernel, of a few entries at the head of a list: what has been used goes to the end of
 * its list.  So a new source costs some microseconds at any number of entries.
 */
#ifndef ROUTER_BUDGET_H
#define ROUTER_BUDGET_H

#include "router/state.h"

/* Has entries give way until there are r->max_dynamic at most.  fresh: one that was just added, HASH_NONE = none.
 * False when that had to go, of which no event tells. */
bool budget_keep(struct router *r, uint32_t fresh);

#endif
