/* SPDX-License-Identifier: ISC
 *
 * What each owner asks of a rule.  Nearly all rules have one owner, which then asks for all that the rule has: its
 * number in the rule says so.  Only where several ask for one rule is there a claim of each in a table.  The outputs of
 * the rule are those of all claims together, in the order of the owners' numbers, so the configuration's come first.
 * A claim without outputs asks for a stop, or for a membership: a stop comes into force where nobody asks for outputs.
 *
 * A change has two steps: one that may fail, and one that may not.
 */
#ifndef ROUTER_CLAIMS_H
#define ROUTER_CLAIMS_H

#include "router/ruleset.h"

struct claim {
	uint32_t owner;
	uint32_t oifs;		/* number of a list */
};

/* Walks over the claims to a rule, by the numbers of their owners:
 * for (struct claim_walk w = claims_walk(t, id); claims_next(&w, &claim);)
 * Nothing may change meanwhile. */
struct claim_walk {
	const struct rules *rules;
	uint32_t next;
	struct claim only;	/* of a rule with one owner */
	bool has_only;
};
struct claim_walk claims_walk(const struct rules *t, uint32_t id);
bool claims_next(struct claim_walk *w, struct claim *claim);

/* True when an owner has a claim to a rule; *claim is that. */
bool claims_find(const struct rules *t, uint32_t id, uint32_t owner, struct claim *claim);

/* True when an owner with a name has. */
bool claims_is_named(const struct rules *t, uint32_t id);

/* A change of one owner's claim. */
struct claim_edit {
	uint32_t owner;
	bool for_unnamed;	/* the claims of all owners without a name go first */
	bool is_wanted;		/* afterwards it has one, for these outputs */
	uint32_t oifs;
};

/* What comes of a change. */
struct claim_result {
	uint32_t claims;	/* their number then; 0: the rule is to be deleted */
	uint32_t oifs;		/* the list of all outputs, held */
};

/* Finds out what a change of the claims to a rule would come to.  0, or -1 with ENOMEM and nothing held. */
int claims_plan(struct ruleset *s, const struct rules *t, uint32_t id, const struct claim_edit *e,
		struct claim_result *res);

/* Makes room for n changes.  0, or -1 with ENOMEM. */
int claims_reserve(struct rules *t, uint32_t n);

/* Carries a change out that was planned and for which there is room; the rule gets its new outputs.  Not for one that
 * leaves no claim. */
void claims_commit(struct ruleset *s, struct rules *t, uint32_t id, const struct claim_edit *e,
		   const struct claim_result *res);

/* A rule has got another number. */
void claims_move(struct rules *t, uint32_t from, uint32_t to);

/* Gives memory back when there are far fewer claims than there were, true then. */
bool claims_settle(struct rules *t);

/* Gives a rule that is new to an owner. */
void claims_begin(struct ruleset *s, struct rules *t, uint32_t id, uint32_t owner);

/* Takes all claims to a rule back, which must be deleted next. */
void claims_drop(struct ruleset *s, struct rules *t, uint32_t id);

#endif
