/* SPDX-License-Identifier: ISC
 *
 * Counters of entries and rules for a table: read once, in turns, so that its rows fit each other.
 */
#ifndef APPLETS_CONTROL_SHOW_COUNT_H
#define APPLETS_CONTROL_SHOW_COUNT_H

#include "applets/control/show_table.h"

/* A stage that asks the kernel for the counters of all entries, and with for_rules sums them for the rules.  Makes
 * OUTPUT_PACKETS and OUTPUT_BYTES wide enough. */
void show_count(struct show *s, int stage, bool for_rules);

/* The counters of the entry at a place of the mirror; where it is not the one that was there when the table began,
 * those of now. */
struct mfc_stats show_count_entry(struct show *s, uint32_t at);

/* The counters of a rule by its number; 0 where it was added since. */
struct mfc_stats show_count_rule(const struct show *s, uint32_t id);

/* False when nobody can tell them: an entry beside others that the kernel does not tell apart, or a rule of such. */
bool show_count_is_known(const struct mfc_stats *counts);

#endif
