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

/* A pair of prefix lengths in use in a family. */
struct rule_pair {
	uint8_t fam, slen, glen;
	uint32_t rules;			/* chains of that pair */
};

/* What a list of output interfaces, or one name, means on this machine now: VIF bits. */
struct rule_mask {
	uint32_t exact[FAM_N];		/* interfaces named in full */
	uint32_t wild[FAM_N];		/* those that a wildcard brings: never the iif itself */
	uint32_t lacks[FAM_N];		/* not 0: a name has no VIF at all */
};

struct rules {
	struct conf *conf;		/* whose rules they are */
	struct hash by_key;		/* (S/LEN, G/LEN) -> first rule, chained by mroute.next */
	struct rule_pair *pairs;
	uint32_t npairs, cpairs;
	uint32_t removed;		/* places in conf->mroutes that hold no rule */
	struct rule_mask *names;	/* by number in conf->names */
	struct rule_mask *sets;		/* by number in conf->sets */
	uint32_t nnames, nsets;		/* room */
};

/* Indexes all rules of c, with masks that are 0.  Rules with the same (iif, S, G) become one with the
 * outputs of all; the others are removed.  0, or -1 with ENOMEM; then nothing is to be freed. */
int rules_index(struct rules *x, struct conf *c);
void rules_free(struct rules *x);

/* Adds rule id, just appended to the conf, whose (iif, S, G) no other rule has, to the chain that
 * rules_chain() found for its prefixes.  0, or -1 with ENOMEM and the rule removed. */
int rules_add(struct rules *x, uint32_t id, uint32_t chain);

/* Takes rule id out and removes it from the conf.  Numbers of other rules stay as they are. */
void rules_del(struct rules *x, uint32_t id);

/* First rule with exactly this range and any iif, in config order; HASH_NONE when none.  The others follow
 * by conf_rule.next. */
uint32_t rules_chain(const struct rules *x, const struct flow_range *range);

/* The same for the range that is this flow alone. */
uint32_t rules_alone(const struct rules *x, const struct flow *flow);

/* The rule with the iif and prefixes of key, or HASH_NONE. */
uint32_t rules_find(const struct rules *x, const struct conf_rule *key);

/* The rule of a chain that has this iif, or HASH_NONE. */
uint32_t rules_with_iif(const struct conf *c, uint32_t chain, uint16_t iif);

/* Number of the set with the outputs of `set` and then the names that it has not, or, with `take`, without
 * those of the names that it has; UINT32_MAX with ENOMEM. */
uint32_t rules_combine(struct conf *c, uint32_t set, const uint16_t *names, uint32_t n, bool take);

/* Makes room for the masks of all names and sets of the conf; new ones are 0.  0, or -1 with ENOMEM. */
int rules_masks(struct rules *x);

/* Gives a name or set another meaning; true when it is another one. */
bool rule_mask_set(struct rule_mask *to, const struct rule_mask *m);

/* Computes sets[id] anew from the names; true when it changed. */
bool rules_set_mask(struct rules *x, uint32_t id);

/* True when any rule matches a packet of a flow that comes in on VIF vif; *oifs: the outputs of all
 * that do.  alone: the rules of (S,G) alone, which rules_chain() has found. */
bool rules_outputs(const struct rules *x, const struct flow *flow, uint32_t alone, int vif, uint32_t *oifs);

/* The same for one who does not ask for outputs. */
bool rules_cover(const struct rules *x, const struct flow *flow, int vif);

/* VIFs that a rule, which is not removed, has as its iif. */
static inline uint32_t rule_iifs(const struct rules *x, const struct conf_rule *m)
{
	enum fam fam = flow_range_fam(&m->range);

	return x->names[m->iif].exact[fam] | x->names[m->iif].wild[fam];
}

/* True when no name of the rule lacks a VIF. */
static inline bool rule_is_bound(const struct rules *x, const struct conf_rule *m)
{
	enum fam fam = flow_range_fam(&m->range);

	return !x->names[m->iif].lacks[fam] && !x->sets[m->oifs].lacks[fam];
}

/* Calls fn for each rule that matches such a packet. */
void rules_matching(const struct rules *x, const struct flow *flow, int vif, void (*fn)(void *ctx, uint32_t id),
		    void *ctx);

#endif
