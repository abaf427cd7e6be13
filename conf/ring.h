/* SPDX-License-Identifier: ISC
 *
 * Warnings about rules that send packets back to where they come from: from a to b and from b to a, or from a to b,
 * from b to c and from c to a.  Both directions are often meant; where the networks meet elsewhere too it is a loop.
 */
#ifndef CONF_RING_H
#define CONF_RING_H

#include "conf/overlap.h"

/* False when memory ran out. */
bool ring_warn(struct overlap *o);

#endif
