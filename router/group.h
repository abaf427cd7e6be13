/* SPDX-License-Identifier: ISC
 *
 * Group memberships: what the mgroup lines of the conf come to on the interfaces
 * that are there, each (interface, S, G) once, and what the kernel said to it.
 * Sole caller of kernel_join() and kernel_leave().
 */
#ifndef ROUTER_GROUP_H
#define ROUTER_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/hash.h"

struct router;
struct mgroup;

struct member {
	struct addr source, group;	/* source all zero: any (ASM) */
	int ifindex;
	uint32_t refs;			/* mgroup lines that want it; next free place while free */
	uint32_t slot;			/* of kernel_join() */
	uint16_t err;			/* errno of the failed join, 0 = joined */
	bool used;			/* this place holds a membership */
	bool joined;
};

struct groups {
	struct member *v;
	uint32_t n, cap, free, live;
	uint32_t failed;		/* memberships with err set */
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
uint32_t group_line_find(const struct router *r, const struct mgroup *g);

/* Adds line g, which is not there yet, and joins it where its interface is.  The first failure is in
 * r->changes.err.  0, or -1 with ENOMEM and nothing done. */
int group_line_add(struct router *r, const struct mgroup *g);

/* Removes a line and leaves what no other line wants. */
void group_line_del(struct router *r, uint32_t line);

/* Brings the memberships of the interface ifindex, or of all with 0, in line with the conf: what stays is
 * not touched, what failed before is tried again. */
void groups_sync(struct router *r, int ifindex);

/* Leaves all that was joined on an interface that is gone. */
void groups_link_gone(struct router *r, int ifindex);

/* True when a membership is for any source. */
static inline bool member_is_asm(const struct member *m)
{
	return !(m->source.w[0] | m->source.w[1] | m->source.w[2] | m->source.w[3]);
}

#endif
