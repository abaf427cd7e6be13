/* SPDX-License-Identifier: ISC
 *
 * Checks of the way that packets of the configured rules would take: the table they are looked up in, the reverse path
 * filter, the packet filter.  Each adds to h->found.
 */
#ifndef APPLETS_DOCTOR_CHECK_PATH_H
#define APPLETS_DOCTOR_CHECK_PATH_H

#include "applets/doctor/host.h"

void check_tables(struct host *h, const struct host_fam *k);
void check_rp_filter(struct host *h);
void check_firewall(struct host *h);

#endif
