/* SPDX-License-Identifier: ISC
 *
 * The index over the rules of a conf: which rules match (iif, S, G), in time
 * that depends on the number of distinct prefix-length pairs, not of rules.
 * The rules themselves stay in conf->mroutes.  Knows VIF masks, no interface.
 */
#ifndef ROUTER_RULE_H
#define ROUTER_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/hash.h"

/* One pair of prefix lengths in use in a family. */
struct rule_pair {
	uint8_t slen, glen;
	uint32_t rules;			/* chains of that pair */
};

/* What a list of output interfaces, or one name, means on this machine now: VIF bits. */
struct rule_mask {
	uint32_t exact[FAM_N];		/* interfaces named in full */
	uint32_t wild[FAM_N];		/* those that a wildcard brings: never the iif itself */
	uint32_t lacks[FAM_N];		/* not 0: a name has no VIF at all */
};

struct rules {
	struct hash by_key;		/* (S/LEN, G/LEN) -> first rule, chained by mroute.next */
	struct rule_pair *pairs[FAM_N];
	uint32_t npairs[FAM_N], cpairs[FAM_N];
	uint32_t removed;		/* places in conf->mroutes that hold no rule */
	uint32_t templates[FAM_N];	/* rules that are not (S,G) */
	struct rule_mask *names;	/* by number in conf->names */
	struct rule_mask *sets;		/* by number in conf->sets */
	uint32_t nnames, nsets;
};

/* Indexes all rules of c.  Rules with the same (iif, S, G) become one with the outputs of all; the
 * others are removed.  0, or -1 with ENOMEM; then x is empty. */
int rules_index(struct rules *x, struct conf *c);
void rules_free(struct rules *x);

/* Adds rule id, just appended to c, whose (iif, S, G) no other rule has, to the chain that
 * rules_chain() found for its prefixes.  0, or -1 with ENOMEM. */
int rules_add(struct rules *x, struct conf *c, uint32_t id, uint32_t chain);

/* Takes rule id out and removes it from c.  Numbers of other rules stay as they are. */
void rules_del(struct rules *x, struct conf *c, uint32_t id);

/* First rule with exactly these prefixes, any iif, in config order; HASH_NONE when none.
 * The others follow by mroute.next. */
uint32_t rules_chain(const struct rules *x, const struct conf *c, const struct addr *s, uint8_t slen,
		     const struct addr *g, uint8_t glen);

/* The rule of a chain that has this iif, or HASH_NONE. */
uint32_t rules_with_iif(const struct conf *c, uint32_t chain, uint16_t iif);

/* The rule with exactly this iif and these prefixes, or HASH_NONE. */
uint32_t rules_find(const struct rules *x, const struct conf *c, uint16_t iif, const struct addr *s,
		    uint8_t slen, const struct addr *g, uint8_t glen);

/* Makes room for the masks of all names and sets of c; new ones are 0.  0, or -1 with ENOMEM. */
int rules_masks(struct rules *x, const struct conf *c);

/* Computes sets[id] anew from the names; true when it changed. */
bool rules_set_mask(struct rules *x, const struct conf *c, uint32_t id);

/* Outputs of a packet of (s, g) that comes in on VIF vif: the union over all rules that match.
 * *covered tells whether any rule matched at all. */
uint32_t rules_outputs(const struct rules *x, const struct conf *c, int vif, const struct addr *s,
		       const struct addr *g, bool *covered);

/* The same for one who has looked up the rules of (s, g) alone: sg is what rules_chain() returned. */
uint32_t rules_outputs_sg(const struct rules *x, const struct conf *c, uint32_t sg, int vif,
			  const struct addr *s, const struct addr *g, bool *covered);

/* VIFs that a rule, which is not removed, has as its iif. */
static inline uint32_t rule_iifs(const struct rules *x, const struct mroute *m)
{
	enum fam fam = addr_fam(&m->group);

	return x->names[m->iif].exact[fam] | x->names[m->iif].wild[fam];
}

/* True when no name of the rule lacks a VIF. */
static inline bool rule_is_bound(const struct rules *x, const struct mroute *m)
{
	enum fam fam = addr_fam(&m->group);

	return !x->names[m->iif].lacks[fam] && !x->sets[m->oifs].lacks[fam];
}

/* Calls fn for each rule that matches (s, g) on VIF vif. */
void rules_matching(const struct rules *x, const struct conf *c, int vif, const struct addr *s,
		    const struct addr *g, void (*fn)(void *ctx, uint32_t id), void *ctx);

#endif
