/* SPDX-License-Identifier: ISC
 *
 * The engine from its beginning to its end: what an applet calls.  Reports of the
 * kernel come in through learn.h and link.h.
 */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include "conf/conf.h"
#include "router/adopt.h"
#include "router/change.h"
#include "router/group.h"
#include "router/learn.h"
#include "router/link.h"
#include "router/mrdisc.h"
#include "router/refresh.h"
#include "router/state.h"
#include "router/sync.h"

/* Makes an empty state.  0, or -1 with ENOMEM; router_free() is to be called in both cases. */
int router_init(struct router *r, const struct router_ops *ops, void *ctx);

/* Tells that the routing socket of a family is open, or closed. */
void router_family(struct router *r, enum fam fam, bool up);

/* Tells, in words for people, who else has a family: "" when nobody does or that is not known. */
void router_family_lacks(struct router *r, enum fam fam, const char *why);

/* Removes all entries, VIFs and memberships from the kernel.  What is known of them stays until router_free(). */
void router_shutdown(struct router *r);

/* Frees everything and leaves the kernel as it is. */
void router_free(struct router *r);

/* Puts a configuration, of which nothing is kept, in the place of the present rules and brings the kernel in line.
 * r->changes tells what that was.  0, or -1 with ENOMEM or ENOSPC and nothing changed: see apply.h. */
int router_apply(struct router *r, const struct conf *c, int64_t now);

/* The same in slices: begins, 0 or -1 with ENOMEM, and goes on with n lines or rules.  1 while there is more to do; c
 * must stay until then.  Meanwhile the old rules hold; nobody may change them, see router_is_busy(). */
int router_apply_begin(struct router *r, const struct conf *c);
int router_apply_step(struct router *r, uint32_t n, int64_t now);

/* When router_tick() is to be called next, in ms; 0 = no need. */
int64_t router_due(const struct router *r);

/* Does what is due: a slice of the expiry pass and of the memberships, advertisements, reports. */
void router_tick(struct router *r, int64_t now);

/* Removes learned and blocked entries, a slice of them: true while there is more to do, by another call.  *flush is
 * zero at first. */
struct router_flush {
	uint32_t place;			/* in the mirror, behind those that are left; 0 at first */
	uint32_t entries;		/* removed so far */
	uint32_t failed;		/* those that the kernel refused to remove */
	int err;			/* errno of the last of these, for who counts them himself */
};
bool router_flush(struct router *r, struct router_flush *flush);

#endif
