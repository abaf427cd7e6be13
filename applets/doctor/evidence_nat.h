/* SPDX-License-Identifier: ISC
 *
 * Packets that leave with other addresses than they came in with, as NAT gives them.
 */
#ifndef APPLETS_DOCTOR_EVIDENCE_NAT_H
#define APPLETS_DOCTOR_EVIDENCE_NAT_H

#include "applets/doctor/passage.h"

/* Packets to the group of a flow, and its port, that leave by an output from a source that never came in: *source.  0
 * where no rule of this host changes sources. */
uint64_t evidence_translated(const struct doctor *d, const struct passage *a, struct addr *source);

/* True when a rule of this host gives packets other addresses before they are routed: *as is the flow that the router
 * sees.  Where rules cannot be read: a flow of the group that it has from there, and that never came in. */
bool evidence_changed(const struct doctor *d, const struct passage *a, struct flow *as);

#endif
