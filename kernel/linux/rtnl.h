/* SPDX-License-Identifier: ISC
 *
 * rtnetlink messages from and to bytes.  Pure: no socket, no state.  The lower half takes messages and attributes apart
 * with every length checked, the upper half turns them into structs of our own.  An attribute that is too short counts
 * as not there; bytes are copied out, as nothing is known of their alignment.  Private to this room.
 */
#ifndef KERNEL_LINUX_RTNL_H
#define KERNEL_LINUX_RTNL_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kernel/kernel.h"

struct rtnl_msg {
	struct nlmsghdr h;
	const unsigned char *body;	/* behind the header, inside the input */
	size_t len;
};

/* Takes the next message off the *n bytes at *p and moves both past it; false at the end and at a length that cannot
 * be. */
bool rtnl_next(const unsigned char **p, size_t *n, struct rtnl_msg *m);

/* The errno that an NLMSG_ERROR or NLMSG_DONE carries, 0 for success. */
int rtnl_error(const struct rtnl_msg *m);

/* ---- attributes ---- */

/* The value of an attribute, or a run of attributes. */
struct rtnl_attr {
	const unsigned char *p;		/* NULL when it is not there */
	size_t len;
};

/* Takes a record of len bytes, at least `header`, off the *n bytes at *p, and the padding behind it; false when there
 * is none such. */
bool rtnl_take(const unsigned char **p, size_t *n, size_t header, size_t len);

/* Takes the family header of `size` bytes off a message of a type; false when it is not there. */
bool rtnl_body(const struct rtnl_msg *m, unsigned type, void *header, size_t size, struct rtnl_attr *attrs);

/* Takes attributes off *in up to the next one of a type; false at the end and when one is cut short, and then *a is not
 * there. */
bool rtnl_attr_next(struct rtnl_attr *in, unsigned type, struct rtnl_attr *a);

/* Finds the first attribute of a type, in place when in and a are the same. */
bool rtnl_attr(const struct rtnl_attr *in, unsigned type, struct rtnl_attr *a);

/* Copies `size` bytes of an attribute; false when there are not so many. */
bool rtnl_value(const struct rtnl_attr *in, unsigned type, void *value, size_t size);

/* The first four bytes of an attribute, or else v. */
uint32_t rtnl_u32(const struct rtnl_attr *in, unsigned type, uint32_t v);

/* Whether an attribute of four bytes is more than 0; -1 when it is not there. */
int8_t rtnl_truth(const struct rtnl_attr *in, unsigned type);

/* An interface name, which need not end with a NUL, into name[KERNEL_IFNAME]: "" when there is none.  False when it
 * does not fit. */
bool rtnl_ifname(const struct rtnl_attr *in, unsigned type, char *name);

/* An address of the family; false when it is not there or of another size. */
bool rtnl_addr(enum fam fam, const struct rtnl_attr *in, unsigned type, struct addr *out);

/* Takes the next hop off a run of them; false at the end. */
bool rtnl_hop_next(struct rtnl_attr *hops, struct rtnexthop *h);

/* ---- what it means ---- */

/* Reads a message of the link and address groups, multicast addresses included, or of a link dump; false when it is
 * none or nothing that concerns us. */
bool rtnl_link(const struct rtnl_msg *m, struct link_event *ev);

/* The table of the VRF that an interface is in, by the attributes of its message; 0 = none. */
uint32_t rtnl_vrf(const struct rtnl_attr *link);

/* Reads a message of a dump of rules; false when it is none that asks for the interface alone. */
bool rtnl_rule(const struct rtnl_msg *m, struct link_event *ev);

/* An entry of a multicast routing table. */
struct rtnl_mfc {
	uint32_t table;
	struct flow flow;
	bool unresolved;		/* waits for an answer of the router; then nothing below is set */
	uint8_t noifs;
	int iif;			/* ifindex, 0 = gone */
	struct mfc_stats st;
	uint64_t idle;			/* since its last packet, in ticks of sysconf(_SC_CLK_TCK) */
	uint8_t ttl[KERNEL_VIFS];	/* threshold */
	int oif[KERNEL_VIFS];		/* ifindex */
};

/* Reads a message of a dump of them, or of RTNLGRP_IPV4_MROUTE and the like; false when it is none. */
bool rtnl_mfc(const struct rtnl_msg *m, struct rtnl_mfc *e);

/* The number of table `id` of a router; 0: that of one who asks for none. */
uint32_t rtnl_mroute_table(enum fam fam, uint32_t id);

/* ---- requests ---- */

/* The family of multicast routing: of its rules, VIFs and entries. */
unsigned char rtnl_mroute_family(enum fam fam);

struct rtnl_req {
	struct nlmsghdr h;
	unsigned char body[544];	/* a family header and attributes: two names of nftables have room */
};

/* Begins a request with a family header of `size` bytes: its first is the family, the others 0. */
void rtnl_ask(struct rtnl_req *r, unsigned type, unsigned flags, unsigned family, size_t size);

/* Adds an attribute. */
void rtnl_ask_attr(struct rtnl_req *r, unsigned type, const void *value, size_t size);

#endif
