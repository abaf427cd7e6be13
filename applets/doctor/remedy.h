/* SPDX-License-Identifier: ISC
 *
 * What is wrong with the way of a packet, and the commands against it: shared by
 * -H, which asks for all rules of a configuration, and doctor, which asks for
 * one flow.  Commands are added to the last finding.
 */
#ifndef APPLETS_DOCTOR_REMEDY_H
#define APPLETS_DOCTOR_REMEDY_H

#include "applets/doctor/host.h"

/* True when the reverse path filter of an interface refuses a source, with the reason in
 * why[RP_WHY]; false when it does not, or cannot be seen.  *r is the route back. */
#define RP_WHY 64
bool cure_rp_refuses(const struct host *h, const struct probe_link *in, const struct addr *src,
		     struct probe_route *r, char *why);

/* The command that lets the source, or prefix, in; src = NULL: any source. */
void cure_rp_filter(struct host *h, const struct probe_link *in, const struct addr *src,
		    uint8_t slen, const struct probe_route *r);

/* "ip link set dev NAME WHAT" */
void cure_link(struct findings *f, const char *name, const char *what);

/* The command that makes a chain accept the packet. */
void cure_chain(struct findings *f, const struct probe_chain *c, const struct probe_packet *p,
		uint8_t glen);

/* The command that leads packets of an interface to a table. */
void cure_table(struct findings *f, enum fam fam, const char *iif, uint32_t table);

/* True when an interface name can stand between double quotes in a rule of nft. */
bool cure_nft_name(const char *name);

/* True when a word is in a list of words, each ended by NUL. */
bool cure_among(const char *word, const char *list);

/* What stands behind the "ip" of tools and keywords of a family: "ip%stables". */
extern const char cure_six[FAM_N][2];

#endif
