/* SPDX-License-Identifier: ISC
 *
 * Who hears of what the router reports: the journal, the hook, and clients that follow.
 */
#ifndef APPLETS_EVENTS_H
#define APPLETS_EVENTS_H

#include "applets/state.h"

/* Tells an event to all of them; for struct router_ops, whose ctx is the daemon. */
void events_tell(void *d, const struct event *ev);

/* Tells the hook that the configuration is in force. */
void events_reloaded(struct daemon *d);

#endif
