/* SPDX-License-Identifier: ISC
 *
 * What the evidence means, in words, with the commands that mend it, ready to paste.
 */
#ifndef APPLETS_DOCTOR_ADVISE_H
#define APPLETS_DOCTOR_ADVISE_H

#include "applets/doctor/evidence.h"

/* What came of the flows so far. */
struct advise_sum {
	unsigned fine;		/* forwarded to all outputs */
	unsigned bad;		/* a cause was found */
	unsigned stopped;	/* by a rule that says so */
	unsigned unsure;	/* what becomes of it is hidden */
	unsigned stray;		/* come in where only outputs are, without a rule */
};

/* Appends what becomes of a flow that moved, with what mends it, and counts it. */
void advise_flow(struct doctor *d, const struct evidence_flow *x, struct advise_sum *a);

/* The same for a group that no router forwards. */
void advise_link_local(struct doctor *d);

#endif
