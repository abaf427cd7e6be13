/* SPDX-License-Identifier: ISC
 *
 * What the rules have to do with it that a flow is not sent on: those in force, of a router that answers, and those of
 * the file.
 */
#ifndef APPLETS_DOCTOR_ADVISE_WHY_H
#define APPLETS_DOCTOR_ADVISE_WHY_H

#include "applets/doctor/advice.h"

/* WANTED: a rule stops it.  CAUSE: a rule waits, is disabled, was not reloaded, has a slip. */
enum why { WHY_NOTHING, WHY_WANTED, WHY_CAUSE };

/* Appends what is found of a flow that has no output, or no entry here; how many packets that are is in l. */
enum why advise_why(struct advice *r, const struct loss *l);

/* Appends a warning of each output that the rules for a flow name beyond those of its entry. */
void advise_why_partly(struct advice *r);

#endif
