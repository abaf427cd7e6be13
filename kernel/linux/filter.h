/* SPDX-License-Identifier: ISC
 *
 * A packet on its way through the packet filters of this host, as far as it is known: each value comes with a mask of
 * its known bits, so that what is asked of it is yes, no or maybe.  Rules may change it: its TTL, its mark.  Pure.
 * Private to this room.
 */
#ifndef KERNEL_LINUX_FILTER_H
#define KERNEL_LINUX_FILTER_H

#include "kernel/probe.h"

enum match { MATCH_NO, MATCH_MAY, MATCH_YES };

/* What becomes of a packet, as bits: either, or both when it cannot be told. */
enum { FILTER_ACCEPTED = 1, FILTER_DROPPED = 2, FILTER_EITHER = 3 };

/* Why something may match. */
enum { MAY_UNKNOWN = 1, MAY_BY_CHANCE = 2 };	/* what it asks for is not known; a limit, a quota, a random number */

#define FILTER_VALUE 64		/* bytes: what all registers of nftables have room for */

struct filter_value {
	size_t len;
	uint8_t v[FILTER_VALUE], known[FILTER_VALUE];
};

/* Bits, and which of them are known. */
struct filter_bits {
	uint32_t v, known;
};

struct filter_packet {
	const struct probe_packet *p;
	bool v4;
	uint8_t ether[14], ether_known[14];
	uint8_t ip[40], ip_known[40];		/* of IPv4 the first 20 */
	uint8_t ports[4], ports_known[4];	/* the beginning of what is behind */
	uint8_t protocol;
	struct filter_bits mark;
	struct filter_bits connmark;		/* of its connection, where packets before it may have left one */
	tristate untracked;			/* connection tracking does not follow it */
	bool is_renamed;			/* another source may stand in it */
	bool is_changed;			/* a rule has, or may have, written addresses */
	bool has_forward_iif;			/* this kernel tells it for IPv6, see filter.c */
	/* Where it is: 0 and "" where it has none, not set where it is not known. */
	bool has_iif, has_oif;
	uint32_t iif, oif;
	char iif_name[KERNEL_IFNAME], oif_name[KERNEL_IFNAME];
};

/* Begins with what is known of a packet before it came in. */
void filter_begin(struct filter_packet *f, const struct probe_packet *p);

/* Brings it to a hook: the interfaces that it has there.  One step after the other, none left out. */
void filter_at(struct filter_packet *f, enum probe_hook hook);

/* True when all bits of a value are known, from at on. */
bool filter_is_known(const struct filter_value *a, size_t at, size_t len);

/* Fills a value with bytes; with known = NULL all of them are known, with v = NULL none. */
void filter_value(struct filter_value *a, const void *v, const void *known, size_t len);

/* Whether the bytes of a value from `at` on are between two others, as numbers of network order. */
enum match filter_between(const struct filter_value *a, size_t at, const uint8_t *lo, const uint8_t *hi, size_t len);

/* Whether bytes are others, as far as a mask goes; known = NULL: all are known. */
enum match filter_masked(const void *v, const void *known, const void *other, const void *mask, size_t len);

/* Whether bytes of its network header, or a port, are between two others. */
enum match filter_header(const struct filter_packet *f, size_t at, const void *lo, const void *hi, size_t len);
enum match filter_port(const struct filter_packet *f, bool is_dst, uint16_t lo, uint16_t hi);

/* Whether bits are a mark, under a mask. */
enum match filter_mark(const struct filter_bits *b, uint32_t mark, uint32_t mask);

/* Sets bits: (b & ~mask) ^ value; not certainly with surely = false. */
void filter_set_mark(struct filter_bits *b, struct filter_bits value, uint32_t mask, bool surely);

/* Its TTL or hop limit; -1 when it is not known. */
int filter_ttl(const struct filter_packet *f);
void filter_set_ttl(struct filter_packet *f, int ttl);

/* Writes bytes of its network header from at on, which are surely there afterwards, or perhaps. */
void filter_write(struct filter_packet *f, size_t at, const struct filter_value *a, bool surely);

/* Writes another group, or the address of a host, into it; NULL: it is not known which.  As filter_write(). */
void filter_set_group(struct filter_packet *f, const void *address, bool surely);

/* The flow that it is of by now; false when that is not known. */
bool filter_flow(const struct filter_packet *f, struct flow *flow);

/* The state that connection tracking gives it, as bits of enum ip_conntrack_info of the kernel, and which are known. */
uint32_t filter_state(const struct filter_packet *f, uint32_t *known);
#define FILTER_STATE_NEW 8u		/* NF_CT_STATE_BIT(IP_CT_NEW) */
#define FILTER_STATE_UNTRACKED 64u	/* NF_CT_STATE_UNTRACKED_BIT */

/* Bits of its status that it does not have: expected, answered, assured, sent to another address (IPS_EXPECTED,
 * IPS_SEEN_REPLY, IPS_ASSURED, IPS_DST_NAT). */
#define FILTER_STATUS_NONE (1u | 2u | 4u | 32u)

/* Both of two; the opposite of one. */
enum match filter_and(enum match a, enum match b);
enum match filter_not(enum match m, bool is_inverted);

#endif
