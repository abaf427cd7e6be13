/* SPDX-License-Identifier: ISC
 *
 * Notes which entries of the mirror the next router_sync() is to look at.
 */
#ifndef ROUTER_MARK_H
#define ROUTER_MARK_H

#include "router/state.h"

/* Has all entries looked at. */
void mark_all(struct router *r);

/* Has bind_rule() mark what the rules of a family concern. */
void mark_family(struct router *r, enum fam fam);

/* Marks the entries that a rule has a say in: for a template all in its range; for an (S,G) rule its entry, which is
 * added when the mirror has none yet and the rule has an inbound VIF.  When there is no memory to add it, that is
 * counted, and rule->is_marked has bind_names() try again. */
void mark_rule(struct router *r, struct rule *rule);

/* Marks the entries that a rule of this range had a say in before it was deleted: none is added. */
void mark_range(struct router *r, const struct flow_range *range);

/* Notes that all entries in a range are to be looked at. */
void mark_touch(struct touched_ranges *touched, const struct flow_range *range);

/* Has mark_touched() mark the entries in a range.  They are looked at after those that were marked one by one, so what
 * a deleted (S,G) rule leaves goes when the entries of new rules are there. */
void mark_entries_in(struct router *r, const struct flow_range *range);

/* Marks an entry that is there.  Without memory for that all entries are looked at. */
void mark_entry(struct router *r, uint32_t at);

/* Marks the entries that the kernel refused. */
void mark_refused(struct router *r);

/* Goes over n places of the mirror and marks the entries that mark_entries_in() was called for: r->touched.n is 0 when
 * that was all.  False without memory for that: the caller must look at all entries instead. */
bool mark_touched(struct router *r, uint32_t n);

#endif
