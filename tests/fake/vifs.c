/* SPDX-License-Identifier: ISC
 *
 * Routing sockets and VIFs.
 */
#include "tests/fake/parts.h"

#include <errno.h>
#include <string.h>

/* ---- routing sockets ---- */

int fake_if_closed(enum fam fam, int err)
{
	return fake.open[fam] ? err : EBADF;
}

int kernel_mroute_open(enum fam fam, uint32_t table)
{
	bool is_taken = fake.open[fam] || fake.handed[KIND_MROUTE][fam] == HANDED_HELD;
	int err = fake_planned("mroute_open", table && !fake.system->has_tables ? EOPNOTSUPP :
					      is_taken ? EADDRINUSE : 0);

	SAY("open%d table %u", fake_digit(fam), table);
	return fake_kind_do_open(KIND_MROUTE, fam, err);
}

/* Takes everything out of a table. */
static void mroute_clear(enum fam fam)
{
	memset(fake.vif_if[fam], 0, sizeof fake.vif_if[fam]);
	fake.went[fam] = 0;
	fake_mfc_clear(fam, -1);
	while (queue_pop(&fake.unresolved[fam]))
		;
}

void kernel_mroute_close(enum fam fam)
{
	if (!fake.open[fam])
		return;
	fake.open[fam] = false;
	mroute_clear(fam);
	SAY("close%d\n", fake_digit(fam));
}

int kernel_mroute_fd(enum fam fam) { return fake_kind_fd(KIND_MROUTE, fam); }
bool kernel_vif_stays(enum fam fam) { (void)fam; return fake.system->vif_may_stay; }

bool kernel_mroute_has_pim(enum fam fam)
{
	return fake.open[fam] && fake.system->of[fam].tells_all_wrong && !fake.no_pim;
}

/* An interface that is a VIF takes in all multicast frames. */
static void allmulti_tell(int ifindex)
{
	struct link_event ev = { .kind = LINK_ALLMULTI, .ifindex = ifindex };

	for (enum fam fam = 0; fam < FAM_N; fam++)
		for (int vif = 0; vif < KERNEL_VIFS; vif++)
			ev.allmulti |= fake.vif_if[fam][vif] == ifindex;
	if (fake.link_open && ifindex)
		fake_push_link(&ev);
}

void fake_vif_goes(enum fam fam, int vif)
{
	fake.vif_if[fam][vif] = 0;
	fake.went[fam] |= UINT32_C(1) << vif;
	if (fake.system->takes_entries)
		fake_mfc_clear(fam, vif);
}

/* Why an interface cannot be a VIF, 0 = it can. */
static int vif_lacks(enum fam fam, int ifindex)
{
	uint8_t lacks = fake_link_is(ifindex) ? fake.link[ifindex] : 0;

	if (!lacks)
		return ENODEV;
	if (fake.system->of[fam].needs_address && lacks & FAKE_NO_ADDRESS)
		return EADDRNOTAVAIL;
	return fake.system->needs_multicast && lacks & FAKE_NO_MULTICAST ? EOPNOTSUPP : 0;
}

int kernel_vif_add(enum fam fam, int vif, int ifindex, uint8_t threshold)
{
	bool range = vif >= 0 && vif < KERNEL_VIFS;
	int err = fake_planned("vif_add", fake_if_closed(fam, !range ? ENFILE : fake.vif_if[fam][vif] ? EADDRINUSE :
							      vif_lacks(fam, ifindex)));

	if (range) {
		fake_must(!fake.vif_if[fam][vif], "is added, which is taken", fam, vif);
		fake_must(!fake_vif_is_named(fam, vif), "is added, which an entry has", fam, vif);
	}
	SAY("vif%d add %d if%d", fake_digit(fam), vif, ifindex);
	if (fam == FAM_4)
		SAY(" ttl %d", threshold);
	if (!err) {
		fake.vif_if[fam][vif] = ifindex;
		fake.went[fam] &= ~(UINT32_C(1) << vif);
		fake.vif_st[fam][vif] = (struct vif_stats){ 0 };
		allmulti_tell(ifindex);
	}
	return fake_done(err);
}

int kernel_vif_del(enum fam fam, int vif)
{
	int err = fake_planned("vif_del", fake_if_closed(fam, vif < 0 || vif >= KERNEL_VIFS ? EINVAL : 0));

	if (!err)
		fake_must(!fake_vif_is_named(fam, vif), "is removed, which an entry has", fam, vif);
	SAY("vif%d del %d", fake_digit(fam), vif);
	if (!err) {
		int ifindex = fake.vif_if[fam][vif];

		fake.vif_if[fam][vif] = 0;
		fake.went[fam] &= ~(UINT32_C(1) << vif);
		allmulti_tell(ifindex);
	}
	return fake_done(err);
}

void fake_set_vif_stats(enum fam fam, int vif, const struct vif_stats *st)
{
	fake.vif_st[fam][vif] = *st;
}

int kernel_vif_stats(enum fam fam, int vif, struct vif_stats *st)
{
	bool there = vif >= 0 && vif < KERNEL_VIFS && fake.vif_if[fam][vif];
	int err = fake_planned("vif_stats", fake_if_closed(fam, there ? 0 : ENOENT));

	if (!err && there)
		*st = fake.vif_st[fam][vif];
	return fake_result(err);
}

int kernel_mroute_drain(enum fam fam, int max, kernel_upcall_fn *fn, void *ctx)
{
	int n = 0, err = fake_planned("mroute_drain", fake_if_closed(fam, 0));
	const struct upcall *up;

	for (; !err && n < max && (up = queue_pop(&fake.upcalls[fam])); n++) {
		struct upcall copy = *up;

		fn(ctx, &copy);
	}
	return err ? fake_result(err) : n;
}

int fake_vif(enum fam fam, int vif)
{
	return fake.vif_if[fam][vif];
}

int kernel_vifs_read(enum fam fam, int ifindex[KERNEL_VIFS])
{
	int err = fake_planned("vifs_read", fake_if_closed(fam, 0));

	memcpy(ifindex, fake.vif_if[fam], sizeof fake.vif_if[fam]);
	for (int vif = 0; fake.system->tells_gone && vif < KERNEL_VIFS; vif++)
		if (fake.went[fam] >> vif & 1)
			ifindex[vif] = -1;
	return fake_result(err);
}

int kernel_mroute_reset(enum fam fam)
{
	int err = fake_planned("mroute_reset", fake_if_closed(fam, 0));

	SAY("reset%d", fake_digit(fam));
	mroute_clear(fam);
	fake.open[fam] &= !err;
	return fake_done(err);
}
