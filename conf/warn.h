/* SPDX-License-Identifier: ISC
 *
 * What the files of conf_warn() share: how names are used, which wildcards
 * cover which, the prefix lengths that occur, and an index of rules by flow.
 * Private to conf/.
 */
#ifndef CONF_WARN_H
#define CONF_WARN_H

#include "conf/conf.h"

#define WARN(d, where, ...) diag_add(d, where, false, __VA_ARGS__)

struct name_use {
	struct where use[FAM_N];	/* where a rule or group first refers to it; line 0: nowhere */
	uint16_t wider;			/* the next wider wildcard, CONF_NONE = none */
	bool told;
};

struct names {
	const struct conf *c;
	struct name_use *v;	/* by name */
};

/* Warns of rules that overlap (overlap.c); false when memory ran out.  *partial: or there were too
 * many prefix lengths to look at all. */
bool warn_rules(const struct names *w, struct diags *d, bool *partial);

/* ---- what overlap.c and mutual.c share ---- */

/* Lengths in the order in which they occurred. */
struct lengths {
	unsigned n;
	uint8_t v[129];
	bool seen[129];
};

/* The prefix lengths that the rules of a family have: few, whatever the number of rules. */
struct shape {
	struct lens {
		uint8_t s, g;
	} *pairs;			/* source and group together */
	uint32_t npairs, cpairs;
	struct lengths s, g;
	bool seen[129][129];
};

/* Both families, and what bounds the work on them. */
struct shapes {
	uint32_t budget;		/* look-ups left */
	bool partial;			/* something was left out */
	struct shape of[FAM_N];
};

/* A flow as hashed: no padding. */
struct key {
	struct addr source, group;
	uint16_t iif;			/* or what else parts the flows */
	uint8_t slen, glen;
};

/* Rules by their flow, those of one flow in a chain. */
struct flows {
	struct way {
		struct key key;
		uint32_t rule;
		uint32_t next;		/* HASH_NONE at the end */
	} *v;
	uint32_t n, room;
	struct hash by_key;
};

/* Enters a rule under a flow; false when memory ran out. */
bool flows_add(struct flows *f, const struct key *k, uint32_t rule);
void flows_free(struct flows *f);

/* Number of the first way of a flow, or HASH_NONE. */
uint32_t flows_find(const struct flows *f, const struct key *k);

/* The same for the flow of a rule, cut to these lengths. */
uint32_t flows_look(const struct flows *f, const struct conf_rule *m, uint16_t iif, uint8_t slen, uint8_t glen);

/* Counts a look-up; false when there were too many. */
bool shape_spend(struct shapes *sh);

/* Warns of rules that send each other's packets back (mutual.c); false when memory ran out. */
bool warn_mutual(const struct names *w, struct diags *d, struct shapes *sh);

#endif
