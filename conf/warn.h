/* SPDX-License-Identifier: ISC
 *
 * What the files of conf_warn() share: how names are used, and which wildcards
 * cover which.  Private to conf/.
 */
#ifndef CONF_WARN_H
#define CONF_WARN_H

#include "conf/conf.h"

#define WARN(d, where, ...) diag_add(d, where, false, __VA_ARGS__)

/* Where a rule or group first refers to a name. */
struct use {
	struct where where;
	bool used;
};

struct name_use {
	struct use use[FAM_N];
	uint16_t wider;		/* the next wider wildcard, CONF_NONE = none */
	bool told;
};

struct names {
	const struct conf *c;
	struct name_use *v;	/* by name */
};

/* Warns of rules that overlap (overlap.c); false when memory ran out. */
bool warn_rules(const struct names *w, struct diags *d);

/* ---- what overlap.c and mutual.c share ---- */

struct lens {
	uint8_t s, g;
};

/* The prefix lengths that the rules of each family have: few, whatever the number of rules. */
struct shape {
	struct lens *pairs[FAM_N];	/* source and group together */
	uint32_t npairs[FAM_N];
	uint8_t s[FAM_N][129], g[FAM_N][129];
	unsigned ns[FAM_N], ng[FAM_N];
	uint32_t budget;		/* look-ups left */
	bool partial;			/* something was left out */
};

/* Counts a look-up; false when there were too many. */
static inline bool shape_spend(struct shape *sh)
{
	if (sh->budget)
		return sh->budget--;
	sh->partial = true;
	return false;
}

/* Warns of rules that send each other's packets back (mutual.c); false when memory ran out. */
bool warn_mutual(const struct names *w, struct diags *d, struct shape *sh);

#endif
