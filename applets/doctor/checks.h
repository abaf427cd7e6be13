/* SPDX-License-Identifier: ISC
 *
 * `smcroute-check -H`: the table of checks, run one after the other over one look at this host, and those of what the
 * machine allows at all: the kernel's features, our rights, who holds the routing sockets, limits of memberships.
 */
#ifndef APPLETS_DOCTOR_CHECKS_H
#define APPLETS_DOCTOR_CHECKS_H

#include "applets/doctor/host.h"

/* Runs all checks over a host that was looked at; each adds to h->found. */
void checks_run(struct host *h);

/* Looks at this host and prints what was found.  n files, a missing one is no matter when it is the default
 * (is_standard).  The exit status: 0 nothing but notes, 1 findings, 78 errors in a file, 71. */
int checks_main(char **files, int n, bool is_standard, enum form form);

#endif
