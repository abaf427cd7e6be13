/* SPDX-License-Identifier: ISC
 *
 * What a journal says: see journal.h for its form.
 */
#ifndef APPLETS_CONTROL_JOURNAL_READ_H
#define APPLETS_CONTROL_JOURNAL_READ_H

#include "router/router.h"

/* Bytes of records after which nobody can ask for more. */
#define JOURNAL_LIMIT (64 << 20)

#define JOURNAL_WORD "smcroute-journal"
#define JOURNAL_VERSION 1
#define JOURNAL_PAGE 4096
#define JOURNAL_LINE_MAX (2 << 20)
/* The head has them in the order of the struct. */
#define JOURNAL_COUNTERS (sizeof(struct router_counters) / sizeof(uint64_t))
#define JOURNAL_SUM_LEN 9		/* eight hexadecimal digits and a blank */
#define JOURNAL_SUM_FIRST 2166136261u	/* before the first record */

/* The sum of n bytes behind those that came to `sum`: FNV-1a, in which no change of one byte goes unseen. */
uint32_t journal_sum(uint32_t sum, const char *p, size_t n);

/* Restores what the file of a journal says, after the configuration was applied and before router_sync(): owners'
 * claims and counters.  Logs what is wrong with it.  Nothing is trusted.  -1 when it is none at all. */
int journal_replay(struct router *r, int fd);

#endif
