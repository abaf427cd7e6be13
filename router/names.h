/* SPDX-License-Identifier: ISC
 *
 * The interface names that live rules refer to, and the lists of output interfaces made of them, each kept once.
 * Both have numbers that stay as long as somebody refers to them.  What a name means on this machine now is noted
 * here as VIF bits; bind.c finds that out.
 */
#ifndef ROUTER_NAMES_H
#define ROUTER_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/ifname.h"
#include "lib/addr.h"
#include "lib/hash.h"

/* What a name, or a list of names, means on this machine now: bits of VIFs. */
struct vif_bits {
	uint32_t exact[FAM_N];		/* interfaces named in full */
	uint32_t wild[FAM_N];		/* those that a wildcard brings: never the iif itself */
	uint32_t lacks[FAM_N];		/* not 0: a name has no VIF, or an interface of a wildcard has none */
};

struct name {
	struct ifname ifname;
	uint32_t holds;			/* lists that have it, and callers between name_hold() and name_drop() */
	uint32_t refs[2][FAM_N];	/* rules (iif), joins, lists and phyint lines that want a VIF; of two sides */
	uint32_t rank[FAM_N];		/* VIFs are given in this order: of the first reference */
	struct vif_bits bits;
	bool has_changed;		/* bind.c found other bits, and not all routes have seen it */
	bool was_met;			/* an interface was called so */
	bool is_met;			/* one is, as far as is_looked_up */
	bool is_looked_up;
	uint32_t next_free;
};

/* A list of outputs.  Number 0 is the empty one, which is always there. */
struct oif_list {
	uint16_t *names;		/* in the order written, none twice */
	uint32_t n;
	uint32_t holds;			/* callers between oif_list_hold() and oif_list_drop() */
	uint32_t rules[2][FAM_N];	/* that use it; of two sides */
	struct vif_bits bits;		/* those of all names together */
	bool has_changed;
	uint32_t next_free;
};

#define NAMES_FRESH 64

/* References are counted on two sides: of the rules in force, and of those that are to take their place.  Which is
 * which is decided at once for all, by names_switch(). */
struct names {
	unsigned side;			/* 0 or 1: that of the rules in force */
	struct name *v;
	struct oif_list *lists;
	uint32_t n, cap, nlists, clists;
	uint32_t freed_names, freed_lists;	/* places that became free since they were settled */
	uint32_t free_name, free_list;	/* first place that is free, chained by next_free; HASH_NONE = none is */
	uint32_t last_rank;
	bool refs_changed;		/* a name of interfaces got its first reference or lost its last one */
	bool waits_changed;		/* any name did */
	uint16_t fresh[NAMES_FRESH];	/* names that did so and were not looked up before */
	uint32_t nfresh;
	struct hash by_name, by_list;
};

/* 0, or -1 with ENOMEM. */
int names_init(struct names *t);
void names_free(struct names *t);

static inline bool name_is_used(const struct name *n)
{
	return n->holds || n->refs[0][FAM_4] || n->refs[0][FAM_6] || n->refs[1][FAM_4] || n->refs[1][FAM_6];
}

/* The number of a name, or HASH_NONE when nobody refers to it. */
uint32_t name_find(const struct names *t, const struct ifname *ifname);

/* The number of a name, which is added when it is new; HASH_NONE with ENOMEM or ENOSPC.  It stays at least until
 * name_drop(). */
uint32_t name_hold(struct names *t, const struct ifname *ifname);
void name_drop(struct names *t, uint32_t id);

/* Counts somebody on a side who wants VIFs of a family for the interfaces that are called so; or no longer. */
void name_refer(struct names *t, uint32_t id, enum fam fam, unsigned side);
void name_unrefer(struct names *t, uint32_t id, enum fam fam, unsigned side);

/* The number of the list with exactly these names in this order, none twice, which is added when it is new;
 * HASH_NONE with ENOMEM.  It stays at least until oif_list_drop(). */
uint32_t oif_list_hold(struct names *t, const uint16_t *names, uint32_t n);
void oif_list_drop(struct names *t, uint32_t id);

/* Holds a list that is there once more. */
static inline void oif_list_keep(struct names *t, uint32_t id)
{
	t->lists[id].holds++;
}

/* The same as oif_list_hold() for the outputs of a list and those of names[n] that it has not, or, with `take`, without
 * those. */
uint32_t oif_list_combine(struct names *t, uint32_t id, const uint16_t *names, uint32_t n, bool take);

/* True when a list has a name, by its number; HASH_NONE is in none. */
bool oif_list_has_name(const struct names *t, uint32_t id, uint32_t name);

/* Counts a rule of a family on a side that uses the list, and so refers to its names; or no longer. */
void oif_list_refer(struct names *t, uint32_t id, enum fam fam, unsigned side);
void oif_list_unrefer(struct names *t, uint32_t id, enum fam fam, unsigned side);

/* Puts the other side in force. */
void names_switch(struct names *t);

/* Forgets what the side that is not in force refers to: n lists, and then names, from *at on.  True while there are
 * more. */
bool names_sweep(struct names *t, uint32_t *at, uint32_t n);

/* Moves names, or lists, into free places before them and gives the memory behind the last one back.  now[], of as many
 * as there are places: where each is then, of which lists know and rules are to be told. */
void names_settle(struct names *t, uint32_t *now);
void oif_lists_settle(struct names *t, uint32_t *now);

/* Computes the bits of a list from those of its names; true when they are others now. */
bool oif_list_bind(struct names *t, uint32_t id);

#endif
