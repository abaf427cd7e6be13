/* SPDX-License-Identifier: ISC
 *
 * The time between the two samples of sample.h, and the packets that pass meanwhile.
 */
#ifndef APPLETS_DOCTOR_OBSERVE_H
#define APPLETS_DOCTOR_OBSERVE_H

#include "applets/doctor/sample.h"

/* Takes both samples of n doctors, at most one a family, and the packets between: d[0]->seconds apart, or less when
 * SIGINT or SIGTERM comes: then seconds is what it was, with the one that had begun.  0, or -1 with errno; in either
 * case sample_free() ends it. */
int observe_take(struct doctor *const *d, unsigned n);

#endif
