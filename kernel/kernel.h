/* SPDX-License-Identifier: ISC
 *
 * What the rest of the program may ask of the kernel, and what it reports.
 * The only header of this room that others include; no header of the system in
 * it.  linux_*.c implement it, tests/fake/kernel.c does so without a kernel.
 * Every function returns 0 or -1 with errno unless it says otherwise, and says
 * nothing to the log.  One process holds one set of sockets, hence no handle.
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

/* ---- the routing sockets (linux_mroute.c) ---- */

/* Opens the routing socket of a family and takes the multicast routing of its table
 * (0 = the default one).  errno: EADDRINUSE somebody has it; EPERM, EACCES a capability
 * is missing; ENOPROTOOPT, EOPNOTSUPP, EAFNOSUPPORT, EPROTONOSUPPORT not in this kernel. */
int kernel_mroute_open(enum fam fam, uint32_t table);

/* Gives everything of a family back to the kernel. */
void kernel_mroute_close(enum fam fam);

/* Descriptor to poll for upcalls, or -1 while the family is closed. */
int kernel_mroute_fd(enum fam fam);

/* True when the kernel reports packets on any wrong VIF (CONFIG_IP_PIMSM_V2,
 * CONFIG_IPV6_PIMSM_V2), not only on those that are an output of the entry. */
bool kernel_mroute_has_pim(enum fam fam);

/* Adds interface ifindex as VIF number vif.  threshold: TTL, 1 = all; IPv4 only.
 * errno: ENODEV no such interface, or one without this family; EADDRINUSE the number is
 * taken; EOVERFLOW an ifindex beyond 65535, which struct mif6ctl cannot hold (IPv6). */
int kernel_vif_add(enum fam fam, int vif, int ifindex, uint8_t threshold);

/* Removes a VIF.  One that went with its interface counts as removed. */
int kernel_vif_del(enum fam fam, int vif);

/* Adds the entry of a flow or replaces it in place.  iif: VIF number; oifs: bit n =
 * VIF n; ttl[n]: threshold of VIF n, IPv4 only, may be NULL for all 1. */
int kernel_mfc_add(const struct flow *flow, int iif, uint32_t oifs, const uint8_t *ttl);

/* Removes an entry; ENOENT when there is none. */
int kernel_mfc_del(const struct flow *flow);

struct mfc_stats {
	uint64_t packets;	/* that came in on the right interface; IPv4 adds a copy for
				 * each output that is a member of the group itself */
	uint64_t bytes;		/* of all packets, right and wrong */
	uint64_t wrong_if;
};

/* Counters of an entry; ENOENT when there is none. */
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

/* Reads what there is and calls fn for at most max upcalls: of many the newest, in the order in
 * which they came.  Returns their number (max means that there may be more, which the descriptor
 * need not tell), or -1 with errno when the socket itself failed. */
int kernel_mroute_drain(enum fam fam, int max, kernel_upcall_fn *fn, void *ctx);

/* ---- interfaces (linux_netlink.c) ---- */

/* With the values of net/if.h, as rtnl.c has it checked. */
enum {
	LINK_UP = 0x1,
	LINK_LOOPBACK = 0x8,
	LINK_POINTOPOINT = 0x10,
	LINK_RUNNING = 0x40,
	LINK_MULTICAST = 0x1000,
};

enum link_kind {
	LINK_SWEEP_BEGIN,	/* a full dump starts: what it does not name is gone; may
				 * come again before the end, when the first was in vain */
	LINK_NEW,		/* new, or changed in any way */
	LINK_DEL,
	LINK_ADDR,		/* an address of ifindex came or went */
	LINK_ALLMULTI,		/* allmulti of ifindex, after a VIF of ours was added or removed there: the kernel
				 * itself reports no change of it (net/core/dev.c, __dev_set_allmulti) */
	LINK_SWEEP_END,
	LINK_RULES_BEGIN,	/* an answer to kernel_rules_ask(fam) starts; one that starts anew was in vain */
	LINK_RULE,		/* packets of fam that come in on `name`, or on any when that is "", get to table; the
				 * first rule for an interface is the one that holds */
	LINK_RULES_END,
};

struct link_event {
	enum link_kind kind;
	int ifindex;
	unsigned flags;			/* LINK_* above; LINK_NEW only */
	int8_t allmulti;		/* takes in all multicast frames: 1 yes, 0 no, -1 unknown; LINK_NEW and
					 * LINK_ALLMULTI only */
	uint32_t mtu;
	int master;			/* ifindex of the bridge or bond, 0 = none */
	char name[KERNEL_IFNAME];	/* LINK_NEW, LINK_RULE, and LINK_DEL when known */
	enum fam fam;			/* LINK_RULE* only */
	uint32_t table;			/* LINK_RULE only */
};
typedef void kernel_link_fn(void *ctx, const struct link_event *ev);

/* Opens the rtnetlink socket, joined to link and address events of both families. */
int kernel_link_open(void);
void kernel_link_close(void);
int kernel_link_fd(void);

/* Asks for a dump of all links and reads until it is complete: SWEEP_BEGIN, NEW..., SWEEP_END.
 * For the start; later dumps come through kernel_link_drain(). */
int kernel_link_dump(kernel_link_fn *fn, void *ctx);

/* Reads at most max datagrams and calls fn for each event.  Lost events (ENOBUFS) start a new
 * dump, whose events follow by the same way.  Returns the number read, or -1 with errno. */
int kernel_link_drain(int max, kernel_link_fn *fn, void *ctx);

/* Asks for the rules that `ip mrule` shows of a family, without waiting.  The answer comes through
 * kernel_link_drain(), once for all that asked before it starts; none comes from a kernel that has one table only. */
void kernel_rules_ask(enum fam fam);

/* ---- group memberships (membership.c) ---- */

/* Joins grp, from src alone unless src is NULL, on an interface.  The sockets are made and
 * shared inside.  *slot is the socket it went to, for kernel_leave().  The caller keeps the
 * list of its memberships: a second join of the same may succeed, on another socket.
 * errno ENODEV no such interface, or one without this family; EADDRINUSE joined already on
 * that socket; EMFILE, ENFILE, ENOBUFS, ENOMEM a limit, for which kernel_join_limit() has the
 * words. */
int kernel_join(int ifindex, const struct addr *src, const struct addr *grp, uint32_t *slot);

/* Leaves what kernel_join() joined there; an interface that is gone counts as left.  Of many,
 * the newest first: the kernel searches the list of the interface from that end. */
int kernel_leave(int ifindex, const struct addr *src, const struct addr *grp, uint32_t slot);

/* For an errno of kernel_join(): which limit it was, with its value; "" when none. */
const char *kernel_join_limit(int err, enum fam fam);

/* Leaves everything and closes all sockets. */
void kernel_join_close(void);

/* ---- multicast router discovery, RFC 4286 (linux_mrdisc.c; timing in mrdisc.c) ---- */

enum mrdisc_kind { MRDISC_ADVERT, MRDISC_SOLICIT, MRDISC_TERM };

/* Seconds between advertisements, and the shortest time between two messages on one
 * interface (MaxMessageRate is 10 a second). */
enum {
	MRDISC_INTERVAL_MIN = 4,
	MRDISC_INTERVAL = 20,
	MRDISC_INTERVAL_MAX = 180,
	MRDISC_GAP_MS = 100,
};

/* Milliseconds to wait before the next unsolicited advertisement, of which `sent` have gone
 * out since the interface started; interval in seconds, rnd any random number. */
uint32_t mrdisc_delay(unsigned interval, unsigned sent, uint32_t rnd);

/* Opens the socket of a family; needs CAP_NET_RAW, later use does not. */
int kernel_mrdisc_open(enum fam fam);
void kernel_mrdisc_close(enum fam fam);

/* Descriptor to poll for solicitations, or -1 while the family is closed. */
int kernel_mrdisc_fd(enum fam fam);

/* Hears solicitations on an interface, or no longer.  On twice, off twice: nothing happens. */
int kernel_mrdisc_listen(enum fam fam, int ifindex, bool on);

/* Sends one message on an interface.  The last three only matter to an advertisement.
 * errno EADDRNOTAVAIL: the interface has no (IPv6: link-local) address to send from. */
int kernel_mrdisc_send(enum fam fam, int ifindex, enum mrdisc_kind kind, uint8_t interval,
		       uint16_t query_interval, uint16_t robustness);

/* Reads at most max messages and calls fn for each valid solicitation.  Returns the number
 * read, or -1 with errno. */
typedef void kernel_mrdisc_fn(void *ctx, enum fam fam, int ifindex);
int kernel_mrdisc_drain(enum fam fam, int max, kernel_mrdisc_fn *fn, void *ctx);

/* ---- what only looks (linux_host.c, linux_look.c, linux_proc.c) ----
 *
 * Nothing is changed; no routing socket and, but where it says so, no capability is needed. */

/* Who holds the routing socket of a family: pid and command name; false when nobody
 * else does or /proc does not tell. */
bool kernel_mroute_holder(enum fam fam, int *pid, char *comm, size_t len);

/* What may be unseen: 1 yes, 0 no, -1 not to be seen from here. */
typedef int8_t seen_t;

/* An interface with all that matters to multicast. */
struct look_link {
	int ifindex;
	int master;			/* ifindex of the bridge or bond it is a port of, 0 = none */
	unsigned flags;			/* LINK_* */
	uint32_t mtu;
	char name[KERNEL_IFNAME];
	char kind[KERNEL_IFNAME];	/* "bridge", "wireguard"...; "" for hardware */
	bool address[FAM_N];
	seen_t allmulti;		/* takes in all multicast frames */
	seen_t snooping, querier;	/* of a bridge; querier: somebody asks for members there */
	int8_t rp_filter;		/* IPv4, in effect: the larger one of all and its own, or -1 */
	int8_t rp_own;			/* its own */
	seen_t routing[FAM_N];		/* is a VIF of some table */
	uint64_t packets, multicast;	/* received; not all drivers count multicast */
};

struct look_links {
	struct look_link *v;		/* owned */
	uint32_t n, cap;
	seen_t taken[FAM_N];		/* somebody holds a routing socket of the family */
	int8_t rp_all;			/* net.ipv4.conf.all.rp_filter, or -1 */
};

/* Fills *l with all interfaces.  errno ENOMEM, or of netlink. */
int kernel_look_links(struct look_links *l);
void kernel_look_links_free(struct look_links *l);

struct look_vif {
	uint32_t table;
	int vif, ifindex;
	struct vif_stats st;
};

/* Fills v[max] with VIFs of all tables, of IPv6 only of the default one: the kernel tells of no
 * other.  Their number, or -1 with errno: ENOENT where this kernel has none. */
int kernel_look_vifs(enum fam fam, struct look_vif *v, int max);

struct look_mfc {
	uint32_t table;
	struct flow flow;
	bool unresolved;		/* waits for an answer of the daemon; then nothing below is set */
	uint8_t noifs;
	int iif;			/* ifindex, 0 = gone */
	struct mfc_stats st;
	uint8_t ttl[KERNEL_VIFS];	/* threshold */
	int oif[KERNEL_VIFS];		/* ifindex */
};

/* Calls fn for each forwarding entry of all tables, whoever owns it, unresolved ones included.
 * Entries that come or go meanwhile may make the kernel leave out others: what is not named is
 * unknown, not gone.  Its work grows with the square of the number: beyond some 10,000 entries,
 * asking for each by kernel_mfc_stats() is quicker. */
typedef void look_mfc_fn(void *ctx, const struct look_mfc *e);
int kernel_look_mfc(enum fam fam, look_mfc_fn *fn, void *ctx);

/* The table that packets of a family get into which come in on an interface, by the rules that
 * `ip mrule` shows; 0 = none.  errno EAFNOSUPPORT, EOPNOTSUPP: this kernel has one table only,
 * and *table stays as it was. */
int kernel_look_table(enum fam fam, const char *iif, uint32_t *table);

/* The table without MRT_TABLE. */
uint32_t kernel_default_table(enum fam fam);

/* Where the route to a host leads. */
struct look_route {
	bool none;			/* there is none, or one that rejects */
	bool local;			/* it is this host */
	unsigned n;
	int oif[8];			/* ifindex of each way */
};
int kernel_look_route(const struct addr *host, struct look_route *r);

/* Counters of this network namespace, packets since its start. */
struct look_counters {
	uint64_t mcast_in, mcast_out;	/* multicast, our own included */
	uint64_t forwarded;		/* all, unicast included */
	uint64_t frag_fails;		/* too large for the way out */
	uint64_t rp_filter;		/* refused by the reverse path filter, IPv4 */
};
int kernel_look_counters(enum fam fam, struct look_counters *c);

/* What this kernel can do for a family. */
struct look_support {
	seen_t routing;			/* CONFIG_IP_MROUTE, CONFIG_IPV6_MROUTE */
	seen_t tables;			/* CONFIG_..._MROUTE_MULTIPLE_TABLES */
	seen_t pim;			/* CONFIG_IP_PIMSM_V2, CONFIG_IPV6_PIMSM_V2; needs CAP_NET_RAW */
	seen_t raw;			/* we may open a routing socket */
};
void kernel_look_support(enum fam fam, struct look_support *s);

/* True when this network namespace belongs to our user namespace, so that our capabilities
 * count in it. */
seen_t kernel_look_netns_ours(void);

/* True when this host is a member of a group on an interface. */
seen_t kernel_look_member(int ifindex, const struct addr *grp);

/* The value of a sysctl ("net.ipv4.igmp_max_msf"), or -1 where it cannot be read. */
long long kernel_look_sysctl(const char *name);

/* Descriptors that a process may have, pid 0 = this one; -1 where it cannot be read. */
long long kernel_look_nofile(int pid);

/* ---- the packet filter (linux_nft.c): nftables, needs CAP_NET_ADMIN ---- */

/* Where a packet is looked at: before it is routed, on its way through, as it leaves. */
enum look_hook { HOOK_BEFORE, HOOK_FORWARD, HOOK_AFTER };

/* A multicast packet that somebody asks about. */
struct look_packet {
	struct flow flow;
	bool any_source;		/* the source is not known */
	int iif, oif;			/* ifindex, 0 = not known */
	const char *iif_name, *oif_name;	/* NULL = not known */
};

/* A chain that stops it. */
struct look_chain {
	enum look_hook hook;
	const char *family, *table, *name;
	bool surely;			/* or it cannot be told: rules ask for what is not known here */
};
typedef void look_chain_fn(void *ctx, const struct look_chain *c);

struct nft;

/* Reads all rules; NULL with errno EPERM, ENOMEM, or of netlink.  A kernel without nftables
 * has none. */
struct nft *kernel_nft_open(void);
void kernel_nft_close(struct nft *n);

/* Calls fn for each base chain of a hook that would, or might, drop the packet. */
void kernel_nft_judge(const struct nft *n, enum look_hook hook, const struct look_packet *p,
		      look_chain_fn *fn, void *ctx);

/* True when filter tables of the older iptables are loaded (linux_proc.c): their rules nobody
 * shows but their own tool.  Needs to be root. */
seen_t kernel_look_iptables(enum fam fam);

/* ---- the packets of one group as they come in (linux_sniff.c): needs CAP_NET_RAW ---- */

struct sniffed {
	int ifindex;
	struct addr src;
	uint8_t ttl;			/* or hop limit */
	bool df;			/* must not be fragmented; IPv6 never is */
	uint32_t len;			/* bytes with the IP header */
};

/* Opens a socket that sees them all; the descriptor to poll and to close, or -1. */
int kernel_sniff_open(const struct addr *grp);

/* Reads at most max packets; their number, or -1 with errno. */
typedef void kernel_sniff_fn(void *ctx, const struct sniffed *p);
int kernel_sniff_drain(int fd, int max, kernel_sniff_fn *fn, void *ctx);
void kernel_sniff_close(int fd);

#endif
