/* SPDX-License-Identifier: ISC
 *
 * Words for what keeps packets from getting to an entry: the wire, the packet filter before routing, the reverse path
 * filter, the source, the interface, the table.
 */
#ifndef APPLETS_DOCTOR_ADVISE_IN_H
#define APPLETS_DOCTOR_ADVISE_IN_H

#include "applets/doctor/advice.h"

/* Appends a cause of verdict_in(), with what mends it.  False when it is none after all: a rule wants it so. */
bool advise_in(struct advice *r, const struct loss *l);

/* Appends that they are another flow behind the packet filter; l = NULL: which is routed, so that nothing is lost. */
void advise_in_changed(struct advice *r, const struct loss *l);

#endif
