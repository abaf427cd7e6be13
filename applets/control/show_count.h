/* SPDX-License-Identifier: ISC
 *
 * Counters for tables: each entry's are asked for once, before the rows, and summed
 * for the rules behind it.  show_table.h has where they are kept.
 */
#ifndef APPLETS_CONTROL_SHOW_COUNT_H
#define APPLETS_CONTROL_SHOW_COUNT_H

#include "applets/control/show_table.h"

/* A stage that gets the counters of all entries, and with for_rules those of all rules. */
void show_count(struct show *s, int stage, bool for_rules);

/* The counters of the entry at a place of the mirror; where it is not the one that was there when the table
 * began, those of now. */
struct mfc_stats show_count_entry(struct show *s, uint32_t at);

/* The counters of a rule by its number; 0 where it was added since. */
struct mfc_stats show_count_rule(const struct show *s, uint32_t id);

/* Frees the counters. */
void show_count_free(struct show *s);

/* Bytes that they take. */
size_t show_count_size(const struct show *s);

#endif
