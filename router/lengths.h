/* SPDX-License-Identifier: ISC
 *
 * The pairs of prefix lengths that occur among rules: for each of them a packet takes one look-up.
 */
#ifndef ROUTER_LENGTHS_H
#define ROUTER_LENGTHS_H

#include "lib/flow.h"

/* A pair of prefix lengths that rules of a family have. */
struct rule_lengths {
	enum fam fam;
	uint8_t source_len, group_len;
	uint32_t ranges;		/* that have them */
};

struct lengths {
	struct rule_lengths *v;
	uint32_t n, cap;
};

/* True when the lengths of a range occur already. */
bool lengths_has(const struct lengths *t, const struct flow_range *range);

/* Counts a range that is new.  0, or -1 with ENOMEM. */
int lengths_add(struct lengths *t, const struct flow_range *range);

/* Counts one that goes. */
void lengths_del(struct lengths *t, const struct flow_range *range);

#endif
