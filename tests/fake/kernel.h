/* SPDX-License-Identifier: ISC
 *
 * What a test may ask of the kernel that is none: read what was done to it, make
 * it fail, give it interfaces, counters, upcalls and link events.
 */
#ifndef TESTS_FAKE_KERNEL_H
#define TESTS_FAKE_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernel.h"

/* Forgets everything, planned failures and queued events too. */
void fake_reset(void);

/* What was changed since the last call, one line each, valid until the next verb:
 *	open4 table 0		close4
 *	vif4 add 0 if2 ttl 1	vif6 add 0 if2		vif4 del 0
 *	mfc4 add (10.0.0.1,225.1.2.3) iif 0 oifs 1,2 ttl 1,3, lets 2 go	("oifs -" for none; ttl
 *				only when any of them is not 1; packets that waited)
 *	mfc4 del (10.0.0.1,225.1.2.3)
 *	mfc4 add (*,225.1.2.3) iif 0 oifs 1	mfc4 del (*,225.1.2.3) iif 0
 *	join4 if2 (*,225.1.1.1)	leave4 if2 (10.0.0.1,232.1.1.1)
 *	mrdisc4 open|close	mrdisc4 listen if2 on	mrdisc4 advert if2 20 0 0
 *	mrdisc4 solicit|term if2
 *	report4 open|close	report4 v3 if2 (*,225.1.1.1) (10.0.0.1,232.1.1.1)
 *	rules4 ask
 *	members (read)		members followed|not followed
 *	release			adopt NAME		open4 table 0 as it is (one that was handed over)
 *	settled			lost4 if2 (*,225.1.1.1) (behind it: a membership that nobody has joined anew)
 *	reset4
 * A refused verb has " = ENAME" at the end of its line. */
const char *fake_journal(void);

/* Stops and starts the journal, for benchmarks; on after fake_reset(). */
void fake_journal_on(bool on);

/* The next `times` calls of a verb fail with err: mroute_open vif_add vif_del mfc_add
 * mfc_del mfc_stats counts_any vif_stats mroute_drain link_open link_dump link_drain join leave
 * mrdisc_open mrdisc_listen mrdisc_send mrdisc_drain members_read report_open report_send
 * report_drain adopt vifs_read mfc_read mroute_reset.  times < 0: until fake_reset(). */
void fake_fail(const char *verb, int err, int times);

/* From now on so many of a thousand calls of these verbs fail, with ENOMEM, which of them the seed decides; 0 = none.
 * Returns how many have failed since it was called last. */
unsigned fake_fail_some(unsigned per_thousand, uint64_t seed);

/* From now on, until fake_reset(), it is FreeBSD's and not Linux's: system.c has what that means. */
void fake_be_freebsd(void);
bool fake_is_freebsd(void);

/* In either, what the router guarantees to every system is looked at, see kernel_vif_del(): what breaks it ends the
 * test.  While a stranger uses its sockets it is not. */
void fake_stranger(bool on);

/* Adds an interface, of which there is none after fake_reset().  Nothing is reported. */
void fake_link_add(int ifindex);

/* From now on it lacks the flag MULTICAST, or an address of IPv4, or neither. */
void fake_link_lacks(int ifindex, bool multicast, bool address);

/* The events by which the system reports an event of an interface of which it has reported `was` (NULL = nothing)
 * last: their number, 1 or 2.  When it goes and comes by another name, its VIFs go; after LINK_ADDR it has an
 * address. */
unsigned fake_link_event(struct link_event ev, const struct link_event *was, struct link_event out[2]);

bool fake_link_is(int ifindex);

/* Removes one.  What goes with it is the system's. */
void fake_link_del(int ifindex);

/* A socket of another program becomes a member of a group there, or is one no longer.  Nothing is reported. */
void fake_member(int ifindex, const struct addr *grp, bool on);

/* Packets that any interface has received.  Addresses of this host are those that end in .250 or :fa. */
void fake_set_received(uint64_t packets);

/* Counters of an entry, as kernel_mfc_stats() will tell them; false when it is not in. */
bool fake_set_stats(const struct flow *flow, uint64_t packets, uint64_t bytes, uint64_t wrong_if);
void fake_set_vif_stats(enum fam fam, int vif, const struct vif_stats *st);

/* A packet of a flow comes in on a VIF: it is counted, or the kernel asks for an entry, and it waits for that as others
 * do already, or is lost.  Time goes on, and what waits may be lost. */
void fake_packet(const struct flow *flow, int vif);
void fake_set_now(int64_t now);

/* True when the kernel reports a packet that comes in on a VIF and not on that of its entry. */
bool fake_tells_wrong(enum fam fam, int vif, uint32_t oifs);

/* How long ago an entry had its last packet, as kernel_mfc_read() will tell it, false when it is not in; a flow that
 * waits for an entry. */
bool fake_set_idle(const struct flow *flow, int64_t ms);
void fake_add_unresolved(const struct flow *flow);

/* Queues what kernel_mroute_drain(), kernel_link_drain(), kernel_mrdisc_drain() and kernel_report_drain() deliver.
 * kernel_link_dump() delivers the queued link events between its sweep marks. */
void fake_push_upcall(const struct upcall *up);
void fake_push_link(const struct link_event *ev);
void fake_push_solicit(enum fam fam, int ifindex);
void fake_push_query(enum fam fam, int ifindex, unsigned version);

/* What sysctls demand of kernel_report_version(); 0 = nothing. */
void fake_force_report(enum fam fam, unsigned version);

/* Without CONFIG_IP_PIMSM: kernel_mroute_has_pim() is false.  True after fake_reset(). */
void fake_set_pim(bool has);

/* Who holds the routing socket; pid 0 = nobody. */
void fake_set_holder(int pid, const char *comm);

/* The interface of a VIF, 0 = none; each entry, as kernel_mfc_read() would have it. */
int fake_vif(enum fam fam, int vif);
void fake_mfc_each(enum fam fam, kernel_mfc_found_fn *fn, void *ctx);

/* How many there are. */
unsigned fake_mfc_count(enum fam fam);
unsigned fake_join_count(enum fam fam);

/* The entry of a flow, of several (*,G) ones the newest; false when there is none.  iif, oifs may be NULL. */
bool fake_mfc(const struct flow *flow, int *iif, uint32_t *oifs);

/* The entry that takes a packet of a flow which comes in on a VIF: its own, else the newest (*,G) one that has the VIF
 * as its iif or among its outputs (net/ipv4/ipmr_base.c, mr_mfc_find_any); false when there is none. */
bool fake_mfc_for(const struct flow *flow, int vif, int *iif, uint32_t *oifs);

#endif
