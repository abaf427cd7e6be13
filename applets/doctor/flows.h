/* SPDX-License-Identifier: ISC
 *
 * The flows that a doctor watches: where their packets are seen, how they look, and the entries that the kernel has for
 * them, as they were when the watch began and when it ended.  Nothing is judged here.
 */
#ifndef APPLETS_DOCTOR_FLOWS_H
#define APPLETS_DOCTOR_FLOWS_H

#include "kernel/probe.h"
#include "lib/hash.h"

#define FLOWS_MAX 65536		/* kept at once; of others only the number is known */
#define FLOWS_SHAPES 6		/* kinds of packets that are told apart, of one flow on one interface */
#define FLOWS_NONE UINT32_MAX

/* Packets of a flow that look alike. */
struct shape {
	uint8_t ttl;
	bool is_whole;			/* must not be fragmented */
	uint32_t len;
	uint64_t n;
};

/* A flow on one interface. */
struct sighting {
	int ifindex;
	uint32_t next;			/* sighting of the same flow, FLOWS_NONE = none */
	uint64_t n[SNIFF_STATIONS];
	uint64_t rest;			/* fragments beyond the first of a packet, which are counted nowhere else */
	uint64_t late;			/* that got to the IP stack, or left, while the entries were read, not in n */
	uint64_t broken;		/* of those from the wire: with a wrong checksum or length */
	uint16_t vlan;			/* that the last of those from the wire had a tag of, 0 = none */
	uint8_t ttl_min, ttl_max;	/* as they come in */
	uint32_t len_max;
	uint64_t ttls[4];		/* a bit for each TTL that the IP stack got */
	uint64_t other;			/* that came in beyond the shapes */
	struct shape shapes[FLOWS_SHAPES];
};

/* One flow; an entry for any source, of one inbound interface, is one too. */
struct watched {
	struct flow flow;
	int star_iif;			/* of an entry for any source, else 0 */
	bool is_star;
	bool had_entry, has_entry;	/* when the watch began (not one that waited for an answer), when it ended */
	bool is_answered;		/* its entry waited for an answer when the watch ended, and then got one */
	uint32_t fresh;			/* outputs of the entry that it had not when the watch began, a bit each */
	uint32_t first;			/* sighting, FLOWS_NONE = none: it was not seen */
	bool has_ports;			/* of its last packet, as probe_sniffed has them */
	uint8_t protocol, ports[4];
	uint64_t control;		/* packets that the IP stack got and that are no data: IGMP, MLD and the like */
	uint64_t packets_before, wrong_before;
	struct probe_mfc e;		/* the last that was seen of it */
};

/* All zero at the start. */
struct flows {
	struct watched *v;		/* owned */
	struct sighting *sightings;	/* owned */
	uint32_t n, cap, nsightings, csightings;
	uint64_t left_out;		/* packets and entries of flows that there was no room for */
	struct hash by_key;
};

/* Takes in a packet. */
void flows_packet(struct flows *f, const struct probe_sniffed *p);

/* The same of one that came after the time that is judged, but maybe before its entry was read. */
void flows_late(struct flows *f, const struct probe_sniffed *p);

/* Takes in an entry, as it is at the end or at the beginning. */
void flows_entry(struct flows *f, const struct probe_mfc *e, bool is_end);

/* Entries of the beginning, or the end, will be taken in once more. */
void flows_forget(struct flows *f, bool is_end);

/* Takes in an entry as it is some time after the end: one that waited then may have been answered. */
void flows_answer(struct flows *f, const struct probe_mfc *e);

void flows_free(struct flows *f);

/* A flow; NULL when it is not watched. */
const struct watched *flows_of(const struct flows *f, const struct flow *flow);

/* The sighting of a flow on an interface; NULL when it was not seen there. */
const struct sighting *flows_on(const struct flows *f, const struct watched *w, int ifindex);

/* The next sighting of a flow after `at`; the first with NULL; NULL at the end. */
const struct sighting *flows_next(const struct flows *f, const struct watched *w, const struct sighting *at);

/* The entry for any source that the packets of a flow meet on an interface; NULL when there is none. */
const struct watched *flows_star(const struct flows *f, const struct flow *flow, int iif);

#endif
