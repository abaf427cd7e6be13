/* SPDX-License-Identifier: ISC
 *
 * Checks of what this machine allows at all: the kernel's features, our rights, who holds the routing sockets, limits
 * of memberships.  Each adds to h->found.
 */
#ifndef APPLETS_DOCTOR_CHECK_KERNEL_H
#define APPLETS_DOCTOR_CHECK_KERNEL_H

#include "applets/doctor/host.h"

void check_kernel(struct host *h, const struct host_fam *k);
void check_rights(struct host *h);
void check_holder(struct host *h, const struct host_fam *k);
void check_memberships(struct host *h);

#endif
