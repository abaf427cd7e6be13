/* SPDX-License-Identifier: ISC
 *
 * Facts about FreeBSD are of 13.2 to 15.1, with the file of its kernel; tests/vm/freebsd/ asks a real one.
 */
#include "tests/fake/system.h"

#include <errno.h>

/* ---- words of both, whichever system this is built on ---- */

const char *fake_word_linux(enum kernel_word word, enum fam fam);
const char *fake_word_freebsd(enum kernel_word word, enum fam fam);

#define kernel_word(word, fam) fake_word_linux(word, fam)
#include "kernel/linux/words.c"
#undef kernel_word
#define kernel_word(word, fam) fake_word_freebsd(word, fam)
#include "kernel/freebsd/words.c"
#undef kernel_word

/* ---- limits of memberships ---- */

static const char *fake_limit_linux(int err, enum fam fam)
{
	switch (err) {
	case EMFILE:
		return "RLIMIT_NOFILE = 1024";
	case ENFILE:
		return "fs.file-max = 4096";
	case ENOBUFS:
		return fam == FAM_4 ? "net.ipv4.igmp_max_memberships = 20" : "net.core.optmem_max = 20480";
	default:
		return "";
	}
}

static const char *fake_limit_freebsd(int err, enum fam fam)
{
	(void)fam;
	switch (err) {
	case EMFILE:
		return "RLIMIT_NOFILE = 1024";
	case ENFILE:
		return "kern.maxfiles = 4096";
	case ENOMEM:
	case ENOBUFS:
		return "250 sources of a group on an interface";
	default:
		return "";
	}
}

/* ---- the systems ---- */

const struct fake_system fake_linux = {
	.has_tables = true,
	.has_any_source = true,
	.tells_waiting = true,
	.sees_members = true,
	.tells_copies = true,
	.may_reflect = true,
	.wait_ms = 10000,				/* net/ipv4/ipmr.c, ipmr_cache_alloc_unres */
	.of = {
		/* A fifth one is dropped (net/ipv4/ipmr.c, ipmr_cache_unresolved). */
		[FAM_4] = { .tells_wrong = true, .tells_all_wrong = true, .waiting = 4 },
		[FAM_6] = { .tells_wrong = true, .tells_all_wrong = true, .waiting = 4 },
	},
	.limit = fake_limit_linux,
	.word = fake_word_linux,
};

const struct fake_system fake_freebsd = {
	.tells_gone = true,				/* kernel/freebsd/ledger.h */
	.takes_entries = true,				/* sys/netinet/ip_mroute.c, if_detached_event */
	.takes_members = true,				/* sys/netinet/in_mcast.c, inm_purge */
	.renames_by_going = true,			/* sys/net/if.c, ifhwioctl */
	.needs_multicast = true,			/* sys/netinet/in_mcast.c, inp_join_group; add_vif */
	.vif_may_stay = true,
	.group_sources = KERNEL_GROUP_SOURCES,
	.wait_ms = 1500,				/* sys/netinet/ip_mroute.c, expire_upcalls */
	.of = {
		[FAM_4] = { .needs_address = true, .tells_wrong = true, .tells_all_wrong = true, .drops_waiting = true,
			    .waiting = 3 },		/* sys/netinet/ip_mroute.h, MAX_UPQ */
		/* No handler of departures in sys/netinet6/ip6_mroute.c; reports of wrong interfaces are left off, as
		 * they would have no limit. */
		[FAM_6] = { .vif_stays = true, .waiting = 5 },
	},
	.limit = fake_limit_freebsd,
	.word = fake_word_freebsd,
};
