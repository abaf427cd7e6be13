/* SPDX-License-Identifier: ISC
 *
 * The pass that makes the kernel match what is wanted.
 */
#ifndef ROUTER_SYNC_H
#define ROUTER_SYNC_H

#include "router/state.h"

/* Looks at all that was marked since the last pass.  Errors are counted in r->changes and logged. */
void router_sync(struct router *r);

#endif
