/* SPDX-License-Identifier: ISC
 *
 * Group memberships: what the mgroup lines of the conf come to on the interfaces
 * that are there, each (interface, S, G) once, and what the kernel said to it.
 * A few are joined and left at once; of many, the rest is queued and done in
 * slices.  Sole caller of kernel_join() and kernel_leave().
 */
#ifndef ROUTER_GROUP_H
#define ROUTER_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/flow.h"
#include "lib/hash.h"

struct router;
struct conf_rule;

struct member {
	struct flow flow;		/* source all zero: any (ASM) */
	int ifindex;
	uint32_t refs;			/* mgroup lines that want it; next free place while free */
	uint32_t slot;			/* of kernel_join() */
	uint32_t next;			/* in the queue */
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
	struct hash by_sg;		/* (S, G, ifindex) */
	struct hash by_line;		/* mgroup lines of the conf: (S/LEN, G/LEN, iif) */
	uint32_t removed;		/* mgroup lines of the conf that were removed */
	bool stale;			/* all interfaces are to be looked at */
	bool some_stale;		/* some are: see iface.groups_stale */
};

void groups_init(struct groups *t);
void groups_free(struct groups *t);

/* Indexes the mgroup lines of r->conf anew; the same line twice is one.  0, or -1 with ENOMEM. */
int groups_index(struct router *r);

/* The line with exactly these values, or HASH_NONE. */
uint32_t group_line_find(const struct router *r, const struct conf_rule *g);

/* Adds line g, which is not there yet.  0, or -1 with ENOMEM and nothing done. */
int group_line_add(struct router *r, const struct conf_rule *g);

/* Tries again what of a line has failed. */
void group_line_retry(struct router *r, uint32_t line);

/* Removes a line, and what no other line wants. */
void group_line_del(struct router *r, uint32_t line);

/* What the memberships of a line, be it there or not, came to. */
struct group_count {
	uint32_t joined, failed, waiting;	/* waiting: to be joined or left */
	int err;				/* errno of one that failed */
};
void group_line_count(struct router *r, const struct conf_rule *g, struct group_count *out);

/* Starts a new slice. */
void groups_begin(struct groups *t);

/* Brings the memberships of the interface ifindex, or of all with 0, in line with the conf: what stays is
 * not touched, what failed before is tried again. */
void groups_sync(struct router *r, int ifindex);

/* Joins and leaves a slice of what is queued. */
void groups_tick(struct router *r);

/* Leaves all that was joined on an interface that is gone. */
void groups_link_gone(struct router *r, int ifindex);

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
static inline bool member_is_asm(const struct member *m)
{
	return !(m->flow.source.w[0] | m->flow.source.w[1] | m->flow.source.w[2] | m->flow.source.w[3]);
}

#endif
