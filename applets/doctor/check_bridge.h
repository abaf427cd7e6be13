/* SPDX-License-Identifier: ISC
 *
 * Check of the bridges that a configuration uses, for a family: do they know who wants a group, and do they hand it to
 * this host where rules wait for it.  Adds to h->found.
 */
#ifndef APPLETS_DOCTOR_CHECK_BRIDGE_H
#define APPLETS_DOCTOR_CHECK_BRIDGE_H

#include "applets/doctor/host.h"

void check_bridges(struct host *h, const struct host_fam *k);

#endif
