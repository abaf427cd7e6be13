/* SPDX-License-Identifier: ISC
 *
 * For the warnings about rules that have to do with each other: an index of rules by their range, and the prefix
 * lengths that occur.  A rule is looked up under each pair of lengths, so the work grows with the number of rules
 * times that of pairs, and a bound on all of it keeps odd files from taking long.
 */
#ifndef CONF_FLOW_INDEX_H
#define CONF_FLOW_INDEX_H

#include "conf/diag.h"

/* Rules by range and inbound interface, those with the same ones in a chain. */
struct flow_index {
	struct flow_entry {
		struct flow_range range;
		uint16_t iif;		/* number of a name; or the same for all, where it does not matter */
		uint32_t rule;
		uint32_t next;		/* in the chain; HASH_NONE at its end */
	} *v;
	uint32_t n, cap;
	struct hash by_range;
};

/* Enters a rule under a range, which need not be its own; false when memory ran out. */
bool flow_index_add(struct flow_index *x, const struct flow_range *range, uint16_t iif, uint32_t rule);

/* Number of the first entry, or HASH_NONE. */
uint32_t flow_index_find(const struct flow_index *x, const struct flow_range *range, uint16_t iif);
void flow_index_free(struct flow_index *x);

/* A range with its prefixes cut to these lengths. */
struct flow_range flow_index_cut(const struct flow_range *range, unsigned source_len, unsigned group_len);

/* Prefix lengths in the order in which they occurred. */
struct flow_lengths {
	unsigned n;
	uint8_t v[129];
	bool has[129];
};

/* What the searches of overlap.c and mutual.c share. */
struct flow_search {
	const struct conf *c;
	struct diags *d;
	const uint16_t *wider;		/* by name: the next wider wildcard, CONF_NONE = none */
	uint32_t budget;		/* look-ups left */
	bool is_partial;		/* something was left out */
	/* The lengths of the rules of each family, and the pairs of both: few, whatever the number of rules. */
	struct flow_lengths sources[FAM_N], groups[FAM_N];
	struct flow_pair {
		uint8_t source_len, group_len;
	} pairs[FAM_N][129 * 129];
	uint32_t npairs[FAM_N];
	bool has_pair[FAM_N][129][129];
};

/* Starts a search, which is large: to be freed by free(3); NULL when memory ran out. */
struct flow_search *flow_search_new(const struct conf *c, struct diags *d, const uint16_t *wider);

/* Counts a look-up; false when there were too many. */
bool flow_search_spend(struct flow_search *s);

#endif
