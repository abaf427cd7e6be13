/* SPDX-License-Identifier: ISC
 *
 * Tells, as events, that rules begin and cease to wait for an interface, each
 * once.  What rules mean is bind.c's business.
 */
#ifndef ROUTER_PENDING_H
#define ROUTER_PENDING_H

#include "router/router.h"

/* Tells of one rule when that is news.  After router_sync() has looked at what it names. */
void pending_tell(struct router *r, uint32_t id);

/* Takes what was told of r->conf over to the conf of x, which comes in its place. */
void pending_keep(struct router *r, const struct rules *x);

#endif
