/* SPDX-License-Identifier: ISC
 *
 * What the router and the daemon ask of the kernel, and what it reports.  No header of the system in it.  The files of
 * kernel/ and kernel/OS that the headings name do it, tests/fake/ does so without a kernel.  Every function returns 0
 * or -1 with errno unless it says otherwise, and logs nothing.  One process holds one set of sockets, hence no handle.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/flow.h"

/* VIFs (IPv4) or MIFs (IPv6) a family and table: MAXVIFS of linux/mroute.h. */
#define KERNEL_VIFS 32
#define KERNEL_IFNAME 16	/* bytes of an interface name with its NUL */

/* ---- the routing sockets (mroute.c) ---- */

/* Opens the routing socket of a family and takes the multicast routing of its table (0 = the default one).  0, or 1
 * when it is one that kernel_adopt() took over, as it was left: kernel_vifs_read() is to be called next.  errno:
 * EADDRINUSE somebody has it, and then the socket is kept: the next call tries to take it on that one, for which no
 * capability is needed; EPERM, EACCES a capability is missing; EAFNOSUPPORT the family is off or not in this kernel;
 * ENOPROTOOPT, EOPNOTSUPP, EPROTONOSUPPORT its multicast routing is not; ENOENT no table but the default one is. */
int kernel_mroute_open(enum fam fam, uint32_t table);

/* Gives everything of a family back to the kernel, and closes a socket that was kept. */
void kernel_mroute_close(enum fam fam);

/* Descriptor to poll for upcalls, or -1 while the family is closed or somebody else has it. */
int kernel_mroute_fd(enum fam fam);

/* True when the kernel reports packets on any wrong VIF (CONFIG_IP_PIMSM_V2, CONFIG_IPV6_PIMSM_V2), not only on those
 * that are an output of the entry. */
bool kernel_mroute_has_pim(enum fam fam);

/* True when a system has more than one table of multicast routes, or a kernel of it may. */
bool kernel_has_tables(void);

/* Adds interface ifindex as VIF number vif.  threshold: TTL, 1 = all; IPv4 only.  errno: ENODEV no such interface, or
 * one without this family; EADDRNOTAVAIL it has no address of this family yet, where the system asks for one;
 * EADDRINUSE the number is taken; EOVERFLOW an ifindex beyond 65535, which struct mif6ctl cannot hold (IPv6). */
int kernel_vif_add(enum fam fam, int vif, int ifindex, uint8_t threshold);

/* Removes a VIF.  One that went with its interface counts as removed.  The router guarantees to every system: no entry
 * of the kernel has it as iif or output any more, as whoever gets the number next would take its place, and FreeBSD
 * follows it to an interface that is gone (sys/netinet6/ip6_mroute.c, ip6_mdq); never is a number added that is taken,
 * or that an entry has;
 * the VIFs that an entry names are added before it (IPv4 of FreeBSD drops outputs above the highest number). */
int kernel_vif_del(enum fam fam, int vif);

/* True when a VIF may stay in the kernel after its interface is gone.  Then the router removes it, as soon as all
 * entries are rewritten that have it, and nobody gets its number before that. */
bool kernel_vif_stays(enum fam fam);

/* Adds the entry of a flow or replaces it in place.  iif: VIF number; oifs: bit n = VIF n; ttl[n]: threshold of VIF n,
 * IPv4 only, may be NULL for all 1.
 *
 * A flow of any source is a (*,G) entry of the kernel, one for each iif: it takes packets of all sources that have no
 * entry of their own, with no upcall, and never sends them out of the iif.  Packets of the group on one of its outputs
 * are its own too, as wrong ones, unless a newer (*,G) entry has that iif.  errno where the system has no such entries:
 * ENOPROTOOPT, EOPNOTSUPP. */
int kernel_mfc_add(const struct flow *flow, int iif, uint32_t oifs, const uint8_t *ttl);

/* Removes an entry; ENOENT when there is none.  iif: that of a (*,G) entry, of no matter for others. */
int kernel_mfc_del(const struct flow *flow, int iif);

struct mfc_stats {
	uint64_t packets;	/* on the right interface; IPv4 adds a copy for each output that is a member itself */
	uint64_t bytes;		/* of all packets, right and wrong */
	uint64_t wrong_if;
};

/* Counters of an entry; ENOENT when there is none.  Of several (*,G) entries of a group: those of the newest one. */
int kernel_mfc_stats(const struct flow *flow, struct mfc_stats *st);

struct vif_stats {
	uint64_t in_packets, in_bytes, out_packets, out_bytes;
};

/* Counters of a VIF; ENOENT when there is none. */
int kernel_vif_stats(enum fam fam, int vif, struct vif_stats *st);

enum upcall_kind { UPCALL_NOCACHE, UPCALL_WRONGVIF };

struct upcall {
	enum upcall_kind kind;
	enum fam fam;
	int vif;
	struct flow flow;
};
typedef void kernel_upcall_fn(void *ctx, const struct upcall *up);

/* Reads what there is and calls fn for at most max upcalls: of many the newest, in the order in which they came.
 * Returns their number (max means that there may be more, which the descriptor need not tell), or -1 with errno when
 * the socket itself failed. */
int kernel_mroute_drain(enum fam fam, int max, kernel_upcall_fn *fn, void *ctx);

/* ---- sockets that are handed over (held.c, mroute.c) ---- */

/* The kernel keeps routes, memberships and their counters as long as anybody holds the sockets.  Each has a name:
 *	mroute4, mroute6	the routing socket of a family, of table ID: mroute4.ID
 *	mrdisc4, mrdisc6, report4, report6	the raw sockets of kernel_mrdisc_open() and kernel_report_open()
 *	member.N		one that joins; N is another one for each, at any time of the process
 *	advert4.I, advert6.I	one that hears the solicitations on interface I, which is advertised on
 *	ledger4, ledger6	no socket but a file: what the kernel was told, where it does not tell it again */
#define KERNEL_FDNAME 24	/* bytes of a name with its NUL */

/* Calls fn for each socket that is open. */
typedef void kernel_fd_fn(void *ctx, const char *name, int fd);
void kernel_fds(kernel_fd_fn *fn, void *ctx);

/* From now on calls fn for each socket that has been opened, of member.N before its first join, and for each that is
 * about to be closed; NULL: no longer.  For those that are open already: kernel_fds(). */
typedef void kernel_fd_follow_fn(void *ctx, const char *name, int fd, bool is_open);
void kernel_fds_follow(kernel_fd_follow_fn *fn, void *ctx);

/* Takes over a socket that another process opened, for kernel_mroute_open(), kernel_mrdisc_open() and
 * kernel_report_open() to use instead of a new one; table is what the first of them will be told.  One that joins,
 * or hears, is kept as it is until kernel_join_settled().  No capability is needed.  0: the socket is this room's
 * now.  -1 with errno, and it is still the caller's: EINVAL no name of a socket; ENOTSOCK, EPROTOTYPE no socket, or
 * none of the kind that its name says; EXDEV of another network namespace; EEXIST there is one of this name already;
 * ESTALE it holds no routing table (any more); ESRCH it holds another one than this table. */
int kernel_adopt(const char *name, int fd, uint32_t table);

/* Reads which interface each VIF of a family is, 0 = none, -1 = one that is no more, when the routing socket was handed
 * over. */
int kernel_vifs_read(enum fam fam, int ifindex[KERNEL_VIFS]);

/* An entry as it stands in the kernel. */
struct mfc_found {
	struct flow flow;
	int iif;			/* VIF number, -1 = its interface is gone */
	uint32_t oifs;			/* as kernel_mfc_add() has them */
	uint8_t ttl[KERNEL_VIFS];	/* threshold of each of them */
	bool is_unresolved;		/* none yet: packets wait for it, and only the flow is known */
	struct mfc_stats st;
	int64_t idle_ms;		/* since its last packet; 0 where the kernel does not tell */
};
typedef void kernel_mfc_found_fn(void *ctx, const struct mfc_found *e);

/* Calls fn for each entry of the table, after kernel_vifs_read(). */
int kernel_mfc_read(enum fam fam, kernel_mfc_found_fn *fn, void *ctx);

/* Takes everything out of a table that could not be read, and begins anew on the same socket: 0, or -1 and the family
 * is closed; kernel_mroute_open() tries again then, without any capability. */
int kernel_mroute_reset(enum fam fam);

/* Closes the sockets with memberships that were handed over: what kernel_join() has joined meanwhile on others stays,
 * and nothing of it is seen on a wire.  Returns how many there were: none when kernel_join() had to close them to have
 * descriptors enough. */
unsigned kernel_join_settled(void);

/* Closes all sockets of this process and undoes nothing: another process holds them. */
void kernel_release(void);

/* ---- counters of (*,G) entries (counts.c) ---- */

/* Calls fn for each (*,G) entry of the default table, iif a VIF number: of several of a group kernel_mfc_stats() tells
 * those of one.  Reads all entries, in a time that grows with the square of their number: 4,000 take 8 ms. */
typedef void kernel_counts_fn(void *ctx, const struct addr *group, int iif, const struct mfc_stats *st);
int kernel_counts_any(enum fam fam, kernel_counts_fn *fn, void *ctx);

/* ---- who else routes (holder.c) ---- */

/* Who holds the routing socket of a family: pid and command name; false when nobody else does or /proc does not
 * tell.  The process `but` does not, as its own word is; 0 = none. */
bool kernel_mroute_holder(enum fam fam, int but, int *pid, char *comm, size_t len);

/* True while the kernel closes the descriptors of a process that has ended, one with the name of this program: its
 * routing sockets may be among them. */
bool kernel_mroute_is_closing(void);

/* ---- words of a system (words.c) ---- */

/* What a user of this system reads or types. */
enum kernel_word {
	WORD_FAMILY,			/* what a kernel without sockets of a family was built without; NULL: nothing,
					 * it is off there, or that cannot be seen */
	WORD_ROUTING, WORD_TABLES,	/* what a kernel needs to route, and to do so in several tables */
	WORD_PIM,			/* why kernel_mroute_has_pim() is false, and what follows */
	WORD_RIGHT,			/* what a process lacks whose kernel_mroute_open() gives EPERM */
	WORD_RIGHT_ROOT, WORD_RIGHT_USER, WORD_RIGHT_FIX,	/* the same to root and others, and a command */
	WORD_LINKS,			/* commands; after the following comes a name */
	WORD_LINK_SHOW, WORD_LINK_SET, WORD_LINK_COUNTS,
	WORD_INTERFACES,		/* where commands are that an interface comes up with */
	WORD_SNIFF, WORD_COUNTERS,	/* why packets, why counters of the host cannot be seen */
	WORD_V6_OFF, WORD_V6_ON,	/* that an interface has no IPv6; after WORD_LINK_SET, that it has it again */
	KERNEL_WORDS
};

/* Static; NULL where a system has none of it. */
const char *kernel_word(enum kernel_word word, enum fam fam);

/* ---- interfaces (netlink.c) ---- */

/* With the values of net/if.h, as rtnl.c has it checked. */
enum {
	LINK_UP = 0x1, LINK_LOOPBACK = 0x8, LINK_POINTOPOINT = 0x10, LINK_RUNNING = 0x40, LINK_MULTICAST = 0x1000,
};

enum link_kind {
	LINK_SWEEP_BEGIN,	/* a full dump starts: what it does not name is gone; comes again when it was in vain */
	LINK_NEW,		/* new, or changed in any way */
	LINK_DEL,
	LINK_ADDR,		/* an address of ifindex came or went */
	LINK_ALLMULTI,		/* allmulti of ifindex, after a VIF of ours was added or removed there: the kernel
				 * itself reports no change of it (net/core/dev.c, __dev_set_allmulti) */
	LINK_MEMBERS,		/* sockets of this host are members of other groups than before, see members.c */
	LINK_SWEEP_END,
	LINK_RULES_BEGIN,	/* an answer to kernel_rules_ask(fam) starts; one that starts anew was in vain */
	LINK_RULE,		/* packets of fam that come in on `name`, or on any when that is "", get to table,
				 * 0 = to none; the first rule for an interface is the one that holds */
	LINK_RULES_END,
};

struct link_event {
	enum link_kind kind;
	int ifindex;
	unsigned flags;			/* LINK_* above; LINK_NEW only */
	int8_t allmulti;		/* takes in all multicast frames: 1 yes, 0 no, -1 unknown; LINK_NEW and
					 * LINK_ALLMULTI only */
	uint32_t mtu;
	int master;			/* ifindex of the bridge, bond or VRF, 0 = none */
	uint32_t vrf;			/* table of the VRF that it is in, 0 = none; LINK_NEW only */
	int copies;			/* ifindex of the one whose multicast packets it gets as well, after that one
					 * (macvlan, ipvlan), 0 = none; LINK_NEW only */
	char name[KERNEL_IFNAME];	/* LINK_NEW, LINK_RULE, and LINK_DEL when known */
	enum fam fam;			/* LINK_RULE* only */
	uint32_t table;			/* LINK_RULE only */
	bool by_vrf;			/* LINK_RULE: not table, but that of the interface's VRF, if it is in one */
};
typedef void kernel_link_fn(void *ctx, const struct link_event *ev);

/* Opens the rtnetlink socket, joined to link and address events of both families. */
int kernel_link_open(void);
void kernel_link_close(void);
int kernel_link_fd(void);

/* Asks for a dump of all links and reads until it is complete: SWEEP_BEGIN, NEW..., SWEEP_END.  For the start; later
 * dumps come through kernel_link_drain(). */
int kernel_link_dump(kernel_link_fn *fn, void *ctx);

/* Reads at most max datagrams and calls fn for each event.  Lost events (ENOBUFS) start a new dump, whose events follow
 * by the same way.  Returns the number read, or -1 with errno. */
int kernel_link_drain(int max, kernel_link_fn *fn, void *ctx);

/* What was told could not be taken in: the next kernel_link_drain() starts a new dump. */
void kernel_link_lost(void);

/* Asks for the rules that `ip mrule` shows of a family, without waiting.  The answer comes through kernel_link_drain(),
 * once for all that asked before it starts; none comes from a kernel that has one table only. */
void kernel_rules_ask(enum fam fam);

/* Has LINK_MEMBERS reported, where the kernel can do that, or no longer. */
void kernel_members_follow(bool on);

/* ---- group memberships (membership.c, limit.c) ---- */

/* Joins grp, from src alone unless src is NULL, on an interface.  The sockets are made and shared inside.  *slot is the
 * socket it went to, for kernel_leave().  The caller keeps the list of its memberships: a second join of the same may
 * succeed, on another socket.  errno ENODEV no such interface, or one without this family; EADDRINUSE joined already on
 * that socket; EMFILE, ENFILE, ENOBUFS, ENOMEM a limit, for which kernel_join_limit() has the words. */
int kernel_join(int ifindex, const struct addr *src, const struct addr *grp, uint32_t *slot);

/* Leaves what kernel_join() joined there; an interface that is gone counts as left.  Of many, the newest first: the
 * kernel searches the list of the interface from that end. */
int kernel_leave(int ifindex, const struct addr *src, const struct addr *grp, uint32_t slot);

/* Most sources of one group on one interface that may be joined, over all sockets; 0 = the kernel sees to that itself.
 * Of FreeBSD 15.0 the 513th panics the machine (sys/netinet/in_mcast.c), and while one process takes over from another
 * both have theirs. */
#define KERNEL_GROUP_SOURCES 250u
unsigned kernel_group_sources(void);

/* For an errno of kernel_join(): which limit it was, with its value; "" when none. */
const char *kernel_join_limit(int err, enum fam fam);

/* The value of a sysctl ("net.ipv4.igmp_max_msf"), or -1 where it cannot be read. */
long long kernel_sysctl(const char *name);

/* Leaves everything and closes all sockets. */
void kernel_join_close(void);

/* ---- which groups this host is a member of (members.c) ---- */

/* Reads anew of which groups the sockets of this host, all programs' and ours, are members; *n: how many memberships
 * there are.  Returns 1 when something is not as it was at the last reading, 0 when nothing, -1 with errno where that
 * cannot be seen, and then nobody is a member; EOPNOTSUPP: this system gives all that leaves to itself, whoever is a
 * member, and the router guarantees it that no entry has its iif as output. */
int kernel_members_read(uint32_t *n);

/* True when a packet that is forwarded to the interface comes back in there, as of the last reading: the kernel gives
 * what leaves where this host is a member to itself, and routes it again.  Of a range: when that may be so for some of
 * it. */
bool kernel_members_loop(int ifindex, const struct flow_range *range);

/* All packets that an interface has received from outside.  errno ENODEV: no such interface. */
int kernel_received(const char *name, uint64_t *packets);

/* True when an address is one of this host, or may be. */
bool kernel_is_own(const struct addr *a);

/* ---- multicast router discovery, RFC 4286 (mrdisc_socket.c, mrdisc.c) ---- */

enum mrdisc_kind { MRDISC_ADVERT, MRDISC_SOLICIT, MRDISC_TERM };

/* Seconds between advertisements, and the shortest time between two messages on one interface (MaxMessageRate is 10 a
 * second). */
enum { MRDISC_INTERVAL_MIN = 4, MRDISC_INTERVAL = 20, MRDISC_INTERVAL_MAX = 180, MRDISC_GAP_MS = 100 };

/* Advertisements in quick succession with which an interface starts (MaxInitialAdvertisements). */
enum { MRDISC_INITIAL = 3 };

/* Milliseconds to wait before the next unsolicited advertisement, of which `sent` have gone out since the interface
 * started; interval in seconds, rnd any random number. */
uint32_t mrdisc_delay(unsigned interval, unsigned sent, uint32_t rnd);

/* Opens the socket of a family; needs CAP_NET_RAW, later use does not. */
int kernel_mrdisc_open(enum fam fam);
void kernel_mrdisc_close(enum fam fam);

/* Descriptor to poll for solicitations, or -1 while the family is closed. */
int kernel_mrdisc_fd(enum fam fam);

/* Hears solicitations on an interface, or no longer.  On twice, off twice: nothing happens.  0, or -1 with errno; 1
 * when whoever handed the sockets over has advertised on it until now. */
int kernel_mrdisc_listen(enum fam fam, int ifindex, bool on);

/* Sends one message on an interface.  The last three only matter to an advertisement.  errno EADDRNOTAVAIL: the
 * interface has no (IPv6: link-local) address to send from. */
int kernel_mrdisc_send(enum fam fam, int ifindex, enum mrdisc_kind kind, uint8_t interval, uint16_t query_interval,
		       uint16_t robustness);

/* Reads at most max messages and calls fn for each valid solicitation.  Returns the number read, or -1 with errno. */
typedef void kernel_mrdisc_fn(void *ctx, enum fam fam, int ifindex);
int kernel_mrdisc_drain(enum fam fam, int max, kernel_mrdisc_fn *fn, void *ctx);

/* ---- memberships reported again, and who asks for them (report_socket.c, report.c) ---- */

#define REPORT_VERSIONS 3	/* of IGMP; MLD has two, which are as IGMPv2 and v3 */

/* Opens the socket of a family; needs CAP_NET_RAW, later use does not. */
int kernel_report_open(enum fam fam);
void kernel_report_close(enum fam fam);

/* Descriptor to poll for queries, or -1 while the family is closed. */
int kernel_report_fd(enum fam fam);

/* The version of IGMP (1 to 3) or MLD (1 to 2) that the kernel itself reports in on an interface, when the oldest one
 * that queriers there used lately is `asked`, 0 = none.  A number beyond the newest stands for that. */
unsigned kernel_report_version(enum fam fam, const char *ifname, unsigned asked);

/* Reports memberships on an interface in one packet of at most mtu bytes, as far as there is room: their number, at
 * least one of the n; or -1 with errno.  A source that is all zero: any.  None of them is joined or left by it. */
int kernel_report_send(enum fam fam, int ifindex, uint32_t mtu, unsigned version, const struct flow *v, unsigned n);

/* Reads at most max messages and calls fn for each general query of all groups, with its version.  Those of this host
 * itself are among them.  Returns the number read, or -1 with errno. */
typedef void kernel_query_fn(void *ctx, enum fam fam, int ifindex, unsigned version);
int kernel_report_drain(enum fam fam, int max, kernel_query_fn *fn, void *ctx);

#endif
