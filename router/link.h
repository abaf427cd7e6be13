/* SPDX-License-Identifier: ISC
 *
 * Interfaces that come, change and go, as rtnetlink tells it.
 */
#ifndef ROUTER_LINK_H
#define ROUTER_LINK_H

#include "router/state.h"

/* Takes in what rtnetlink says; router_sync() must follow at the end of the batch. */
void router_link_event(struct router *r, const struct link_event *ev);

/* Takes over what phyint lines say of an interface. */
void link_configure(struct router *r, struct iface *i);

#endif
