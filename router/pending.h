/* SPDX-License-Identifier: ISC
 *
 * Reports, as events, that routes begin and cease to wait for an interface, each once.
 */
#ifndef ROUTER_PENDING_H
#define ROUTER_PENDING_H

#include "router/state.h"

/* Reports of one route when that is news.  For use when its names are bound: after router_sync(). */
void pending_report(struct router *r, uint32_t id);

#endif
