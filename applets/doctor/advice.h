/* SPDX-License-Identifier: ISC
 *
 * One flow while words are found for it: what the files advise*.c share.
 */
#ifndef APPLETS_DOCTOR_ADVICE_H
#define APPLETS_DOCTOR_ADVICE_H

#include "applets/doctor/evidence.h"
#include "applets/doctor/remedy.h"

typedef unsigned long long ull;

struct advice {
	struct doctor *d;
	struct findings *f;
	const struct evidence_flow *x;
	const struct probe_link *in;		/* where it arrives, NULL when not known */
	const char *in_name;			/* or words for it */
	enum fam fam;
	const struct host_fam *k;		/* of this host */
	const char *reload;			/* "smcroutectl reload" for this daemon */
	char group[ADDR_STRLEN];
	char flow[FLOW_STRLEN];			/* "(S, G)" */
	char src[ADDR_STRLEN];			/* "" when not known */
	char in_word[REMEDY_WORD];		/* its name for a shell, or any */
	const char *outs;			/* "eth1, eth2", the outputs that a cause is about */
	char came[64 + FLOW_STRLEN + KERNEL_IFNAME + 16];	/* of advice_came() */
	char count[64];				/* "N packets", or "N of M packets", of advice_count() */
};

/* Fills in what is known of a flow. */
void advice_begin(struct advice *r, struct doctor *d, const struct evidence_flow *x);

/* True when the router that runs here is none of ours, or one that does not show and has no client. */
bool advice_is_foreign(const struct doctor *d);

/* The command that shows packets of the group, with their MAC addresses and TTL, on an interface or `any`: a word for a
 * shell. */
void advice_tcpdump(const struct advice *r, const char *on);

/* The command that has root look. */
void advice_root(const struct advice *r);

/* Writes to r->count how many packets are lost of how many, and returns it. */
const char *advice_count(struct advice *r, const struct loss *l);

/* The same in r->came as "N packets of (S, G) came in on eth0". */
const char *advice_came(struct advice *r, const struct loss *l);

#endif
