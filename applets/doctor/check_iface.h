/* SPDX-License-Identifier: ISC
 *
 * Checks of the interfaces that a configuration names, and of what the router has made of them.  Each adds to h->found.
 */
#ifndef APPLETS_DOCTOR_CHECK_IFACE_H
#define APPLETS_DOCTOR_CHECK_IFACE_H

#include "applets/doctor/host.h"

void check_interfaces(struct host *h);
void check_bridges(struct host *h);
void check_vifs(struct host *h, const struct host_fam *k);
void check_allmulti(struct host *h, const struct host_fam *k);

#endif
