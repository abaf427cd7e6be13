/* SPDX-License-Identifier: ISC
 *
 * Words for what keeps packets from leaving by an output: TTL, MTU, the packet filter, the interface, what is behind
 * it.
 */
#ifndef APPLETS_DOCTOR_ADVISE_OUT_H
#define APPLETS_DOCTOR_ADVISE_OUT_H

#include "applets/doctor/advice.h"

/* Appends a cause of verdict_out(), with what mends it, for the outputs that r->outs names, o one of them. */
void advise_out(struct advice *r, const struct evidence_out *o, const struct loss *l);

/* Appends that a flow which does not get as far as an output has a TTL of 1 besides. */
void advise_out_ttl_too(struct advice *r);

#endif
