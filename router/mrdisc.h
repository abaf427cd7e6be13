/* SPDX-License-Identifier: ISC
 *
 * Multicast router discovery (RFC 4286): on which interfaces this router says that it is there, when, and when it
 * takes that back.  The messages themselves are the kernel room's.
 */
#ifndef ROUTER_MRDISC_H
#define ROUTER_MRDISC_H

#include "router/state.h"

/* One interface in one family that is being advertised on. */
struct adv {
	int ifindex;
	enum fam fam;
	bool down;			/* it was, and may be up again before anybody looks */
	bool failed;			/* the last one could not be sent: no address perhaps */
	unsigned sent;			/* advertisements so far */
	int64_t due;			/* ms: the next one */
	int64_t last;			/* ms: the last message of any kind */
};

struct mrdisc {
	struct adv *v;
	uint32_t n, cap;
	bool up[FAM_N];			/* the family's socket is open */
	bool stale;			/* flags, VIFs or lines changed */
	unsigned interval;		/* -m, seconds */
	uint32_t rnd;			/* state of the jitter */
};

/* NULL with ENOMEM. */
struct mrdisc *mrdisc_new(void);

/* Starts where phyint lines ask for it and the interface routes, ends where not any more; the end is
 * told on the wire while the interface is there. */
void mrdisc_sync(struct router *r);

/* When the next one is due, 0 = none is. */
int64_t mrdisc_due(const struct mrdisc *m);

/* Sends what is due. */
void mrdisc_tick(struct router *r);

/* Answers a solicitation, no faster than the RFC allows. */
void mrdisc_solicited(struct router *r, enum fam fam, int ifindex);

/* The interface went down: once it is up, mrdisc_sync() begins anew.  Or an address of it changed: what could
 * not be sent is tried again. */
void mrdisc_link(struct router *r, int ifindex, bool down);

/* Takes everything back and closes the sockets: the daemon ends.  r->mrdisc may be NULL. */
void mrdisc_end(struct router *r);

/* Frees it, which may be NULL, without a word on the wire. */
void mrdisc_free(struct mrdisc *m);

#endif
