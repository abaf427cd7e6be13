/* SPDX-License-Identifier: ISC
 *
 * What the doctor and the check of a host may look at.  Nothing is changed; no routing socket and, but where it says
 * so, no capability is needed.  The daemon does not include it.  The files of kernel/OS that the headings name do it,
 * tests/fake/probe.c does so without a kernel.  Every function returns 0 or -1 with errno unless it says otherwise.
 */
#ifndef KERNEL_PROBE_H
#define KERNEL_PROBE_H

#include "kernel/kernel.h"

/* What may be out of sight: 1 yes, 0 no, -1 not to be seen from here. */
typedef int8_t tristate;

/* ---- interfaces and routing, as rtnetlink tells (probe_netlink.c) ---- */

/* What a bridge does with multicast; -1 all over for other interfaces. */
struct probe_bridge {
	tristate snoops;		/* passes groups only to ports with members or routers, while somebody asks */
	tristate querier[FAM_N];	/* somebody asks for members, it itself or another */
	bool by_source[FAM_N];		/* and only the sources that they ask for (IGMPv3, MLDv2) */
	tristate takes_all;		/* hands all groups to this host (mcast_router 2) */
	tristate has_stp;		/* takes part in the spanning tree */
	tristate filters_vlans, snoops_vlans;	/* by VLAN; snoops_vlans: each VLAN on its own */
};

/* State of a port of a bridge, as the kernel numbers them (BR_STATE_* of linux/if_bridge.h). */
enum probe_port_state { PORT_DISABLED, PORT_LISTENING, PORT_LEARNING, PORT_FORWARDING, PORT_BLOCKING, PORT_NONE };

struct probe_port {
	enum probe_port_state state;	/* PORT_NONE: it is no port of a bridge */
	bool is_isolated;		/* passes nothing to other isolated ports */
	bool is_locked;			/* takes in only what comes from known hardware addresses */
};

/* An interface with all that matters to multicast. */
struct probe_link {
	int ifindex;
	int master;			/* ifindex of the bridge or bond it is a port of, 0 = none */
	unsigned flags;			/* LINK_* of kernel.h */
	uint32_t mtu;
	char name[KERNEL_IFNAME];
	char kind[KERNEL_IFNAME];	/* "bridge", "wireguard"...; "" for hardware */
	bool address[FAM_N];
	tristate allmulti;		/* takes in all multicast frames */
	int lower;			/* ifindex of what a VLAN or macvlan stands on, a veth's other end; 0 = none */
	uint16_t vlan;			/* of a VLAN */
	struct probe_bridge bridge;
	struct probe_port port;
	int8_t rp_filter;		/* IPv4, in effect: the larger one of all and its own, or -1 */
	int8_t rp_own;			/* its own */
	tristate routing[FAM_N];	/* is a VIF of some table */
	tristate v6;			/* has IPv6: not without an MTU of 1280, nor with disable_ipv6 */
	uint64_t packets, multicast;	/* received; not all drivers count multicast */
	uint64_t sent, unsent;		/* packets; those that its driver dropped instead */
	char queue[KERNEL_IFNAME];	/* kind of its queue, "fq_codel"...; "" = not known */
	uint64_t queue_drops;		/* packets that it dropped */
	uint64_t filter_drops;		/* packets that filters of tc dropped as they came in or left */
	bool has_program;		/* of XDP, which looks at packets first */
};

struct probe_address {
	int ifindex;
	struct addr addr;
};

/* VLANs that a port passes on, of a bridge that filters by VLAN; with port = the bridge, this host's part in them. */
struct probe_vlan {
	int port;			/* ifindex */
	uint16_t first, last;
	bool is_untagged;		/* frames without a tag get this one */
};

struct probe_links {
	struct probe_link *v;		/* owned */
	uint32_t n, cap;
	struct probe_address *addresses;	/* owned */
	uint32_t naddresses, caddresses;
	struct probe_vlan *vlans;	/* owned */
	uint32_t nvlans, cvlans;
	bool heeds_allmulti;		/* bridges hand all groups to this host where it takes in all multicast */
	tristate taken[FAM_N];		/* somebody holds a routing socket of the family */
	int8_t rp_all;			/* net.ipv4.conf.all.rp_filter, or -1 */
	bool needs_v4;			/* an interface without IPv4 address cannot route IPv4 here */
};

/* Fills *l with all interfaces.  errno ENOMEM, or of netlink; probe_links_free() in any case. */
int probe_links(struct probe_links *l);
void probe_links_free(struct probe_links *l);

/* A port of a bridge behind which are members of a group, or routers. */
struct probe_mdb {
	int bridge, port;		/* ifindex; the same for members on this host itself */
	uint16_t vlan;			/* 0 = none */
	bool is_router;			/* routers are behind it, for the families below; then there is nothing else */
	bool routes[FAM_N];
	struct flow flow;		/* with any source: all but those that have something of their own */
	bool is_blocked;		/* nobody there wants this source */
	bool is_include;		/* of any source: those alone are wanted that have something of their own */
};

/* Calls fn for what the bridges of this host have learned of members by snooping, or were told. */
typedef void probe_mdb_fn(void *ctx, const struct probe_mdb *e);
int probe_mdb(probe_mdb_fn *fn, void *ctx);

struct probe_vif {
	uint32_t table;
	int vif, ifindex;
	struct vif_stats st;
};

/* Fills v[max] with VIFs of all tables, of IPv6 only of the default one: the kernel tells of no other.  Their number,
 * or -1 with errno: ENOENT where this kernel has none. */
int probe_vifs(enum fam fam, struct probe_vif *v, int max);

struct probe_mfc {
	uint32_t table;
	struct flow flow;
	bool unresolved;		/* waits for an answer of the daemon; then nothing below is set */
	uint8_t noifs;
	int iif;			/* ifindex, 0 = gone */
	struct mfc_stats st;
	int64_t idle_ms;		/* since its last packet, on whatever interface */
	uint8_t ttl[KERNEL_VIFS];	/* threshold */
	int oif[KERNEL_VIFS];		/* ifindex */
};

/* Calls fn for each forwarding entry of all tables, whoever owns it, unresolved ones included.  Entries that come or go
 * meanwhile may make the kernel leave out others: what is not named is unknown, not gone.  Its work grows with the
 * square of the number: beyond some 10,000 entries, asking for each by kernel_mfc_stats() is quicker. */
typedef void probe_mfc_fn(void *ctx, const struct probe_mfc *e);
int probe_mfc(enum fam fam, probe_mfc_fn *fn, void *ctx);

/* The table that packets of a family get into, and the preference of the rule that says so. */
struct probe_lookup {
	uint32_t table;			/* 0 = none, as no rule is for them; PROBE_REFUSED: a rule refuses them */
	uint32_t pref;
	uint32_t marked;		/* the same of those that have the mark of a rule before it; 0 = no such rule */
	uint32_t marked_pref;
};
#define PROBE_REFUSED UINT32_MAX
#define PROBE_LAST_PREF 32767		/* of the rule that the kernel has by itself */

/* Where packets that come in on an interface are looked up, by the rules that `ip mrule` shows, but for those that ask
 * for more; of these the first that asks for a mark is told beside it.  errno EAFNOSUPPORT, EOPNOTSUPP: this kernel has
 * one table only, and *l stays as it was. */
int probe_table(enum fam fam, const char *iif, struct probe_lookup *l);

/* The number of the table that a router has who asks for none. */
uint32_t probe_default_table(enum fam fam);

/* Where the route to a host leads. */
struct probe_route {
	bool none;			/* there is none, or one that rejects */
	bool local;			/* it is this host */
	uint32_t table;			/* that it is in, 0 = the main one */
	unsigned n;
	int oif[8];			/* ifindex of each way */
	int why;			/* errno with which the kernel refused, 0 = it answered */
};
int probe_route(const struct addr *host, struct probe_route *r);

/* The same of packets to a group that are to leave by one interface. */
int probe_route_out(const struct addr *group, int oif, struct probe_route *r);

/* ---- counters, features and limits, as /proc and harmless sockets tell (probe_proc.c) ---- */

/* Counters of this network namespace, packets since its start. */
struct probe_counters {
	uint64_t mcast_out;		/* multicast, our own included */
	uint64_t forwarded;		/* all, unicast included */
	uint64_t frag_fails;		/* too large for the way out */
	uint64_t rp_filter;		/* refused by the reverse path filter, IPv4 */
	uint64_t ipsec;			/* that policies of IPsec kept from leaving, both families */
};
int probe_counters(enum fam fam, struct probe_counters *c);

/* What this kernel can do for a family. */
struct probe_support {
	tristate routing;		/* CONFIG_IP_MROUTE, CONFIG_IPV6_MROUTE */
	tristate tables;		/* CONFIG_..._MROUTE_MULTIPLE_TABLES */
	tristate pim;			/* CONFIG_IP_PIMSM_V2, CONFIG_IPV6_PIMSM_V2; needs CAP_NET_RAW */
	tristate raw;			/* we may open a routing socket */
	const char *loops;		/* a setting by which copies come back to the router, NULL = they do not */
	bool off;			/* it has no sockets of the family: EAFNOSUPPORT, as with ipv6.disable=1 */
};
void probe_support(enum fam fam, struct probe_support *s);

/* Whether this network namespace belongs to our user namespace, so that our capabilities count in it. */
tristate probe_netns_ours(void);

/* Calls fn for each group that this host is a member of, on each interface. */
typedef void probe_member_fn(void *ctx, int ifindex, const struct addr *grp);
int probe_members(enum fam fam, probe_member_fn *fn, void *ctx);

/* Reads the command line of a process, its words each ended by NUL, to text[size].  Their length, or -1. */
long probe_cmdline(int pid, char *text, size_t size);

/* True for a smcrouted: by its name, which begins with smcroute, or started by a copy (NAME smcrouted). */
bool probe_is_smcrouted(int pid, const char *comm);

/* The process with the name of a program that routes multicast, pid and name, whose pid is the first that is higher
 * than `after`; false when there is none.  Anybody sees names; whose network namespace it is in is known with rights
 * alone, and whether it routes is not. */
bool probe_router_after(int after, int *pid, char *comm, size_t size);

/* Descriptors that a process may have, pid 0 = this one; -1 where it cannot be read. */
long long probe_nofile(int pid);

/* ---- packet filters (probe_filter.c) ---- */

/* Where a packet is looked at: as it comes in by a port of a bridge and as the bridge takes it; as it comes in by an
 * interface of IP, before it is routed, on its way through, as it leaves, as it is handed to that interface; as a
 * bridge passes it on, and hands it to a port. */
enum probe_hook {
	HOOK_PORT_INGRESS, HOOK_PORT_IN, HOOK_INGRESS, HOOK_BEFORE, HOOK_FORWARD, HOOK_AFTER, HOOK_EGRESS,
	HOOK_PORT_OUT, HOOK_PORT_EGRESS
};

/* A multicast packet that somebody asks about. */
struct probe_packet {
	struct flow flow;
	bool any_source;		/* the source is not known */
	bool has_ports;			/* those of its packets are known */
	uint8_t protocol;		/* 0 = not known, taken for UDP */
	uint8_t ports[4];		/* as they stand in the headers */
	uint8_t ttl;			/* with which it comes in, 0 = not known */
	tristate is_frame;		/* its frame was sent to a group, as on Ethernet */
	tristate routes_back;		/* the route to its source leads out where it came in */
	int iif, oif;			/* ifindex, 0 = not known */
	int port_in, port_out;		/* of the bridges that these are, 0 = none, or not known */
	const char *iif_name, *oif_name, *port_in_name, *port_out_name;	/* NULL = not known */
};

/* What reads packets, each with rights of its own: nftables and the older iptables CAP_NET_ADMIN, tc none. */
enum probe_filter { PROBE_NFT, PROBE_IPTABLES, PROBE_IP6TABLES, PROBE_TC, PROBE_FILTERS };

/* What a chain does with it: it drops it; a limit, a quota or chance decides; it asks for what is not known here, so
 * that it cannot be told; it goes on with a lower TTL; with another source, by NAT; with other addresses. */
enum probe_fate { FATE_DROPPED, FATE_BY_CHANCE, FATE_UNKNOWN, FATE_LOWERED, FATE_RENAMED, FATE_CHANGED };

/* A chain that does not let it pass as it is. */
/* Where a filter of tc is: in a block that interfaces share, in a chain that another filter leads to; 0 = neither. */
struct probe_tc_place { uint32_t block, chain; };

struct probe_chain {
	enum probe_hook hook;
	enum probe_filter filter;
	enum probe_fate fate;
	const char *family, *table, *name;	/* of tc: "tc", the interface, "ingress" or "egress" */
	const char *rule_chain;		/* which has the rule that decides, NULL: the policy does */
	uint64_t rule;			/* its handle, of iptables its number, of tc its preference */
	struct probe_tc_place tc;
	bool is_owned;			/* by a program, which alone may change its table */
	uint8_t ttl;			/* that it goes on with */
	bool has_flow;			/* and these addresses are known: */
	struct flow flow;
};
typedef void probe_chain_fn(void *ctx, const struct probe_chain *c);

struct filters;

/* Reads all rules that may be read; NULL with errno ENOMEM.  The caller ends it by probe_filters_close(), which takes
 * NULL too. */
struct filters *probe_filters_open(void);
void probe_filters_close(struct filters *f);

/* Why a kind could not be read, an errno; 0: it was, or there is none in this kernel. */
int probe_filters_error(const struct filters *f, enum probe_filter filter);

/* Leads a packet from the wire to a hook, in the order of the kernel, and calls fn for each chain from the hook `from`
 * on that does not surely let it pass as it is. */
void probe_filters_judge(const struct filters *f, enum probe_hook from, enum probe_hook to,
			 const struct probe_packet *p, probe_chain_fn *fn, void *ctx);

/* ---- packets to groups, as they pass (probe_sniff.c): needs CAP_NET_RAW ---- */

/* Where a packet is seen: as it comes from the wire (a port of a bridge, the carrier of a VLAN and the interface itself
 * each see it), as the IP stack gets it, and as an interface hands it to its driver. */
enum probe_station { SNIFF_WIRE, SNIFF_IP, SNIFF_OUT, SNIFF_STATIONS };

struct probe_sniffed {
	enum probe_station station;
	int ifindex;
	struct flow flow;
	uint8_t ttl;			/* or hop limit */
	bool is_whole;			/* must not be fragmented */
	bool is_rest;			/* a fragment that is not the first of its packet */
	bool is_broken;			/* its header tells a wrong checksum (IPv4), or a length it has not */
	bool has_ports;
	uint8_t protocol, ports[4];	/* of IP; source and destination as they stand in the header */
	bool is_control;		/* IGMP, MLD, neighbour or router discovery, PIM: no data to be routed */
	uint32_t len;			/* bytes with the IP header */
	uint16_t vlan;			/* of the tag that the frame has there, 0 = none */
};

struct probe_sniff {
	int fd[2];			/* to poll, of the IP stack and of interfaces; -1 = closed */
};

/* Opens sockets that see the packets to a group, or with grp = NULL to all groups of a family.  0, or -1 with errno;
 * probe_sniff_close() in either case. */
int probe_sniff_open(struct probe_sniff *s, enum fam fam, const struct addr *grp);
void probe_sniff_close(struct probe_sniff *s);

/* Reads at most max packets of each socket, first of the wire and of outputs, then of the IP stack; their number, or -1
 * with errno. */
typedef void probe_sniff_fn(void *ctx, const struct probe_sniffed *p);
int probe_sniff_drain(const struct probe_sniff *s, int max, probe_sniff_fn *fn, void *ctx);

/* Packets that came quicker than they were read, since the last call. */
uint64_t probe_sniff_lost(const struct probe_sniff *s);

#endif
