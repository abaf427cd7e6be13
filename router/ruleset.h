/* SPDX-License-Identifier: ISC
 *
 * The live rules: those that route and those that join groups, in the order of the configuration, and the index that
 * finds them by what they are for.  A rule has a number that is its own until it is deleted.  Knows VIF bits, no
 * interface; who changes rules also marks what that concerns (see mark.h).
 */
#ifndef ROUTER_RULESET_H
#define ROUTER_RULESET_H

#include "conf/conf.h"
#include "lib/flow.h"
#include "lib/hash.h"
#include "router/lengths.h"
#include "router/names.h"
#include "router/owners.h"

struct rule {
	struct flow_range range;
	uint16_t iif;			/* number of its name */
	uint16_t owner : OWNER_BITS;	/* who alone asks for it, or OWNER_SEVERAL: see claims.h */
	bool is_marked : 1;		/* bind.c is to look at it */
	bool waits : 1;			/* it was reported to wait for an interface */
	bool in_kernel : 1;		/* one entry of the kernel for all sources of its group */
	uint32_t oifs;			/* number of its list, of what all owners ask for; 0: a stop rule, or a join */
	uint32_t rank;			/* grows in the order of the configuration */
	uint32_t serial;		/* tells it from one that had its number before; 0: there is no rule */
	uint32_t chain;			/* the next rule of the same range, with another iif; HASH_NONE at the end */
	uint32_t next;			/* in the order of the configuration; HASH_NONE at the ends */
	union {
		uint32_t prev;
		uint32_t next_free;	/* while this place holds no rule */
	};
};

_Static_assert(sizeof(struct rule) <= 64, "100,000 of these is a normal size");

/* What one of several owners asks for. */
struct claim_place {
	uint32_t rule;			/* HASH_NONE: this place is free */
	uint32_t oifs;			/* number of a list, held */
	uint32_t next;			/* of the same rule, by the number of the owner; HASH_NONE at the end */
	uint16_t owner;
};

/* Claims to the rules that several owners ask for: few rules have any.  See claims.h. */
struct claims {
	struct claim_place *v;
	uint32_t n, cap;		/* places, room */
	uint32_t live;			/* places that hold a claim */
	uint32_t free;			/* first one that does not, chained by next; HASH_NONE = none */
	struct hash by_rule;		/* rule -> first claim */
};

/* Somebody who walks over the rules and takes pauses.  Rules that are deleted meanwhile are passed over, those that
 * are added are met unless the walk was at its end.  When a reload puts the rules in another order the walk goes on in
 * that one, and meets some twice or never. */
struct rule_walk {
	uint32_t next;			/* the rule that comes next, HASH_NONE at the end */
	struct rule_walk *others;
};

/* Rules of one kind. */
struct rules {
	struct rule *v;
	uint32_t n, cap;		/* places, room */
	uint32_t live;			/* places that hold a rule */
	uint32_t free;			/* first one that does not, HASH_NONE = none */
	uint32_t freed;			/* that do not any more since rules_trim() */
	uint32_t first, last;		/* in order; HASH_NONE = there is none */
	uint32_t last_rank, last_serial;
	struct hash by_range;		/* range -> first rule of its chain */
	struct lengths lengths;		/* that occur */
	struct claims claims;
	struct rule_walk *walks;
	unsigned side;			/* where names and lists count them: see names.h */
};

struct ruleset {
	struct names names;
	struct owners owners;
	struct rules routes, joins;
	struct phyint *phyints;		/* lines of the configuration, as they were */
	uint32_t nphyints;
};

/* 0, or -1 with ENOMEM; ruleset_free() is to be called in both cases. */
int ruleset_init(struct ruleset *s);
void ruleset_free(struct ruleset *s);

/* The rules of exactly this range: the first of their chain, in no order; HASH_NONE when there are none. */
uint32_t rules_chain(const struct rules *t, const struct flow_range *range);

/* The rule of a chain with that iif, a number of a name; HASH_NONE when there is none. */
uint32_t rules_in_chain(const struct rules *t, uint32_t chain, uint32_t iif);

/* The rule of that iif and range; HASH_NONE when there is none. */
uint32_t rules_find(const struct ruleset *s, const struct rules *t, const struct ifname *iif,
		    const struct flow_range *range);

/* Gives a rule another number, of a free place; not while somebody walks over them. */
void rules_move(struct rules *t, uint32_t from, uint32_t to);

/* Forgets all free places, the last of which was cut off at t->n, and gives memory back. */
void rules_trim(struct rules *t);

/* A table without rules. */
struct rules rules_empty(unsigned side);

/* Gives a table without rules n places that hold none, and room for so many rules.  0, or -1 with ENOMEM. */
int rules_reserve(struct rules *t, uint32_t n, uint32_t rules);

/* Frees a table's memory; what its rules refer to is the caller's business. */
void rules_free(struct rules *t);

/* Appends a rule of the configuration that is not there yet.  Its iif and list must be held meanwhile.  Returns its
 * number, or HASH_NONE with ENOMEM. */
uint32_t rules_add(struct ruleset *s, struct rules *t, const struct flow_range *range, uint32_t iif, uint32_t oifs);

/* The same in two steps: a new place, or HASH_NONE with ENOMEM; and a rule with its serial into a place that holds
 * none.  0, or -1 with ENOMEM. */
uint32_t rules_add_place(struct rules *t);
int rules_fill(struct ruleset *s, struct rules *t, uint32_t id, const struct rule *rule);

/* Deletes a rule to which nobody has a claim any more, see claims_drop().  What it alone referred to, names and a list,
 * goes too; its number may become another rule's. */
void rules_del(struct ruleset *s, struct rules *t, uint32_t id);

/* Puts a place without a rule on the list of free ones. */
void rules_free_place(struct rules *t, uint32_t id);

/* Gives a rule other outputs, a list that is held meanwhile. */
void rules_set_oifs(struct ruleset *s, struct rules *t, uint32_t id, uint32_t oifs);

/* Begins a walk over all rules.  *w must stay where it is until rules_walk_end(), which must follow, also when the
 * engine has ended meanwhile. */
void rules_walk_begin(struct rules *t, struct rule_walk *w);
void rules_walk_end(struct rules *t, struct rule_walk *w);

/* The number of the next rule, HASH_NONE when that was all. */
static inline uint32_t rules_walk_next(const struct rules *t, struct rule_walk *w)
{
	uint32_t id = w->next;

	if (id != HASH_NONE)
		w->next = t->v[id].next;
	return id;
}

/* ---- which routes decide (the lists and names are those of s) ----
 * Of the rules that match a packet those decide that have no other one that matches inside them: the narrowest, as for
 * unicast.  Most often that is one.  Of several (a range of sources beside a range of groups, an iif in full and by a
 * wildcard) the outputs add up, but one without outputs stops the flow. */

/* The number of a rule that decides about a packet of a flow that comes in on VIF vif, HASH_NONE when none matches;
 * *oifs: where it goes. */
uint32_t ruleset_decision(const struct ruleset *s, const struct flow *flow, int vif, uint32_t *oifs);

/* The same, but true when any rule matches. */
static inline bool ruleset_outputs(const struct ruleset *s, const struct flow *flow, int vif, uint32_t *oifs)
{
	return ruleset_decision(s, flow, vif, oifs) != HASH_NONE;
}

/* The same for one who does not ask for outputs. */
static inline bool ruleset_covers(const struct ruleset *s, const struct flow *flow, int vif)
{
	return ruleset_outputs(s, flow, vif, &(uint32_t){ 0 });
}

/* Calls fn with the number of each rule that decides about such a packet. */
void ruleset_deciding(const struct ruleset *s, const struct flow *flow, int vif, void (*fn)(void *ctx, uint32_t id),
		      void *ctx);

/* The VIFs that a rule takes packets from, as bits: what its iif means now. */
static inline uint32_t ruleset_iifs(const struct ruleset *s, const struct rule *rule)
{
	enum fam fam = flow_range_fam(&rule->range);

	return s->names.v[rule->iif].bits.exact[fam] | s->names.v[rule->iif].bits.wild[fam];
}

/* True when there is a rule at a place. */
static inline bool rules_is_live(const struct rules *t, uint32_t id)
{
	return t->v[id].serial;
}

/* True when no name of the rule lacks a VIF, nor does an interface that a wildcard means. */
static inline bool ruleset_is_bound(const struct ruleset *s, const struct rule *rule)
{
	enum fam fam = flow_range_fam(&rule->range);

	return !s->names.v[rule->iif].bits.lacks[fam] && !s->names.lists[rule->oifs].bits.lacks[fam];
}

/* Appends a rule in the syntax of the configuration, the directive padded to width; no newline. */
void ruleset_print(struct buf *out, const struct ruleset *s, const struct rule *rule, const char *directive, int width);

#endif
