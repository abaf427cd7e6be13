/* SPDX-License-Identifier: ISC
 *
 * Interfaces that come, change and go, and what neighbours and other programs do.
 */
#include <stdio.h>
#include <string.h>

#include "tests/fake/kernel.h"
#include "tests/fake/meaning.h"
#include "tests/fake/model_parts.h"

static int model_ifindex[MEANING_IFACES], model_last_ifindex;

void model_begin_links(void)
{
	model_last_ifindex = 0;
}

/* Tells the engine that an interface is there as the model has it. */
static void model_tell_link(unsigned iface)
{
	struct link_event ev = {
		.kind = LINK_NEW, .ifindex = model_ifindex[iface],
		.flags = LINK_UP | (meaning_ifaces[iface].has_no_multicast ? 0 : LINK_MULTICAST),
	}, was = ev, told[2];
	const struct iface *i;

	snprintf(ev.name, sizeof ev.name, "%s", meaning_names[iface]);
	i = iface_find(&model_router.ifs, ev.ifindex);
	if (i)
		memcpy(was.name, i->name, sizeof was.name);
	for (unsigned k = 0, n = fake_link_event(ev, i ? &was : NULL, told); k < n; k++)
		router_link_event(&model_router, &told[k]);
}

static void model_go_link(unsigned iface)
{
	struct link_event ev = { .kind = LINK_DEL, .ifindex = model_ifindex[iface] };

	fake_link_del(model_ifindex[iface]);
	meaning_ifaces[iface].is_up = false;
	router_link_event(&model_router, &ev);
}

static void model_make_link(unsigned iface)
{
	int ifindex = 10;

	/* FreeBSD gives the lowest that is free (sys/net/if.c, ifindex_alloc). */
	while (fake_is_freebsd() && fake_link_is(ifindex))
		ifindex++;
	if (!fake_is_freebsd())
		ifindex += ++model_last_ifindex % 60000;
	model_ifindex[iface] = ifindex;
	fake_link_add(ifindex);
	fake_link_lacks(ifindex, meaning_ifaces[iface].has_no_multicast, false);
	meaning_ifaces[iface].is_up = true;
	model_tell_link(iface);
}

void model_sweep(void)
{
	router_link_event(&model_router, &(struct link_event){ .kind = LINK_SWEEP_BEGIN });
	for (unsigned i = 0; i < MEANING_IFACES; i++)
		if (meaning_ifaces[i].is_up)
			model_tell_link(i);
	model_tell_crowd();
	router_link_event(&model_router, &(struct link_event){ .kind = LINK_SWEEP_END });
}

/* Two exchange their names, and of the third one that it takes nothing is heard. */
static void model_exchange(unsigned iface, unsigned other)
{
	struct meaning_iface *a = &meaning_ifaces[iface], *b = &meaning_ifaces[other];
	bool has_none = a->has_no_multicast;
	int ifindex = model_ifindex[iface];

	a->has_no_multicast = b->has_no_multicast;
	b->has_no_multicast = has_none;
	model_ifindex[iface] = model_ifindex[other];
	model_ifindex[other] = ifindex;
	model_tell_link(other);
	model_tell_link(iface);
	router_sync(&model_router);
	model_settle();
}

void model_link(unsigned verb, unsigned iface, unsigned other)
{
	struct meaning_iface *i = &meaning_ifaces[iface];
	int ifindex = model_ifindex[iface];

	model_begin_scarce();
	if (verb == 0 && i->is_up && !meaning_ifaces[other].is_up) {
		/* It gets the other's name. */
		i->is_up = false;
		meaning_ifaces[other].is_up = true;
		meaning_ifaces[other].has_no_multicast = i->has_no_multicast;
		model_ifindex[iface] = model_ifindex[other];
		model_ifindex[other] = ifindex;
		model_tell_link(other);
		router_sync(&model_router);
		/* Meanwhile the bits of a number are read as those of the new name. */
		model_settle();
	} else if (verb == 7 && i->is_up && meaning_ifaces[other].is_up && iface != other && !fake_is_freebsd()) {
		model_exchange(iface, other);
	} else if (verb == 1 && !(fake_is_freebsd() && i->is_up)) {
		/* The flag of one that is there stays on FreeBSD (sys/net/if.h, IFF_CANTCHANGE). */
		i->has_no_multicast = !i->has_no_multicast;
		if (i->is_up)
			model_tell_link(iface);
	} else if (verb == 2 && i->is_up) {
		model_go_link(iface);
		if (other & 1)
			router_sync(&model_router);
		model_make_link(iface);
	} else if (verb == 3) {
		model_sweep();
	} else if (i->is_up) {
		model_go_link(iface);
	} else {
		model_make_link(iface);
	}
	router_sync(&model_router);
	model_end_scarce();
}

void model_others(uint64_t random)
{
	unsigned verb = model_take(&random, 8), iface = model_take(&random, MEANING_IFACES);
	enum fam fam = (enum fam)model_take(&random, FAM_N);
	struct link_event ev = { .ifindex = model_ifindex[iface], .fam = fam, .table = model_take(&random, 9) };
	struct addr group = model_addr(model_groups[fam][verb % MODEL_GROUPS]);

	snprintf(ev.name, sizeof ev.name, "%s", model_take(&random, 3) ? meaning_names[iface] : "");
	model_begin_scarce();
	if (verb == 0) {
		mrdisc_solicited(&model_router, fam, ev.ifindex);
	} else if (verb == 1) {
		refresh_queried(&model_router, fam, ev.ifindex, 1 + model_take(&random, 3));
	} else if (verb < 5) {
		ev.kind = verb == 2 ? LINK_ADDR : verb == 3 ? LINK_ALLMULTI : LINK_MEMBERS;
		router_link_event(&model_router, &ev);
	} else if (verb == 5) {
		model_joined[fam] |= 1u << (verb % MODEL_GROUPS);
		fake_member(ev.ifindex, &group, model_take(&random, 2));
		router_link_event(&model_router, &(struct link_event){ .kind = LINK_MEMBERS });
	} else {
		for (ev.kind = LINK_RULES_BEGIN; ev.kind <= LINK_RULES_END; ev.kind++)
			router_link_event(&model_router, &ev);
	}
	router_sync(&model_router);
	model_end_scarce();
}
