/* SPDX-License-Identifier: ISC
 *
 * Interfaces that pass on nothing, ports of a bridge among them: why, in words, and the commands that mend it.
 */
#ifndef APPLETS_DOCTOR_ADVISE_LINK_H
#define APPLETS_DOCTOR_ADVISE_LINK_H

#include "applets/doctor/advice.h"

#define ADVISE_WHY 192

/* Writes what keeps an interface from sending and receiving to why[ADVISE_WHY], and returns it: "is down", "" for
 * nothing that is seen here. */
const char *advise_link_trouble(const struct advice *r, const struct probe_link *l, char *why);

/* The same for a port of a bridge, and frames of a VLAN. */
const char *advise_link_port(const struct advice *r, const struct probe_link *bridge, const struct probe_link *port,
			     uint16_t vlan, char *why);

/* The bridge itself, when this host has no part in the VLAN, or else the first port that has such a trouble; NULL when
 * none has. */
const struct probe_link *advise_link_stuck(const struct advice *r, const struct probe_link *bridge, uint16_t vlan,
					   char *why);

/* Appends the commands that mend it, or show more of it. */
void advise_link_mend(struct advice *r, const struct probe_link *l);
void advise_link_port_mend(struct advice *r, const struct probe_link *bridge, const struct probe_link *port,
			   uint16_t vlan);

#endif
