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

/* How many packets came of a flow that was not seen to come in, of which its entry counted so many, and which was seen
 * to leave; else 0.  So it is of what this host sends itself, which goes to the entry as if it came in where it leaves
 * (ip_mc_output()), and of what it gives other addresses.  The entry counts longer than packets are seen: where some
 * interface sent all of it that are as many as that one sent. */
uint64_t evidence_made_here(const struct doctor *d, const struct watched *w, uint64_t routed);

#endif
