/* SPDX-License-Identifier: ISC
 *
 * What the packet filters of this host would do with the packets of a flow.
 */
#ifndef APPLETS_DOCTOR_PASSAGE_H
#define APPLETS_DOCTOR_PASSAGE_H

#include "applets/doctor/sample.h"
#include "applets/doctor/verdict.h"

/* Packets that somebody asks about. */
struct passage {
	const struct watched *w;
	const struct sighting *here;	/* of the flow where it comes in, NULL = not seen */
	bool is_any;			/* stands for all sources of an entry */
	int in, out;			/* interfaces, 0 = not known */
	int bridge, port;		/* that they leave by: a bridge, 0 = none, and one of its ports, 0 = each */
};

/* Before the first question: what holds for all sources of a group is then judged once.  Without memory for that each
 * is asked about. */
void passage_begin(struct doctor *d);

/* True when in (NULL = not known) is in a VRF, which chains see as the input once IP has the packet (vrf_ip_rcv()).
 * Not of IPv6, where groups keep the interface (vrf_ip6_rcv()). */
bool passage_is_vrf(const struct doctor *d, const struct probe_link *in);

/* Leads them from one hook to another, and calls fn, which may be NULL, for each chain that does not surely let them
 * pass as they are.  Where hooks of a port are asked for, all of them; then what is sure for all ports counts. */
enum filter passage_ask(const struct doctor *d, const struct passage *a, enum probe_hook from, enum probe_hook to,
			probe_chain_fn *fn, void *ctx);

/* True when they surely, or perhaps, leave with another source than they came in with. */
bool passage_renames(const struct doctor *d, const struct passage *a);

/* True when they surely get other addresses from one hook to another: *as is the flow that they are then. */
bool passage_changes(const struct doctor *d, const struct passage *a, enum probe_hook from, enum probe_hook to,
		     struct flow *as);

/* True when rules of nftables, which may do such, cannot be read. */
bool passage_is_hidden(const struct doctor *d);

#endif
