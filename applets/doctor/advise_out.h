/* SPDX-License-Identifier: ISC
 *
 * Words for what keeps packets from leaving by an output: TTL, MTU, the packet filter, the interface, what is behind
 * it.
 */
#ifndef APPLETS_DOCTOR_ADVISE_OUT_H
#define APPLETS_DOCTOR_ADVISE_OUT_H

#include "applets/doctor/advice.h"

/* Appends a cause of verdict_out(), with what mends it. */
void advise_out(struct advice *r, const struct evidence_out *o, const struct loss *l);

#endif
