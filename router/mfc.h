/* SPDX-License-Identifier: ISC
 *
 * Mirror of the kernel's forwarding cache: what this program put there, per (S,G), and how long each learned or
 * blocked entry has been idle.  Only stores; entry.c decides what an entry is to be and calls the kernel.
 */
#ifndef ROUTER_MFC_H
#define ROUTER_MFC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/flow.h"
#include "lib/hash.h"
#include "router/share.h"

enum mfc_state {
	MFC_FREE,	/* this place holds no entry */
	MFC_STATIC,	/* a (S,G) rule wants it */
	MFC_KERNEL,	/* of any source, one for each inbound VIF: a `kernel` rule wants it */
	MFC_ASIDE,	/* the same, but it may not be in the kernel now, and the rule learns: see inkernel.h */
	MFC_LEARNED,	/* made from a template when its source was heard */
	MFC_BLOCKED,	/* no rule; there so that the kernel stops asking */
	MFC_STATES
};

enum {
	MFC_INSTALLED = 1 << 0,		/* the kernel has it */
	MFC_DIRTY = 1 << 1,		/* on the list of entries to look at */
	MFC_STALE = 1 << 2,		/* to be given to the kernel even if nothing differs */
	MFC_USED = 1 << 3,		/* its struct mfc_use is in use */
	MFC_ASKED = 7 << 4,		/* how often the kernel asked for it after it was added, 7 at most */
};

#define MFC_REFLECTS (1 << 7)		/* by its rules it goes out where it comes in; set by mfc_set_reflects() */
#define MFC_ASKED_ONCE (1 << 4)

/* Walks over the entries to look at, one behind the other. */
enum mfc_look {
	MFC_LOOK_NEW,	/* entries of (S,G) rules that the kernel is to get: first, as one of any source would take
			 * their packets */
	MFC_LOOK_ANY,	/* of any source: what one of them has is not learned besides */
	MFC_LOOK_REST,
	MFC_LOOKS
};

/* No VIF: an entry that is wanted but cannot be in the kernel yet. */
#define MFC_NO_VIF 0xff

struct mfc {
	struct flow flow;
	union {
		uint32_t oifs;		/* VIF bits, as the kernel has them */
		uint32_t hindrance;	/* of MFC_ASIDE: number of the rule that is in the way, or HASH_NONE */
		uint32_t next_free;	/* while this place holds no entry */
	};
	uint8_t iif;			/* VIF number, as the kernel has it */
	uint8_t state;			/* enum mfc_state */
	uint8_t flags;
	uint8_t failed;			/* errno of the last refusal by the kernel */
};

struct mfcs {
	struct mfc *v;
	uint32_t n, cap;		/* places, room */
	struct shares shares;		/* of the learned and blocked ones; has what mfc_use() gives */
	uint32_t nuse;			/* places of that up to the last that ever was */
	uint32_t free;			/* first free place, HASH_NONE = there is none */
	struct hash by_sg;
	uint32_t count[MFC_STATES];	/* entries of each state */
	uint32_t reflecting;		/* entries that are MFC_REFLECTS */
	uint64_t removals;		/* how often a place became free */
	uint64_t settled;		/* removals when mfc_settle() looked last */
	uint32_t *dirty;		/* places to look at: those that are marked so still */
	uint32_t ndirty, cdirty;
	uint32_t looked[MFC_LOOKS];	/* how far each walk over them has come */
};

/* Milliseconds of a tick of mfc_use.used. */
#define MFC_TICK 100

/* True when it is learned or blocked: it has a time to live. */
static inline bool mfc_is_dynamic(const struct mfc *e)
{
	return e->state >= MFC_LEARNED;
}

/* True when it is one of any source, in the kernel or not. */
static inline bool mfc_is_any(const struct mfc *e)
{
	return e->state == MFC_KERNEL || e->state == MFC_ASIDE;
}

/* How many are learned or blocked. */
static inline uint32_t mfc_dynamic(const struct mfcs *t)
{
	return t->count[MFC_LEARNED] + t->count[MFC_BLOCKED];
}

/* How many are of any source. */
static inline uint32_t mfc_anys(const struct mfcs *t)
{
	return t->count[MFC_KERNEL] + t->count[MFC_ASIDE];
}

/* 0, or -1 with ENOMEM; mfcs_free() is to be called in both cases. */
int mfcs_init(struct mfcs *t);
void mfcs_free(struct mfcs *t);

/* Place of the entry of one source and group, or HASH_NONE. */
uint32_t mfc_find(const struct mfcs *t, const struct flow *flow);

/* The same, but one that is not in is added in that state, with no VIF; HASH_NONE with ENOMEM. */
uint32_t mfc_get(struct mfcs *t, const struct flow *flow, enum mfc_state state);

/* The same two for an entry of any source of a group that comes in on a VIF; a new one is MFC_ASIDE. */
uint32_t mfc_find_any(const struct mfcs *t, const struct addr *group, int iif);
uint32_t mfc_get_any(struct mfcs *t, const struct addr *group, int iif);

/* True when the kernel has the entry of any source of a group on a VIF. */
bool mfc_has_any(const struct mfcs *t, const struct addr *group, int iif);

/* The VIFs of which it has one, as bits. */
uint32_t mfc_any_vifs(const struct mfcs *t, const struct addr *group);

/* What is noted of the entry's packets, all 0 at first.  Valid until an entry is added. */
struct mfc_use *mfc_use(struct mfcs *t, uint32_t at);

/* Forgets the entry at a place. */
void mfc_del(struct mfcs *t, uint32_t at);

/* Gives an entry that was used last at a time in ms a state, maybe the one it has.  One that is in a share has the last
 * place there, in the list of those that were used when its use->seen says so. */
void mfc_state(struct mfcs *t, uint32_t at, enum mfc_state state, int64_t now);

/* Notes the packets, low 32 bits, that an entry has at a time in ms: true when it was used since the last time. */
bool mfc_sample(struct mfcs *t, uint32_t at, uint32_t packets, int64_t now);

/* Puts a learned or blocked entry, whose iif is known, in the share of a template, HASH_NONE = of none. */
void mfc_share(struct mfcs *t, uint32_t at, uint32_t template);

/* Notes whether the entry goes out where it comes in, or would do so. */
void mfc_set_reflects(struct mfcs *t, uint32_t at, bool reflects);

/* Puts the entry on the dirty list.  0, or -1 with ENOMEM. */
int mfc_dirty(struct mfcs *t, uint32_t at);

/* Gives memory back when there are far fewer entries than there were, true then: the last ones get places before them.
 * Not while some are to be looked at. */
bool mfc_settle(struct mfcs *t);

/* Empties the dirty list when all of it has been looked at; no entry must be marked MFC_DIRTY any more. */
void mfc_clean(struct mfcs *t);

/* Makes room for n more entries, and hardly more than that when there are none yet.  0, or -1 with ENOMEM. */
int mfc_reserve(struct mfcs *t, uint32_t n);

/* "static", "kernel", "aside", "learned", "blocked". */
const char *mfc_state_str(enum mfc_state state);

#endif
