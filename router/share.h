/* SPDX-License-Identifier: ISC
 *
 * Who has how many of the learned and blocked entries, so that those to give way when option -M's number is used up are
 * found without a search.  Knows numbers of entries only; budget.c decides which of them goes.
 *
 * Each VIF of a family is a slot.  In it each template that has entries is a share, and what has no template, the
 * blocked entries, is the slot's own share.  A share has two lists: of entries that were seen once, oldest first, and
 * of entries that were used, longest idle first.  The templates of a slot stand in a heap with the one that has the
 * most entries on top, so that an entry that comes or goes costs a few steps at any number of templates.
 */
#ifndef ROUTER_SHARE_H
#define ROUTER_SHARE_H

#include "kernel/kernel.h"
#include "lib/hash.h"

#define SHARE_SLOTS (FAM_N * KERNEL_VIFS)

enum share_class {
	SHARE_ONCE,		/* seen once, by the packet that made it; blocked */
	SHARE_USED,
	SHARE_CLASSES
};

/* What is noted of the packets of an entry: beside the entries, as one of a (S,G) rule hardly needs it. */
struct mfc_use {
	uint32_t seen;			/* packets on the iif when last sampled, low 32 bits */
	uint32_t mark;			/* the same at the last report of a wrong VIF */
	uint32_t used;			/* tick of the last sample that had grown */
	uint32_t prev, next;		/* in its list */
	uint32_t list;			/* share and class; HASH_NONE: it is in none */
};

struct share_list {
	uint32_t head, tail;		/* entries, HASH_NONE = there is none */
};

struct share {
	uint32_t template;		/* number of a rule; HASH_NONE: the slot's own */
	uint32_t count;			/* entries; 0 = this place holds no share */
	uint32_t place;			/* in the heap of its slot */
	uint32_t slot;
	union {
		struct share_list list[SHARE_CLASSES];
		uint32_t next_free;	/* while this place holds none */
	};
};

struct share_slot {
	uint32_t count;			/* entries of all its shares */
	uint32_t *heap;			/* numbers of the shares of its templates */
	uint32_t n, cap;
	uint32_t turn;			/* free for who goes through them by turns */
};

struct shares {
	struct share_slot slot[SHARE_SLOTS];
	struct share *v;		/* those of the slots first, then those of templates */
	uint32_t n, cap, free;
	struct hash by_template;	/* slot and template -> share */
	struct mfc_use *use;		/* by the numbers of entries */
};

/* 0, or -1 with ENOMEM; shares_free() is to be called in both cases. */
int shares_init(struct shares *s);
void shares_free(struct shares *s);

/* The slot of a VIF. */
static inline unsigned share_slot(enum fam fam, int vif)
{
	return (unsigned)fam * KERNEL_VIFS + (unsigned)vif;
}

/* The share that an entry is in, or HASH_NONE. */
static inline uint32_t share_of(const struct shares *s, uint32_t at)
{
	return s->use[at].list == HASH_NONE ? HASH_NONE : s->use[at].list / SHARE_CLASSES;
}

/* The longest idle entry of a share and class, or HASH_NONE. */
static inline uint32_t share_first(const struct shares *s, uint32_t share, enum share_class class)
{
	return s->v[share].list[class].head;
}

/* Puts an entry last in its list of a share, that of a template or, with HASH_NONE, the slot's own; there it stays when
 * it is in already.  Without memory for a new share it gets into the slot's own.  u->seen tells its class. */
void share_join(struct shares *s, uint32_t at, unsigned slot, uint32_t template);

/* Puts an entry, if it is in a share, last in the list that is for it now. */
void share_renew(struct shares *s, uint32_t at);

/* Takes an entry out of its share, if it is in one. */
void share_leave(struct shares *s, uint32_t at);

/* An entry has got another number. */
void share_move(struct shares *s, uint32_t from, uint32_t to);

/* Templates have: now[] has it for each number before. */
void shares_rename(struct shares *s, const uint32_t *now);

/* The slot with the most entries: `own` when none has more. */
unsigned share_biggest(const struct shares *s, unsigned own);

#endif
