/* SPDX-License-Identifier: ISC
 *
 * What bridges had of a flow, on the way out and on the way in: a part of evidence.h.
 */
#ifndef APPLETS_DOCTOR_EVIDENCE_BRIDGE_H
#define APPLETS_DOCTOR_EVIDENCE_BRIDGE_H

#include "applets/doctor/sample.h"
#include "applets/doctor/verdict.h"

/* Sets the part of an output's evidence that is about the bridge which it sends into; is_seen: the packets were. */
void evidence_bridge_out(const struct doctor *d, const struct watched *w, bool is_seen, struct evidence_out *o);

/* Sets what keeps a flow that was seen on a port of a bridge from the interface `in` above it; what filters do with it
 * before the IP stack (e->ingress) is known. */
void evidence_bridge_in(const struct doctor *d, const struct watched *w, int port, int in, struct evidence *e);

/* The interface that frames of one below it, with the tag of a VLAN or 0 = none, are for: what routes of the bridge
 * that it is a port of and what stands on that, or on itself; else that bridge, or itself. */
int evidence_bridge_above(const struct doctor *d, const struct probe_link *below, uint16_t tag);

#endif
