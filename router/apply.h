/* SPDX-License-Identifier: ISC
 *
 * A configuration takes the place of the live rules, in slices: packets, links and all who look at rules come in
 * between.  Whoever changes rules has to wait until it is done.
 */
#ifndef ROUTER_APPLY_H
#define ROUTER_APPLY_H

#include "conf/conf.h"
#include "router/state.h"

/* Prepares to make the live rules those of a configuration, which must stay until they are.  Rules that are the same
 * but for their outputs become one with the outputs of all.  NULL with ENOMEM. */
struct apply;
struct apply *apply_new(struct router *r, const struct conf *c);

/* Goes on with some n lines or rules.  What is live changes in one step, which marks what differs. */
enum apply_step {
	APPLY_MORE,		/* to do */
	APPLY_SWITCHED,		/* the same, and just now the new rules came into force */
	APPLY_DONE,
	APPLY_FAILED,		/* nothing was changed: with ENOMEM, or with ENOSPC when the names that are live and
				 * those of the configuration are together more than there are numbers for */
};
enum apply_step apply_step(struct apply *a, uint32_t n);

/* Frees its memory when it is done or has failed; or when the rules are freed next. */
void apply_free(struct apply *a);

#endif
