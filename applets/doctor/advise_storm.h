/* SPDX-License-Identifier: ISC
 *
 * Flows that multiply, or would: an output that is the input while this host is a member there, and packets that come
 * round again.
 */
#ifndef APPLETS_DOCTOR_ADVISE_STORM_H
#define APPLETS_DOCTOR_ADVISE_STORM_H

#include "applets/doctor/advice.h"

/* Appends what there is to say of a flow that comes in, with what mends it; true when an output that the rules ask for
 * gets none, or too many. */
bool advise_storm(struct advice *r);

#endif
