/* SPDX-License-Identifier: ISC
 *
 * What the kernel was told of a family: its VIFs and entries.  FreeBSD does not tell it again: entries of IPv6 not at
 * all, those of IPv4 in a layout that changes with versions (sys/netinet6/ip6_mroute.c, mf6ctable;
 * sys/netinet/ip_mroute.h, struct mfc).  So it is kept in a file in memory, which is handed over as the sockets are.
 *
 * The file is right at any instant at which its process may die: an entry is in it before the kernel has it, and out of
 * it after the kernel has it no more.  In between it is unsure, and the next process writes it again.  Free of system
 * headers, so that it is tested on any system.  Private to this room.
 */
#ifndef KERNEL_FREEBSD_LEDGER_H
#define KERNEL_FREEBSD_LEDGER_H

#include "kernel/kernel.h"
#include "lib/hash.h"

enum ledger_state { LEDGER_FREE, LEDGER_UNSURE, LEDGER_SURE };

struct ledger_entry {
	struct flow flow;
	uint32_t oifs;
	uint32_t next_free;		/* of a free one: the number of the next, or HASH_NONE */
	uint8_t iif, state;
	bool is_new;			/* unsure, and not in the kernel before */
	uint8_t ttl[KERNEL_VIFS];
};

struct ledger_vif {
	int32_t ifindex;
	uint32_t state;
	uint64_t identity;		/* of the interface, as links.h has it */
};

struct ledger {
	int fd;				/* of the file, the caller's to close; -1: nothing is kept */
	struct ledger_file *file;	/* mapped */
	uint32_t n;			/* entries that there is room for */
	uint32_t free;			/* the first free one, or HASH_NONE */
	struct hash index;		/* flow to entry */
};

/* Begins an empty one.  Returns its descriptor, or -1 with errno. */
int ledger_begin(struct ledger *l);

/* True when a descriptor from elsewhere is the file of a ledger. */
bool ledger_is(int fd);

/* Goes on with what another process wrote, or this one before another wrote too.  0, or -1 with errno: nothing is
 * kept. */
int ledger_load(struct ledger *l, int fd);

/* Nothing is kept any more.  The descriptor stays open. */
void ledger_end(struct ledger *l);

/* Forgets all entries and VIFs. */
void ledger_clear(struct ledger *l);

/* Around the call of the kernel that writes an entry: of e flow, iif, oifs and ttl count.  0, or -1 with ENOMEM, and
 * the call is not to be made; `taken`: the kernel took it.  errno stays as it was. */
int ledger_before(struct ledger *l, const struct ledger_entry *e);
void ledger_after(struct ledger *l, const struct ledger_entry *e, bool taken);

/* False when the kernel has no entry of this flow for certain. */
bool ledger_has(const struct ledger *l, const struct flow *flow);

/* The kernel has no entry of this flow any more. */
void ledger_del(struct ledger *l, const struct flow *flow);

/* The n-th entry, for n below l->n; it may be free.  Valid until the next call of a function that is not const. */
const struct ledger_entry *ledger_at(const struct ledger *l, uint32_t n);

/* Around the calls that add and remove a VIF; after an ifindex of 0 there is none.  identity: of the interface. */
void ledger_vif_before(struct ledger *l, int vif);
void ledger_vif_after(struct ledger *l, int vif, int ifindex, uint64_t identity);

/* 0: there is none; -1: unsure. */
int ledger_vif(const struct ledger *l, int vif);
uint64_t ledger_vif_identity(const struct ledger *l, int vif);

#endif
