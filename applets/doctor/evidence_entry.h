/* SPDX-License-Identifier: ISC
 *
 * What entries counted between the samples, and what came in beside that.
 */
#ifndef APPLETS_DOCTOR_EVIDENCE_ENTRY_H
#define APPLETS_DOCTOR_EVIDENCE_ENTRY_H

#include "applets/doctor/sample.h"

/* Packets that came in on its interface, each once. */
uint64_t evidence_entry_routed(const struct doctor *d, const struct watched *w);

/* Packets that came in on an interface and were not routed from there, with is_all those that were as well, of whatever
 * group; drivers that count no multicast count all packets.  Chatter of neighbours (IGMP, MLD, mDNS) is among them. */
uint64_t evidence_entry_unrouted(const struct doctor *d, const struct probe_link *l, bool is_all);
#define EVIDENCE_CHATTER(d) ((d)->seconds + 5u)

/* Where packets that nobody saw come in, when it is not where their entry waits: the only interface that had so many
 * others, or 0. */
int evidence_entry_guess(const struct doctor *d, const struct watched *w, uint64_t wrong);

#endif
