/* SPDX-License-Identifier: ISC
 *
 * A configuration takes the place of the live rules.
 */
#ifndef ROUTER_APPLY_H
#define ROUTER_APPLY_H

#include "conf/conf.h"
#include "router/state.h"

/* Makes the live rules those of a configuration, of which nothing is kept, and marks what differs.  Rules that are the
 * same but for their outputs become one with the outputs of all.  0, or -1 and nothing changed: with ENOMEM, or with
 * ENOSPC when the names that are live and those of c are together more than there are numbers for. */
int apply_conf(struct router *r, const struct conf *c);

#endif
