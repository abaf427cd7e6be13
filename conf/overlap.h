/* SPDX-License-Identifier: ISC
 *
 * Which rules are about the same packets: the index behind the warnings of superfluous.c, crossing.c and ring.c.  Rules
 * are entered under their range.  A rule finds those that cover it by looking itself up, cut to each pair of prefix
 * lengths that occurs, so the work grows with the number of rules times that of pairs.  A budget for all of it keeps
 * odd files from taking long.
 */
#ifndef CONF_OVERLAP_H
#define CONF_OVERLAP_H

#include "conf/diag.h"

/* Rules by range and, where it matters, inbound interface; those with the same ones in a chain. */
struct overlap_index {
	struct overlap_entry {
		struct flow_range range;
		uint32_t iif;			/* what overlap_enter() was given */
		uint32_t rule;			/* its number */
		uint32_t next;			/* in the chain; HASH_NONE at its end */
	} *v;
	uint32_t n, cap;
	struct hash by_range;
	bool is_cut;				/* entered with groups cut to shorter lengths, overlap_enter_cut() */
};

/* What entries are found by, besides their range. */
#define OVERLAP_ANY_IIF 0u		/* for an index that is not about inbound interfaces */
#define OVERLAP_NARROWER 0x10000u	/* plus the number of a name: entries of names that it takes in */

/* The pairs of prefix lengths that the rules of a family have: few, whatever the number of rules. */
struct overlap_lengths {
	struct overlap_pair {
		uint8_t source, group;
		bool is_new_source;		/* no pair before has this length of the source */
	} pairs[129 * 129];			/* of two ranges inside each other the narrower one's first */
	uint32_t n;
	bool has[129][129];
	uint8_t longest_source[129];		/* of the pairs with this length of the group; 0 = none or 0 */
};

/* Warnings of which so many are given, and the rest is counted. */
enum overlap_kind { OVERLAP_CROSSING, OVERLAP_ALONE, OVERLAP_RING, OVERLAP_KINDS };

struct overlap {
	const struct conf *c;
	struct diags *d;
	const uint16_t *wider;		/* by name: the next wider wildcard, CONF_NONE = none */
	uint32_t budget;		/* look-ups left */
	bool is_partial;		/* something was left out */
	uint32_t told[OVERLAP_KINDS];
	uint32_t *mark, stamp;		/* by name: the last set under test that has it */
	struct overlap_lengths lengths[FAM_N];
	struct overlap_index all;	/* the rules by range and inbound interface, also as OVERLAP_NARROWER */
};

/* Prepares for the rules of c; the warnings go to d.  NULL when memory ran out. */
struct overlap *overlap_new(const struct conf *c, const uint16_t *wider, struct diags *d);
void overlap_free(struct overlap *o);

/* Enters a rule under a range, which need not be its own.  False when memory ran out. */
bool overlap_enter(struct overlap_index *x, const struct flow_range *range, uint32_t iif, uint32_t rule);

/* Enters a rule with its group cut to each shorter length that some rule with a longer source has.  So a rule with the
 * longer source and the shorter group finds it.  False when memory ran out. */
bool overlap_enter_cut(struct overlap *o, struct overlap_index *x, uint32_t iif, uint32_t rule);
void overlap_index_free(struct overlap_index *x);

/* Looks at an entry; true when no more are needed. */
typedef bool overlap_try(struct overlap *o, void *ctx, const struct overlap_entry *e);

/* Tries the entries with this iif whose range covers the one given, narrower ones first; in an index with cut groups
 * those whose source covers it and whose cut group is its group.  True when `try` said so, and when the budget ran
 * out: is_partial is set then. */
bool overlap_search(struct overlap *o, const struct overlap_index *x, const struct flow_range *range, uint32_t iif,
		    overlap_try *try, void *ctx);

/* The same for each entry of an interface that takes in the one with this number of a name. */
bool overlap_search_wider(struct overlap *o, const struct overlap_index *x, const struct flow_range *range,
			  uint16_t name, overlap_try *try, void *ctx);

/* True when some rule has exactly this range and an inbound interface that takes in the one with this number of a
 * name. */
bool overlap_has(const struct overlap *o, const struct flow_range *range, uint16_t name);

/* Takes work out of the budget: false when there is none left, and is_partial is set. */
bool overlap_spend(struct overlap *o);

/* True when all outputs of rule a are outputs of rule b too. */
bool overlap_outputs_within(struct overlap *o, const struct conf_rule *a, const struct conf_rule *b);
bool overlap_outputs_equal(struct overlap *o, const struct conf_rule *a, const struct conf_rule *b);

/* True when the name `wide` takes in all that the name `id` means. */
bool overlap_name_covers(const struct overlap *o, uint16_t wide, uint16_t id);

/* True when rule a sends to where the packets of rule b come from. */
bool overlap_sends(const struct overlap *o, const struct conf_rule *a, const struct conf_rule *b);

/* Counts a warning of a kind: true when it is to be given. */
bool overlap_tell(struct overlap *o, enum overlap_kind kind);

/* Gives the numbers of those that were only counted. */
void overlap_tell_rest(struct overlap *o);

#endif
