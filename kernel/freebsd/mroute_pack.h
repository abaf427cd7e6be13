/* SPDX-License-Identifier: ISC
 *
 * Arguments and messages of FreeBSD's routing sockets from and to our own values.  Pure, and free of system headers, so
 * that they are tested on any system: the structures are those of sys/netinet/ip_mroute.h and
 * sys/netinet6/ip6_mroute.h under names of ours; mroute.c has the compiler compare their sizes.  Private to this room.
 */
#ifndef KERNEL_FREEBSD_MROUTE_PACK_H
#define KERNEL_FREEBSD_MROUTE_PACK_H

#include "kernel/kernel.h"

#define PACK_AF_INET6 28		/* sys/sys/socket.h */

struct pack_sin6 {
	uint8_t len, family;
	uint16_t port;
	uint32_t flowinfo;
	uint8_t addr[16];
	uint32_t scope;
};

/* struct vifctl, mif6ctl, mfcctl, mf6cctl. */
struct pack_vif4 {
	uint16_t vif;
	uint8_t flags, threshold;
	uint32_t rate_limit;		/* must be 0 */
	uint8_t local[4], remote[4];
};
struct pack_vif6 {
	uint16_t mif;
	uint8_t flags;
	uint16_t ifindex;
};
struct pack_mfc4 {
	_Alignas(4) uint8_t origin[4];
	uint8_t group[4];
	uint16_t parent;
	uint8_t ttl[32];
};
struct pack_mfc6 {
	struct pack_sin6 origin, group;
	uint16_t parent;
	uint32_t outputs[8];
};

/* struct sioc_sg_req, sioc_sg_req6; sioc_vif_req and sioc_mif_req6. */
struct pack_sg4 {
	uint8_t source[4], group[4];
	unsigned long packets, bytes, wrong;
};
struct pack_sg6 {
	struct pack_sin6 source, group;
	uint64_t packets, bytes, wrong;
};
struct pack_count4 {
	uint16_t vif;
	unsigned long in_packets, out_packets, in_bytes, out_bytes;
};
struct pack_count6 {
	uint16_t mif;
	uint64_t in_packets, out_packets, in_bytes, out_bytes;
};

union pack {
	uint16_t number;		/* all that MRT_DEL_VIF and MRT6_DEL_MIF take */
	struct pack_vif4 vif4;
	struct pack_vif6 vif6;
	struct pack_mfc4 mfc4;
	struct pack_mfc6 mfc6;
	struct pack_sg4 sg4;
	struct pack_sg6 sg6;
	struct pack_count4 count4;
	struct pack_count6 count6;
};

/* Fills in what adds a VIF; local: an address of the interface, IPv4 only.  Its size, or -1 with EOVERFLOW for an
 * ifindex that struct mif6ctl cannot hold. */
int pack_vif(union pack *a, enum fam fam, int vif, int ifindex, uint8_t threshold, const struct addr *local);

/* Addresses of the link or the interface alone, fe80::/10, ff01:: and ff02::, have the index of their interface as
 * second word inside of the kernel (sys/netinet6/scope6.c, in6_setscope); it leaves it in what upcalls tell, and
 * compares it with that of an entry (sys/netinet6/ip6_mroute.c, X_ip6_mforward).  Zone: that index, or not above 0 for
 * none; addresses of other kinds stay as they are. */

/* True when an entry of this flow is another one on each interface. */
bool pack_has_zone(const struct flow *flow);

/* Takes the index out. */
void pack_clear_zone(struct addr *a);

/* Fills in what adds and removes an entry; its size.  zone: of the iif.  The parent is never an output: each packet
 * would come back as a new one (sys/netinet/ip_mroute.c, ip_mdq and phyint_send). */
int pack_mfc(union pack *a, const struct flow *flow, int zone, int iif, uint32_t oifs, const uint8_t *ttl);

/* Fills in the question for the counters of an entry, and reads the answer: pktcnt counts right packets alone. */
void pack_sg(union pack *a, const struct flow *flow, int zone);
void pack_sg_read(enum fam fam, const union pack *a, struct mfc_stats *st);

/* The same for a VIF. */
void pack_count(union pack *a, int vif);
void pack_count_read(enum fam fam, const union pack *a, struct vif_stats *st);

/* How the sysctl net.inet.ip.viftable has each VIF: so begins struct vif, whatever follows in a version. */
struct pack_row4 {
	uint8_t flags, threshold;
	_Alignas(4) uint8_t local[4];
	uint8_t remote[4];
	void *ifp;			/* of the kernel */
	unsigned long in_packets, out_packets, in_bytes, out_bytes;
};

/* The number of the one table that there is, for who is told of tables: 0 would be none. */
#define PROBE_TABLE 1

/* More than any version has. */
#define PACK_ROWS_MAX 16384

/* Reads a row of the table; false when there is no such VIF. */
bool pack_row(const unsigned char *table, size_t len, int vif, struct pack_row4 *row);

/* How the sysctl net.inet.ip.mfctable has each entry: so begins struct mfc, whatever follows in a version. */
struct pack_row_mfc {
	void *next[2];
	uint8_t source[4], group[4];
	uint16_t parent;
	uint8_t ttl[32];
	unsigned long packets, bytes, wrong;
	int expires;			/* not 0: no entry yet, packets wait for it */
};

/* The size of a row in a table with these bytes, 0 when it is of no version that is known. */
size_t pack_row_mfc_size(const unsigned char *table, size_t len);

/* Reads one message of the routing socket; false when it is no upcall of ours.  vifs: bit n = there is VIF n: IPv6
 * asks about interfaces that have no number with one that nobody has. */
bool pack_upcall(enum fam fam, uint32_t vifs, const void *p, size_t len, struct upcall *up);

/* The longest upcall. */
#define PACK_UPCALL_MAX 40

#endif
