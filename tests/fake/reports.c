/* SPDX-License-Identifier: ISC
 *
 * Router discovery, and memberships reported again.
 */
#include "tests/fake/parts.h"

#include <errno.h>
#include <string.h>

/* ---- router discovery ---- */

int kernel_mrdisc_open(enum fam fam)
{
	int err = fake_planned("mrdisc_open", 0);

	SAY("mrdisc%d open", fake_digit(fam));
	return fake_kind_do_open(KIND_MRDISC, fam, err) < 0 ? -1 : 0;
}

void kernel_mrdisc_close(enum fam fam)
{
	if (fake.mrdisc[fam])
		SAY("mrdisc%d close\n", fake_digit(fam));
	fake.mrdisc[fam] = false;
	memset(fake.heard[fam], 0, sizeof fake.heard[fam]);
}

int kernel_mrdisc_fd(enum fam fam) { return fake_kind_fd(KIND_MRDISC, fam); }

int kernel_mrdisc_listen(enum fam fam, int ifindex, bool on)
{
	bool is_known = ifindex > 0 && ifindex < FAKE_LINKS;
	bool was = is_known && fake.advert[fam][ifindex] == HANDED_OFFERED;
	int err;

	if (is_known && fake.heard[fam][ifindex] == on && !was)
		return 0;
	err = fake_planned("mrdisc_listen", !fake.mrdisc[fam] ? EBADF : on && !fake_link_is(ifindex) ? ENODEV : 0);
	SAY("mrdisc%d listen if%d %s%s", fake_digit(fam), ifindex, on ? "on" : "off", was ? " as handed over" : "");
	if (!err && is_known) {
		fake.heard[fam][ifindex] = on;
		fake.advert[fam][ifindex] = HANDED_NONE;
	}
	return fake_done(err) < 0 ? -1 : was;
}

int kernel_mrdisc_send(enum fam fam, int ifindex, enum mrdisc_kind kind, uint8_t interval,
		       uint16_t query_interval, uint16_t robustness)
{
	static const char *const names[] = { "advert", "solicit", "term" };
	int err = fake_planned("mrdisc_send", !fake.mrdisc[fam] ? EBADF : !fake_link_is(ifindex) ? ENODEV : 0);

	SAY("mrdisc%d %s if%d", fake_digit(fam), names[kind], ifindex);
	if (kind == MRDISC_ADVERT)
		SAY(" %u %u %u", interval, query_interval, robustness);
	return fake_done(err);
}

int kernel_mrdisc_drain(enum fam fam, int max, kernel_mrdisc_fn *fn, void *ctx)
{
	int n = 0, err = fake_planned("mrdisc_drain", fake.mrdisc[fam] ? 0 : EBADF);
	const int *ifindex;

	for (; !err && n < max && (ifindex = queue_pop(&fake.solicits[fam])); n++)
		fn(ctx, fam, *ifindex);
	return err ? fake_result(err) : n;
}

/* ---- reports ---- */

#define FAKE_REPORT 4	/* memberships in one of the newest version */

int kernel_report_open(enum fam fam)
{
	int err = fake_planned("report_open", 0);

	SAY("report%d open", fake_digit(fam));
	return fake_kind_do_open(KIND_REPORT, fam, err) < 0 ? -1 : 0;
}

void kernel_report_close(enum fam fam)
{
	if (fake.report[fam])
		SAY("report%d close\n", fake_digit(fam));
	fake.report[fam] = false;
}

int kernel_report_fd(enum fam fam) { return fake_kind_fd(KIND_REPORT, fam); }

unsigned kernel_report_version(enum fam fam, const char *ifname, unsigned asked)
{
	unsigned version = fam == FAM_4 ? 3 : 2;

	(void)ifname;
	version = fake.forced[fam] ? fake.forced[fam] : version;
	return asked && asked < version ? asked : version;
}

int kernel_report_send(enum fam fam, int ifindex, uint32_t mtu, unsigned version, const struct flow *v, unsigned n)
{
	unsigned most = version == (fam == FAM_4 ? 3 : 2) ? FAKE_REPORT : 1;
	int err = fake_planned("report_send", !fake.report[fam] ? EBADF : !fake_link_is(ifindex) ? ENODEV : 0);

	(void)mtu;
	n = n < most ? n : most;
	SAY("report%d v%u if%d", fake_digit(fam), version, ifindex);
	for (unsigned i = 0; i < n; i++) {
		SAY(" ");
		fake_say_sg(addr_eq(&v[i].source, &(struct addr){ 0 }) ? NULL : &v[i].source, &v[i].group);
	}
	return fake_done(err) < 0 ? -1 : (int)n;
}

int kernel_report_drain(enum fam fam, int max, kernel_query_fn *fn, void *ctx)
{
	int n = 0, err = fake_planned("report_drain", fake.report[fam] ? 0 : EBADF);
	const struct fake_query *q;

	for (; !err && n < max && (q = queue_pop(&fake.queries[fam])); n++)
		fn(ctx, fam, q->ifindex, q->version);
	return err ? fake_result(err) : n;
}
