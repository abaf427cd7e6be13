/* SPDX-License-Identifier: ISC
 *
 * `smcroute-check doctor [GROUP]`: watches the counters of this host for a while and says where the packets of that
 * group end.  Needs no daemon and no root; what it could not see it says.
 */
#ifndef APPLETS_DOCTOR_DOCTOR_H
#define APPLETS_DOCTOR_DOCTOR_H

#include "applets/doctor/finding.h"

/* Runs `doctor [GROUP] [SECONDS] [FILE]`: n words.  The exit status: 0 it is forwarded, 1 a cause was found why not, 2
 * nothing can be said for sure, 64 wrong words, 71. */
int doctor_main(char **words, int n, enum form form);

#endif
