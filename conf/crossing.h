/* SPDX-License-Identifier: ISC
 *
 * Warnings about rules without "to" and about pairs of which neither lies inside the other.  A range of sources beside
 * a range of groups: for the packets of both the outputs add up, and a rule without outputs among the two stops them.
 * So it is with a wildcard and an interface of its for the same packets.  And a rule without "to" that no other rule
 * has anything to do with: something was forgotten.
 */
#ifndef CONF_CROSSING_H
#define CONF_CROSSING_H

#include "conf/overlap.h"

/* False when memory ran out. */
bool crossing_warn(struct overlap *o);

#endif
