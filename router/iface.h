/* SPDX-License-Identifier: ISC
 *
 * The interfaces of this machine as rtnetlink tells them, and the VIF (IPv4) and MIF (IPv6) numbers given to them.
 * Sole owner of both numberings.  Knows no rule: vif.c says which interface is to have a number.
 */
#ifndef ROUTER_IFACE_H
#define ROUTER_IFACE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/ifname.h"
#include "kernel/kernel.h"
#include "lib/hash.h"

/* Whether the assignment of numbers in vif.c has come across an interface. */
enum { IFACE_UNWANTED, IFACE_WANTED, IFACE_TRIED };

struct iface {
	int ifindex;			/* 0 = this place is free */
	uint32_t place;			/* in ifaces.v */
	unsigned flags;			/* LINK_* */
	uint32_t mtu;
	int master;
	uint32_t vrf;			/* table of the VRF that it is in, 0 = none */
	int copies;			/* ifindex of the one whose multicast packets it gets as well, 0 = none */
	int8_t allmulti;		/* takes in all multicast frames: 1 yes, 0 no, -1 unknown */
	char name[KERNEL_IFNAME];
	int vif[FAM_N];			/* number, or -1 */
	int vif_errno[FAM_N];		/* why the kernel refused one, 0 = it did not */
	bool disabled;			/* phyint ... disable */
	bool mrdisc;			/* phyint ... mrdisc */
	bool waits[FAM_N];		/* wants a number, none is free */
	uint8_t table[FAM_N];		/* TABLE_* below */
	uint8_t wanted[FAM_N];		/* IFACE_* above */
	bool groups_stale;		/* its memberships are to be looked at */
	bool swept;			/* not named yet by the running dump */
	uint8_t ttl;			/* threshold, 1 = none */
	uint16_t refresh;		/* phyint ... refresh: seconds, 0 = not */
	int64_t up_since;		/* ms: from then on queries are heard */
	int64_t queried[FAM_N][REPORT_VERSIONS];	/* ms: last general query of each version, 0 = none */
};

/* Whether packets that come in get to the table of the router, as far as table.c knows. */
enum {
	TABLE_UNKNOWN,
	TABLE_WANTED,			/* to be found out */
	TABLE_ASKED,			/* rules are coming in, none was for it yet */
	TABLE_OTHER,			/* the first rule for it leads elsewhere */
	TABLE_REPORTED,			/* they do, or the log says how they would */
};

/* By what an interface is found. */
enum { IFACE_BY_INDEX, IFACE_BY_NAME, IFACE_KEYS };

struct ifaces {
	struct iface *v;
	uint32_t n, cap;		/* places in use or free; room */
	uint32_t live;
	struct hash by[IFACE_KEYS];
	uint32_t vif[FAM_N][KERNEL_VIFS];	/* place of the interface, or HASH_NONE */
	uint32_t held[FAM_N];		/* numbers, as bits, that none may have yet: entries have them */
	uint32_t leaving[FAM_N];	/* the same: the kernel has them */
};

void ifaces_init(struct ifaces *t);
void ifaces_free(struct ifaces *t);

/* The interface with that index, or that name; NULL when there is none.  It stays where it is until
 * another one is added. */
struct iface *iface_find(const struct ifaces *t, int ifindex);
struct iface *iface_find_name(const struct ifaces *t, const char *name);

/* The next interface after `last`, which may be deleted by now; the first one when that is NULL.  NULL at the end. */
struct iface *iface_next(const struct ifaces *t, struct iface *last);

/* The same of those that a name of the conf means. */
struct iface *iface_match(const struct ifaces *t, const struct ifname *n, struct iface *last);

/* Its name, or "?" when it is NULL. */
const char *iface_str(const struct iface *i);

/* Adds an interface under a name, KERNEL_IFNAME bytes, that no other has; NULL with ENOMEM. */
struct iface *iface_add(struct ifaces *t, int ifindex, const char *name);

/* Gives an interface another name, KERNEL_IFNAME bytes, that no other has. */
void iface_rename(struct ifaces *t, struct iface *i, const char *name);

/* Forgets an interface.  Its numbers must have been released. */
void iface_del(struct ifaces *t, struct iface *i);

/* True when rules with a name that means it may use it.  Linux routes and joins on interfaces without the MULTICAST
 * flag as well, such as those of WireGuard: named in full they are used as they are, a wildcard leaves them out, and
 * lo. */
static inline bool iface_usable(const struct iface *i, const struct ifname *name)
{
	return !i->disabled && (!name->is_wildcard || ((i->flags & LINK_MULTICAST) && !(i->flags & LINK_LOOPBACK)));
}

/* Takes the lowest free number of a family for an interface without asking the kernel; -1 when all are taken or
 * held. */
int iface_slot_alloc(struct ifaces *t, enum fam fam, struct iface *i);

/* Gives an interface, which has none, a number that is free. */
void iface_slot_set(struct ifaces *t, enum fam fam, struct iface *i, int vif);

/* Gives the number of an interface, which has one, back. */
void iface_slot_free(struct ifaces *t, enum fam fam, struct iface *i);

/* The interface that has a number, or NULL. */
struct iface *iface_by_vif(const struct ifaces *t, enum fam fam, int vif);

#endif
