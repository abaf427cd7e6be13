/* SPDX-License-Identifier: ISC
 *
 * One raw socket a family to report memberships by and to hear general queries on, made while the capability is still
 * there.  The bytes are made by report.c of kernel/, when and what is the router's to know.
 */
#include "kernel/kernel.h"

#include <errno.h>

#include "kernel/alert.h"
#include "kernel/held.h"
#include "kernel/report.h"
#include "kernel/sock.h"

static int report_fds[FAM_N] = { -1, -1 };

int kernel_report_open(enum fam fam)
{
	if (report_fds[fam] >= 0)
		return sock_fail(EALREADY);
	report_fds[fam] = held_take("report", fam, 0);
	if (report_fds[fam] < 0)
		report_fds[fam] = held_add("report", fam, 0, alert_open(fam, report_query_type(fam)));
	return report_fds[fam] < 0 ? -1 : 0;
}

void kernel_report_close(enum fam fam)
{
	report_fds[fam] = held_close(report_fds[fam]);
}

int kernel_report_fd(enum fam fam)
{
	return report_fds[fam];
}

int kernel_report_send(enum fam fam, int ifindex, uint32_t mtu, unsigned version, const struct flow *v, unsigned n)
{
	struct addr source, to;
	struct report p;
	unsigned done = 0;
	bool has_source;

	report_begin(&p, fam, version, mtu);
	while (done < n && report_add(&p, &v[done]))
		done++;
	if (!p.len)
		return (int)done;
	has_source = alert_source(report_fds[fam], fam, ifindex, &source) == 0;
	/* IPv4 needs none: RFC 3376, 4.2.13. */
	if (!has_source && (fam == FAM_6 || errno != EADDRNOTAVAIL))
		return -1;
	to = report_end(&p);
	if (alert_send(report_fds[fam], fam, ifindex, has_source ? &source : NULL, &to, p.bytes, p.len) < 0)
		return -1;
	return (int)done;
}

struct report_hearer {
	kernel_query_fn *fn;
	void *ctx;
};

/* Of hosts and switches behind a router no query comes: RFC 3376, section 4; RFC 3810, 5.1.14. */
static void report_hear(void *ctx, const struct alert *a)
{
	const struct report_hearer *h = ctx;
	unsigned version = report_query_version(a->fam, a->bytes, a->len);
	bool is_near = a->fam == FAM_4 || (a->source.b[0] == 0xfe && (a->source.b[1] & 0xc0) == 0x80);

	if (version && a->ttl == 1 && is_near)
		h->fn(h->ctx, a->fam, a->ifindex, version);
}

int kernel_report_drain(enum fam fam, int max, kernel_query_fn *fn, void *ctx)
{
	struct report_hearer h = { fn, ctx };

	return alert_drain(report_fds[fam], fam, max, report_hear, &h);
}
