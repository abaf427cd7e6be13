/* SPDX-License-Identifier: ISC
 *
 * Entries that put out far more than came in: their packets come back by a way that nobody knows of, as reflect.h
 * holds back what would come back by the known one.  Looked for once a minute, and only among entries that go out
 * where they come in.
 */
#ifndef ROUTER_STORM_H
#define ROUTER_STORM_H

#include "router/state.h"

void storm_free(struct storm *t);

/* When storm_tick() is to be called next, in ms; 0 = no need. */
int64_t storm_due(const struct router *r);

/* Takes the next samples when they are due, logs and counts what they mean. */
void storm_tick(struct router *r);

#endif
