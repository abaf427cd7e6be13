/* SPDX-License-Identifier: ISC
 *
 * Where the packets of a flow end.  Pure: evidence goes in, causes come out.  A packet passes stations: the wire, the
 * IP stack, the entry, and for each output its VIF, the packet filter and the driver.  At each it is counted, exactly
 * where the packets themselves are seen, else between bounds that the counters of this host allow.  A cause is the
 * first station where surely fewer go on than came; from what other flows did nothing is concluded.
 */
#ifndef APPLETS_DOCTOR_VERDICT_H
#define APPLETS_DOCTOR_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernel.h"

enum verdict {
	VERDICT_FINE,		/* forwarded */
	VERDICT_NOTHING,	/* nothing arrives here */
	VERDICT_TTL,		/* TTL not above what the output asks for */
	VERDICT_TTL_CHANGED,	/* the same, but it came in with more */
	VERDICT_ROUTE,		/* this host has no way to send to the group by the output */
	VERDICT_IPSEC,		/* a policy of IPsec keeps it from leaving */
	VERDICT_MTU,		/* too large for the output, and not to be fragmented */
	VERDICT_RP_FILTER,	/* refused by the reverse path filter */
	VERDICT_WRONG_IIF,	/* comes in on another interface than the entry says */
	VERDICT_NO_VIF,		/* comes in on an interface that does not route */
	VERDICT_NO_RULE,	/* an entry without outputs */
	VERDICT_NO_ANSWER,	/* the router was asked and has not answered */
	VERDICT_FIREWALL,	/* dropped by the packet filter */
	VERDICT_LIMIT,		/* dropped by it in part, by a limit or by chance */
	VERDICT_QUEUE,		/* dropped by the queue of an output */
	VERDICT_DRIVER,		/* handed to the driver of an output, which did not send it */
	VERDICT_TABLE,		/* looked up in another table than the routes are in */
	VERDICT_OUTPUT,		/* an output is down, or without carrier */
	VERDICT_NOBODY,		/* a bridge passes it to none of its ports */
	VERDICT_PORT,		/* a port of a bridge does not get what it should */
	VERDICT_PORT_IN,	/* a port of a bridge takes nothing in */
	VERDICT_KEPT,		/* a bridge keeps it from this host */
	VERDICT_SOURCE,		/* a source that no router forwards */
	VERDICT_FAMILY,		/* the interface has no IPv4 or IPv6 */
	VERDICT_BROKEN,		/* its headers have wrong checksums or lengths */
	VERDICT_CHANGED,	/* rules here give it other addresses */
	VERDICT_INGRESS,	/* ends between the wire and the IP stack */
	VERDICT_LOST_IN,	/* ends before the entry, nobody knows where */
	VERDICT_LOST_OUT,	/* ends behind the entry, nobody knows where */
	VERDICT_UNSURE,		/* may end behind the entry: other flows hide it */
	VERDICTS
};

/* Packets: at least, at most. */
struct span {
	uint64_t lo, hi;
};

/* What the packet filter does with a flow, or with its copies for an output. */
enum filter {
	FILTER_PASSES,		/* nothing keeps it */
	FILTER_LIMITS,		/* a limit, a quota or a random number decides, and nothing else */
	FILTER_MAY_DROP,	/* rules ask for what is not known here */
	FILTER_DROPS,		/* for sure */
	FILTER_UNSEEN		/* nobody may look */
};

/* One output of its entry, and the copies for it. */
struct evidence_out {
	int ifindex;
	uint8_t threshold;
	bool is_down, lacks_carrier, lacks_family;
	bool lacks_route;		/* the kernel refuses to send to the group there */
	bool is_fresh;			/* an output, or up, only since the watch began: what came before is no loss */
	struct span low;		/* of those that came in: with a TTL not above the threshold */
	struct span large;		/* of those that came in: too large for it, and not to be fragmented */
	struct span vif;		/* counted by its VIF */
	bool is_hidden;			/* its VIF cannot be seen */
	struct span sent;		/* sent by the IP stack, behind the packet filter */
	struct span left;		/* handed to the driver */
	uint64_t unsent;		/* of those that left, the driver surely did not send */
	uint64_t translated;		/* of those that left: with another source, by NAT */
	struct addr as;			/* that one */
	enum filter filter;		/* on that way */
	bool is_regrouped;		/* they surely get another group on that way */
	uint64_t queue_drops;		/* packets of all flows that its queue dropped */
	int bridge;			/* that it sends into, 0 = none; what follows is of its ports */
	int port;			/* that surely should get the packets: the one that gets least; 0 = none */
	bool is_unwanted;		/* surely none should */
	enum filter ports;		/* on the way to that port, or to all of them */
	uint64_t port_got, most;	/* at most that port sent, and the one that sent most */
};

/* One flow where it comes in, "here". */
struct evidence {
	bool is_seen;			/* the packets themselves are: wire, ip and what left are exact */
	bool is_many;			/* all sources of an entry together, what this host sends among them, or
					 * what members report */
	enum fam fam;
	uint64_t unread;		/* packets of all flows that were missed while watching */
	uint64_t wire, ip;		/* came in here */
	uint64_t broken;		/* of those from the wire */
	bool port_stops;		/* a port of a bridge, where it came in, lets nothing in */
	bool is_kept;			/* that bridge keeps it from this host */
	bool is_lower;			/* here is a port of a bridge, or below another interface */
	bool has_entry, is_unresolved;
	bool is_fresh;			/* the entry, made since the watch began: what came before it is no loss */
	bool is_here;			/* the entry waits for it here */
	struct span right;		/* counted by its entry, on its interface */
	uint64_t late;			/* not in ip, and maybe in right: came in while the entries were read */
	uint64_t wrong;			/* on others */
	bool has_vif, has_other_table;	/* here is a VIF in the table that is looked up, or in another one only */
	bool has_marked_table;		/* a rule leads packets with some mark elsewhere */
	bool rp_refuses, stays_here, lacks_family;
	uint64_t refused;		/* that the reverse path filter refused, of all flows, where it is on */
	uint64_t frag_fails;		/* packets that this host could not send for their size, of all flows */
	uint64_t ipsec;			/* that policies of IPsec kept from leaving, of all flows */
	enum filter ingress, filter;	/* before the IP stack; before routing */
	bool is_changed, is_regrouped;	/* before routing it surely gets other addresses; another group */
	unsigned nouts;
	struct evidence_out out[KERNEL_VIFS];
};

/* A cause. */
struct loss {
	enum verdict verdict;
	uint64_t n, of;			/* packets: lost, of those that came so far */
};

#define LOSSES 4		/* causes in one stretch */

/* Causes between the wire and the entry; their number, 0 when all that came in gets to the entry as far as is known. */
unsigned verdict_in(const struct evidence *e, struct loss v[LOSSES]);

/* Causes between the entry and an output. */
unsigned verdict_out(const struct evidence *e, const struct evidence_out *o, struct loss v[LOSSES]);

/* Counters are not read at one instant: of n packets so many more or less are no difference. */
uint64_t verdict_slack(const struct evidence *e, uint64_t n);

/* Packets that got to the entry, as far as is known. */
uint64_t verdict_routed(const struct evidence *e);

#endif
