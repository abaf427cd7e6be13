/* SPDX-License-Identifier: ISC
 *
 * All entries of the forwarding cache in one go.  Also for whoever does not hold
 * the routing socket: no capability is asked for.
 */
#include "kernel/kernel.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kernel/nlask.h"

struct dump {
	uint32_t table;
	enum fam fam;
	kernel_mfc_fn *fn;
	void *ctx;
};

static void entry(void *ctx, const struct rtnl_msg *m)
{
	struct dump *d = ctx;
	struct rtnl_mfc e;

	if (rtnl_mfc(m, &e) && e.table == d->table && addr_fam(&e.grp) == d->fam)
		d->fn(d->ctx, &e.src, &e.grp, &e.st, e.idle_ms);
}

int kernel_mfc_dump(enum fam fam, uint32_t table, kernel_mfc_fn *fn, void *ctx)
{
	struct dump d = { .fam = fam, .fn = fn, .ctx = ctx };
	unsigned char req[RTNL_REQUEST_MAX];

	/* The default tables: ipmr_get_table() and ip6mr_get_table() without MRT_TABLE. */
	d.table = table ? table : fam == FAM_4 ? RT_TABLE_DEFAULT : RT_TABLE_MAIN;
	/* Strict, the kernel leaves out other tables; an old one does not, so we do. */
	return nlask(NETLINK_ROUTE, req, rtnl_ask_mfc(req, NLASK_SEQ, fam, d.table), true, entry,
		     &d);
}
