/* SPDX-License-Identifier: ISC
 *
 * Memberships that are reported again and again where nobody asks for them (phyint ... refresh), so that switches that
 * snoop keep them; and whether somebody asks, a querier.  The kernel itself answers queries, and says nothing on its
 * own after it has joined.  The messages are the kernel room's.
 */
#ifndef ROUTER_REFRESH_H
#define ROUTER_REFRESH_H

#include "router/state.h"

/* One interface in one family whose memberships are to be reported. */
struct refreshed {
	int ifindex;
	enum fam fam;
	unsigned sec;			/* between the beginnings of two rounds */
	bool is_alone;			/* no querier is heard: there are rounds */
	bool is_running;		/* a round is, which reports all memberships once */
	unsigned version;		/* of its reports */
	uint32_t place;			/* in the table of memberships, behind those that are left */
	int64_t next;			/* ms: when the next one begins */
	int64_t due;			/* ms: when there is something to do */
};

struct refresh {
	struct refreshed *v;
	uint32_t n, cap;
	bool up[FAM_N];			/* the family's socket is open */
	bool is_stale;			/* flags or lines changed */
};

/* NULL with ENOMEM. */
struct refresh *refresh_new(void);

/* Starts where phyint lines ask for it and the interface is up, ends where not any more. */
void refresh_sync(struct router *r);

/* When something is due, 0 = nothing is. */
int64_t refresh_due(const struct refresh *t);

/* Reports what is due: a bounded number of packets, the rest has its turn later. */
void refresh_tick(struct router *r);

/* A general query of a version came in, at r->now. */
void refresh_queried(struct router *r, enum fam fam, int ifindex, unsigned version);

/* The interface came up, or went down: queries that came in before tell nothing. */
void refresh_link(struct router *r, struct iface *i);

/* Whether a querier is heard on an interface: 1 yes, 0 no, -1 unknown, as nobody listens or not long enough. */
enum querier { QUERIER_UNKNOWN = -1, QUERIER_NONE, QUERIER_HEARD };
enum querier refresh_querier(const struct router *r, const struct iface *i, enum fam fam);

/* Closes the sockets: the daemon ends. */
void refresh_end(void);

/* Frees it, which may be NULL. */
void refresh_free(struct refresh *t);

#endif
