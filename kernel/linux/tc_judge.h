/* SPDX-License-Identifier: ISC
 *
 * Filters of tc as they come from the kernel, and what they do with a multicast packet at the ends of an interface.
 * Pure: no socket.  Private to this room.
 */
#ifndef KERNEL_LINUX_TC_JUDGE_H
#define KERNEL_LINUX_TC_JUDGE_H

#include "kernel/linux/nft_judge.h"
#include "kernel/linux/rtnl.h"
#include "lib/buf.h"

#define TC_KIND 16		/* IFNAMSIZ, as the kernel has it for kinds too */

#define TC_IFBS 64		/* interfaces of kind ifb, of which so many are known */

struct tc_filter {
	int ifindex;
	bool is_egress;
	uint32_t block;			/* that interfaces share, 0 = their own */
	uint32_t chain, priority, handle;
	uint16_t protocol;		/* ETH_P_* */
	char kind[TC_KIND];
	struct buf options;		/* TCA_OPTIONS */
};

/* All zero at the start. */
struct tc {
	struct tc_filter *v;		/* owned */
	uint32_t n, cap;
	int ifindex;			/* what the messages to come are of */
	bool is_egress;
	size_t size;
	int ifbs[TC_IFBS];		/* that are up: what is led there comes back (ifb_ri_tasklet()) */
	unsigned nifbs;
};

/* An interface whose packets filters look at as they come in or go out: a qdisc of kind clsact or ingress. */
bool tc_has_filters(const struct rtnl_msg *m, int *ifindex);

/* Takes a message of a dump of all interfaces, of which some are ifbs.  0. */
int tc_ifb_add(void *tc, const struct rtnl_msg *m);

/* Takes a message of a dump of one interface's filters at one end.  0, or -1 with ENOMEM. */
int tc_filter_add(void *tc, const struct rtnl_msg *m);
void tc_free(struct tc *tc);

/* Leads a packet through those of an interface; out->chain is the kind of the filter that decides, out->rule its
 * priority, out->tc where it is.  False when there are none. */
bool tc_judge(const struct tc *tc, int ifindex, bool is_egress, struct filter_packet *f, struct filter_fate *out);

#endif
