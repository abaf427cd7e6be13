/* SPDX-License-Identifier: ISC
 *
 * Group memberships: what the joins among the rules come to on the interfaces that are there, each (interface, S, G)
 * once, and what the kernel said to it.  A few are joined and left at once; of many, the rest is queued and done in
 * slices, as for each of them Linux looks through all of the interface or socket (net/ipv6/mcast.c).
 */
#ifndef ROUTER_GROUP_H
#define ROUTER_GROUP_H

#include "router/state.h"

struct member {
	struct flow flow;		/* source all zero: any (ASM) */
	int ifindex;
	uint32_t refs;			/* joins that want it */
	uint32_t slot;			/* what kernel_join() gave, for kernel_leave() */
	uint32_t next;			/* in the queue */
	uint32_t next_free;		/* while this place holds no membership */
	uint16_t err;			/* errno of the failed join, 0 = it did not fail */
	bool used;			/* this place holds a membership */
	bool joined;
	bool gone;			/* so is the interface that it was joined on */
	bool queued;
};

struct groups {
	struct member *v;
	uint32_t n, cap, free, live;
	uint32_t failed;		/* memberships with err set */
	uint32_t head, tail;		/* queue of those to be joined or left */
	uint64_t queued, done;		/* that ever came into it, and out of it */
	uint32_t slice;			/* that may be joined or left before others have their turn */
	struct hash by_member;		/* (S, G, ifindex) */
	bool stale;			/* all interfaces are to be looked at */
	bool some_stale;		/* some are: see iface.groups_stale */
	bool is_left;			/* the kernel let go of one too little: it is tried again */
};

/* NULL with ENOMEM. */
struct groups *groups_new(void);
void groups_free(struct groups *t);

/* Adds a join, which is not there yet, and joins what it means now.  0, or -1 with ENOMEM and nothing done. */
int group_join(struct router *r, const struct ifname *iif, const struct flow_range *range);

/* Tries again what of a join has failed. */
void group_retry(struct router *r, uint32_t join);

/* Removes a join, and leaves what no other one wants. */
void group_leave(struct router *r, uint32_t join);

/* What the memberships of a join, be it there or not, came to. */
struct group_count {
	uint32_t joined, failed, waiting;	/* waiting: to be joined or left */
	int err;				/* errno of one that failed */
};
struct group_count group_count(struct router *r, const struct ifname *iif, const struct flow_range *range);

/* Brings the memberships of the interfaces that are marked stale in line with the joins: what stays is not touched,
 * what failed before is tried again. */
void groups_sync(struct router *r);

/* Joins and leaves a slice of what is queued. */
void groups_tick(struct router *r);

/* Leaves all that was joined on an interface that is gone. */
void groups_link_gone(struct router *r, int ifindex);

/* Gives memory back when there are far fewer memberships than there were, true then.  Places are others then. */
bool groups_settle(struct groups *t);

/* A number for all the work that is queued, 0 when none is; and whether that has been done. */
static inline uint64_t groups_ticket(const struct groups *t)
{
	return t->done == t->queued ? 0 : t->queued;
}
static inline bool groups_done(const struct groups *t, uint64_t ticket)
{
	return t->done >= ticket;
}

/* True when a membership is for any source. */
bool member_is_asm(const struct member *m);

#endif
