/* SPDX-License-Identifier: ISC */
#include "kernel/linux/probe_tc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kernel/linux/probe_ask.h"

#define CLSACT 0xffff0000u	/* TC_H_MAJ(TC_H_CLSACT) */
#define INTERFACES 1024		/* with filters of tc, at most so many are read */

struct probe_ends {
	int ifindex[INTERFACES];
	unsigned n;
};

static int probe_tc_end(void *ctx, const struct rtnl_msg *m)
{
	struct probe_ends *e = ctx;
	int ifindex;

	if (tc_has_filters(m, &ifindex) && e->n < INTERFACES)
		e->ifindex[e->n++] = ifindex;
	return 0;
}

int probe_tc_read(struct tc *tc)
{
	static const uint32_t ends[] = { CLSACT | 0xfff2, CLSACT | 0xfff3 };	/* TC_H_MIN_INGRESS, _EGRESS */
	struct probe_ends e = { .n = 0 };

	probe_ask_dump(NETLINK_ROUTE, RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), tc_ifb_add, tc);
	/* ENOENT: this kernel has none. */
	if (probe_ask_dump(NETLINK_ROUTE, RTM_GETQDISC, AF_UNSPEC, sizeof(struct tcmsg), probe_tc_end, &e) < 0)
		return errno == EOPNOTSUPP || errno == ENOENT ? 0 : errno;
	for (unsigned i = 0; i < 2 * e.n; i++) {
		struct rtnl_req req;
		struct tcmsg t = { .tcm_ifindex = e.ifindex[i / 2], .tcm_parent = ends[i % 2] };

		rtnl_ask(&req, RTM_GETTFILTER, NLM_F_DUMP, AF_UNSPEC, sizeof t);
		memcpy(req.body, &t, sizeof t);
		tc->ifindex = t.tcm_ifindex;
		tc->is_egress = i % 2;
		if (probe_ask(NETLINK_ROUTE, &req, tc_filter_add, tc) < 0 && errno == ENOMEM)
			return ENOMEM;
	}
	return 0;
}
