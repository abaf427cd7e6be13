/* SPDX-License-Identifier: ISC
 *
 * Learned and blocked entries end when no packet of theirs has come for a while (option -c).
 */
#ifndef ROUTER_EXPIRE_H
#define ROUTER_EXPIRE_H

#include "router/state.h"

/* Does a slice of the pass over all learned and blocked entries, when one is due; the next is due at r->pass_due. */
void expire_tick(struct router *r);

#endif
