/* SPDX-License-Identifier: ISC
 *
 * Counters of entries and rules for a table: read once, in turns, so that its rows fit each other.
 */
#ifndef APPLETS_CONTROL_SHOW_COUNT_H
#define APPLETS_CONTROL_SHOW_COUNT_H

#include "applets/control/show_table.h"

/* A stage that asks the kernel for the counters of all entries, and sums them for the rules.  Makes OUTPUT_PACKETS and
 * OUTPUT_BYTES wide enough.  With is_heard it notes as well when a packet of each entry, and so of each rule, came: see
 * show_count_silence(). */
void show_count(struct show *s, int stage, bool is_heard);

/* The counters of the entry at a place of the mirror; where it is not the one that was there when the table began,
 * those of now. */
struct mfc_stats show_count_entry(struct show *s, uint32_t at);

/* The counters of a rule by its number; 0 where it was added since. */
struct mfc_stats show_count_rule(const struct show *s, uint32_t id);

/* Milliseconds since a packet of a rule came in, as far as counters tell that were read now and then: at each
 * show_count() with is_heard and, of learned entries, in each pass of expire.c.  -1 when none is known of. */
int64_t show_count_silence(const struct show *s, uint32_t id);

/* False when nobody can tell them: an entry beside others that the kernel does not tell apart, or a rule of such. */
bool show_count_is_known(const struct mfc_stats *counts);

#endif
