/* SPDX-License-Identifier: ISC
 *
 * Where the packets of a flow end, judged by what moved while one watched.  Pure: a table of counters goes in, a
 * verdict comes out.
 */
#ifndef APPLETS_DOCTOR_VERDICT_H
#define APPLETS_DOCTOR_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

enum verdict {
	VERDICT_FINE,		/* forwarded */
	VERDICT_NOTHING,	/* nothing arrives here */
	VERDICT_TTL,		/* TTL not above what the output asks for */
	VERDICT_MTU,		/* too large for the output, and not to be fragmented */
	VERDICT_RP_FILTER,	/* refused by the reverse path filter */
	VERDICT_WRONG_IIF,	/* comes in on another interface than the entry says */
	VERDICT_NO_VIF,		/* comes in on an interface that does not route */
	VERDICT_NO_RULE,	/* no output */
	VERDICT_FIREWALL,	/* dropped by the packet filter */
	VERDICT_TABLE,		/* looked up in another table than the routes are in */
	VERDICT_OUTPUT,		/* an output takes none */
	VERDICTS
};

/* Differences between two samples, in packets; "here" is the interface where the flow arrives. */
struct flow_diff {
	bool unresolved;	/* the entry waits for an answer of the daemon */
	unsigned outputs;	/* of the entry */
	uint64_t right, wrong;	/* on the interface of the entry, on others */
	uint64_t lacking;	/* of the right ones: not counted on its worst output */
	uint64_t out;		/* copies counted on its outputs */
	uint64_t unsent;	/* copies on all outputs that the host's IP counters lack */
	uint64_t frag_fails, rp_filter;		/* of the whole host */
	uint64_t arrived;	/* came in here */
	bool seen;		/* arrived, ttl and here are of this flow's packets, not guessed */
	uint8_t ttl;		/* largest seen */
	uint8_t threshold;	/* of the worst output */
	bool output_down;	/* the worst output */
	bool rp_refuses;	/* the filter here refuses this source */
	bool vif;		/* here is a VIF in the table that its packets are looked up in */
	bool other_table;	/* here is a VIF in another table only */
};

enum verdict verdict_of(const struct flow_diff *d);

#endif
