/* SPDX-License-Identifier: ISC
 *
 * From two samples to differences for each flow: which counters of VIFs and of the host are its own, as far as that can
 * be known, and on which interface it arrives.
 */
#ifndef APPLETS_DOCTOR_DIFF_H
#define APPLETS_DOCTOR_DIFF_H

#include "applets/doctor/sample.h"

/* Fills in the differences of all flows.  Once, after sample_take(). */
void diff_flows(struct doctor *d);

/* Then makes d->unknown what the counters alone say, for when no flow can be seen: a guess. */
void diff_guess(struct doctor *d);

/* Asks the packet filter about a flow that comes in on iif (0 = not known): before it is routed, or on its way to each
 * output of its entry.  Returns how many chains drop it, or might.  With f only those that surely do, else those that
 * might, and what mends each is appended. */
unsigned diff_judge(const struct doctor *d, const struct sample_flow *w, int iif, bool before, struct findings *f);

#endif
