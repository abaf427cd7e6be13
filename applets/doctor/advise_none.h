/* SPDX-License-Identifier: ISC
 *
 * Words for a group of which no packet got as far as it can be seen from here.
 */
#ifndef APPLETS_DOCTOR_ADVISE_NONE_H
#define APPLETS_DOCTOR_ADVISE_NONE_H

#include "applets/doctor/advice.h"
#include "applets/doctor/advise.h"

/* Where nothing arrives. */
#define ADVISE_LOOK "look at the sender, its TTL, and the switches between"

/* Appends why, and counts it. */
void advise_none(struct doctor *d, struct advise_sum *a);

/* Without rights, where packets of the group flow: what else of it may be lost. */
void advise_none_beside(struct doctor *d);

/* True when no router runs here: appends that. */
bool advise_none_router(struct advice *r);

/* True when something surely keeps packets from an entry where they come in by an interface: appends what. */
bool advise_none_obstacle(struct advice *r, const struct probe_link *l);

#endif
