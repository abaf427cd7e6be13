/* SPDX-License-Identifier: ISC
 *
 * Words for a group of which no packet got as far as it can be seen from here.
 */
#ifndef APPLETS_DOCTOR_ADVISE_NONE_H
#define APPLETS_DOCTOR_ADVISE_NONE_H

#include "applets/doctor/advise.h"

/* Appends why, and counts it. */
void advise_none(struct doctor *d, struct advise_sum *a);

#endif
