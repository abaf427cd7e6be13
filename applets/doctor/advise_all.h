/* SPDX-License-Identifier: ISC
 *
 * Which flows matter, of a group and when all groups are watched, and rules that none came for.
 */
#ifndef APPLETS_DOCTOR_ADVISE_ALL_H
#define APPLETS_DOCTOR_ADVISE_ALL_H

#include "applets/doctor/advise.h"

/* True when a rule, in force or of the file, is for a flow where it comes in.  Marks those in force, by their number.
 * */
bool advise_all_concerns(struct doctor *d, const struct evidence_flow *x, bool *is_used);

/* Appends a note of a flow that nobody asked for, beside others that are forwarded. */
void advise_all_unasked(struct doctor *d, const struct evidence_flow *x);

/* Appends what there is to say of each rule of the family that is not marked, as nothing came for it.  The number of
 * those where it is known why. */
unsigned advise_all_idle(struct doctor *d, const bool *is_used);

#endif
