/* SPDX-License-Identifier: ISC
 *
 * Notes which entries of the mirror the next router_sync() is to look at.
 */
#ifndef ROUTER_MARK_H
#define ROUTER_MARK_H

#include "router/state.h"

/* Marks the entries that a rule has a say in: the one of its (S,G), which is added when it is new and the rule has an
 * inbound VIF; for a template all in its range. */
void mark_rule(struct router *r, const struct rule *rule);

/* The same for a rule of this range that is no more: no entry is added. */
void mark_range(struct router *r, const struct flow_range *range);

/* Marks all entries in a range, even of an (S,G) as if it were a template: those that are marked one by one are looked
 * at first. */
void mark_entries_in(struct router *r, const struct flow_range *range);

/* Marks an entry that is there; false with ENOMEM, which is counted. */
bool mark_entry(struct router *r, uint32_t at);

/* Marks the entries that the kernel refused. */
void mark_refused(struct router *r);

/* Goes through all entries for those that mark_entries_in() was called for. */
void mark_touched(struct router *r);

#endif
