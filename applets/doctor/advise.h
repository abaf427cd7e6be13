/* SPDX-License-Identifier: ISC
 *
 * What a verdict means for the flow at hand, in words, and the commands that mend it, ready to paste.
 */
#ifndef APPLETS_DOCTOR_ADVISE_H
#define APPLETS_DOCTOR_ADVISE_H

#include "applets/doctor/sample.h"

/* Appends the verdict on a flow, whose differences are filled in, to the findings, with what mends it. */
enum verdict advise_flow(struct doctor *d, const struct sample_flow *w);

/* The same for a group that no router forwards. */
void advise_link_local(struct doctor *d);

#endif
