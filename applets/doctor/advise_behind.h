/* SPDX-License-Identifier: ISC
 *
 * Notes on outputs that get their packets: what becomes of them behind, and what of that cannot be seen.
 */
#ifndef APPLETS_DOCTOR_ADVISE_BEHIND_H
#define APPLETS_DOCTOR_ADVISE_BEHIND_H

#include "applets/doctor/advice.h"

/* Bit n of outs is the output n of the evidence. */
void advise_behind(struct advice *r, uint32_t outs);

/* The same for receivers that get a flow without this router, on the bridge where it comes in. */
void advise_behind_bridged(struct advice *r);

#endif
