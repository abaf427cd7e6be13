/* SPDX-License-Identifier: ISC
 *
 * Interfaces, and the host at all.
 */
#include "tests/fake/parts.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

bool fake_link_is(int ifindex)
{
	return ifindex > 0 && ifindex < FAKE_LINKS && fake.link[ifindex];
}

void fake_link_add(int ifindex)
{
	if (ifindex <= 0 || ifindex >= FAKE_LINKS)
		abort();
	fake.link[ifindex] |= FAKE_THERE;
}

void fake_link_lacks(int ifindex, bool multicast, bool address)
{
	if (fake_link_is(ifindex))
		fake.link[ifindex] = (uint8_t)(FAKE_THERE | (multicast ? FAKE_NO_MULTICAST : 0) |
					       (address ? FAKE_NO_ADDRESS : 0));
}

/* The VIFs of an interface go, where they do not outlive it. */
static void links_vifs_go(int ifindex)
{
	for (enum fam fam = 0; fam < FAM_N; fam++)
		for (int vif = 0; vif < KERNEL_VIFS; vif++)
			if (fake.vif_if[fam][vif] == ifindex && !fake.system->of[fam].vif_stays)
				fake_vif_goes(fam, vif);
}

void fake_link_del(int ifindex)
{
	if (!fake_link_is(ifindex))
		return;
	fake.link[ifindex] = 0;
	for (enum fam fam = 0; fam < FAM_N; fam++)
		fake.heard[fam][ifindex] = fake.advert[fam][ifindex] = 0;
	links_vifs_go(ifindex);
	if (fake.system->takes_members)
		fake_members_go(ifindex);
}

unsigned fake_link_event(struct link_event ev, const struct link_event *was, struct link_event out[2])
{
	bool goes = was && ev.kind == LINK_NEW && fake.system->renames_by_going && strcmp(was->name, ev.name);
	bool is_new = was && ev.kind == LINK_ADDR && fake.system->of[FAM_4].needs_address;

	if (ev.kind == LINK_ADDR && fake_link_is(ev.ifindex))
		fake.link[ev.ifindex] &= (uint8_t)~FAKE_NO_ADDRESS;
	if (goes)
		links_vifs_go(ev.ifindex);
	out[0] = is_new ? *was : (struct link_event){ .kind = LINK_DEL, .ifindex = ev.ifindex };
	out[goes || is_new] = ev;
	if (!fake.system->tells_copies)
		out[0].copies = out[1].copies = 0;
	return 1 + (goes || is_new);
}

int kernel_link_open(void)
{
	int err = fake_planned("link_open", 0);

	fake.link_open |= !err;
	return fake_result(err);
}

void kernel_link_close(void) { fake.link_open = false; }
int kernel_link_fd(void) { return fake.link_open ? 1002 : -1; }

int kernel_link_drain(int max, kernel_link_fn *fn, void *ctx)
{
	int n = 0, err = fake_planned("link_drain", fake.link_open ? 0 : EBADF);
	const struct link_event *ev;

	for (; !err && n < max && (ev = queue_pop(&fake.links)); n++) {
		struct link_event copy = *ev;

		fn(ctx, &copy);
	}
	return err ? fake_result(err) : n;
}

int kernel_link_dump(kernel_link_fn *fn, void *ctx)
{
	int err = fake_planned("link_dump", fake.link_open ? 0 : EBADF);

	if (err)
		return fake_result(err);
	fn(ctx, &(struct link_event){ .kind = LINK_SWEEP_BEGIN });
	kernel_link_drain(INT_MAX, fn, ctx);
	fn(ctx, &(struct link_event){ .kind = LINK_SWEEP_END });
	return 0;
}

void kernel_link_lost(void)
{
	SAY("links lost\n");
}

void kernel_rules_ask(enum fam fam)
{
	if (fake.system->has_tables)
		SAY("rules%d ask\n", fake_digit(fam));
}

/* ---- host ---- */

void fake_set_holder(int pid, const char *comm)
{
	fake.holder_pid = pid;
	snprintf(fake.holder, sizeof fake.holder, "%s", comm);
}

bool kernel_mroute_is_closing(void) { return false; }

bool kernel_mroute_holder(enum fam fam, int but, int *pid, char *comm, size_t len)
{
	(void)fam;
	if (!fake.holder_pid || fake.holder_pid == but)
		return false;
	*pid = fake.holder_pid;
	snprintf(comm, len, "%s", fake.holder);
	return true;
}

void fake_set_received(uint64_t packets)
{
	fake.received = packets;
}

int kernel_received(const char *name, uint64_t *packets)
{
	(void)name;
	*packets = fake.received;
	return 0;
}

bool kernel_is_own(const struct addr *a)
{
	return a->b[15] == 250;		/* 10.0.0.250, fd00::fa */
}

bool kernel_has_tables(void) { return fake.system->has_tables; }
const char *kernel_word(enum kernel_word word, enum fam fam) { return fake.system->word(word, fam); }
