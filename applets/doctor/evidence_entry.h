/* SPDX-License-Identifier: ISC
 *
 * What the entry of a flow counted between the samples.
 */
#ifndef APPLETS_DOCTOR_EVIDENCE_ENTRY_H
#define APPLETS_DOCTOR_EVIDENCE_ENTRY_H

#include "applets/doctor/sample.h"

/* Packets that came in on its interface, each once. */
uint64_t evidence_entry_routed(const struct doctor *d, const struct watched *w);

#endif
