/* SPDX-License-Identifier: ISC
 *
 * From two samples and the packets between them to the evidence on each flow: what is its own of the counters of VIFs,
 * of interfaces and of the host, as bounds, and what the host is like where it comes in and goes out.
 */
#ifndef APPLETS_DOCTOR_EVIDENCE_H
#define APPLETS_DOCTOR_EVIDENCE_H

#include "applets/doctor/sample.h"
#include "applets/doctor/verdict.h"

/* A flow with what is known of it. */
struct evidence_flow {
	const struct watched *w;
	const struct probe_mfc *entry;	/* that its packets meet, of its own or for any source; NULL = none */
	int in;				/* where it arrives, ifindex; 0 = not known */
	const struct sighting *here;	/* of it there, NULL = not seen */
	bool is_any;			/* stands for all sources of an entry */
	bool is_own;			/* this host sends it */
	bool moved;			/* at least one packet came in meanwhile */
	struct flow as;			/* the flow that the router sees of it, by rules of the packet filter another */
	const struct watched *routed;	/* that one, where packets of it are routed; NULL = none */
	struct evidence e;
};

/* Makes the VIFs of the second sample, and the interfaces, count what they count more than before.  Once, after
 * observe_take(). */
void evidence_begin(struct doctor *d);

/* Gathers what is known of a flow. */
void evidence_of(struct doctor *d, const struct watched *w, struct evidence_flow *x);

/* Asks the packet filter about a flow, from one hook to another; o is its output, NULL before it is routed.  Calls fn
 * for each chain that drops it, or might; fn may be NULL. */
enum filter evidence_filter(const struct doctor *d, const struct evidence_flow *x, const struct evidence_out *o,
			    enum probe_hook from, enum probe_hook to, probe_chain_fn *fn, void *ctx);

#endif
