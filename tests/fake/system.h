/* SPDX-License-Identifier: ISC
 *
 * What the kernels of two systems do, each in its own way, and what the folder of each in kernel/ makes of it.  The
 * fake kernel looks at these, nowhere at a name.  Private to the fake kernel.
 */
#ifndef TESTS_FAKE_SYSTEM_H
#define TESTS_FAKE_SYSTEM_H

#include "kernel/kernel.h"

/* One more of a group on an interface panics FreeBSD 15.0 (sys/netinet/in_mcast.c, in_mcast_maxgrpsrc). */
#define FAKE_SOURCES 512

struct fake_system {
	bool has_tables;		/* more than one table of routes */
	bool has_any_source;		/* (*,G) entries */
	bool tells_waiting;		/* flows whose packets wait for an entry, in a table that was taken over */
	bool tells_gone;		/* the same of VIFs that went with their interface, and of such outputs */
	bool sees_members;		/* which groups sockets of this host have joined */
	bool tells_copies;		/* that an interface gets the packets of another one, too */
	bool takes_entries;		/* a VIF that goes takes the entries along that come in there */
	bool takes_members;		/* an interface that goes takes memberships along */
	bool renames_by_going;		/* an interface that gets another name goes and comes */
	bool needs_multicast;		/* VIFs and memberships need an interface with that flag */
	bool may_reflect;		/* packets may go out where they come in: else they come back for ever */
	bool vif_may_stay;		/* kernel_vif_stays() */
	unsigned group_sources;		/* kernel_group_sources() */
	int64_t wait_ms;		/* how long packets wait for an entry */
	struct {
		bool needs_address;	/* of this family, for a VIF */
		bool vif_stays;		/* when its interface goes */
		bool tells_wrong;	/* packets on a wrong VIF are reported */
		bool tells_all_wrong;	/* kernel_mroute_has_pim() */
		bool drops_waiting;	/* the removal of an entry that is none does so with what waits for one */
		unsigned waiting;	/* packets of a flow that wait for an entry */
	} of[FAM_N];
	const char *(*limit)(int err, enum fam fam);
	const char *(*word)(enum kernel_word word, enum fam fam);
};

extern const struct fake_system fake_linux, fake_freebsd;

#endif
