/* SPDX-License-Identifier: ISC
 *
 * rtnetlink messages from and to bytes.  Pure: no socket, no state.  The lower
 * half takes messages and attributes apart with every length checked, the upper
 * half turns them into structs of our own.  Private to this room.
 */
#ifndef KERNEL_RTNL_H
#define KERNEL_RTNL_H

#include "kernel/kernel.h"

struct rtnl_msg {
	uint16_t type, flags;
	uint32_t seq, pid;
	const unsigned char *body;	/* behind the header, inside the input */
	size_t len;
};

/* Takes the next message off the *n bytes at *p and moves both past it; false at the end
 * and at a length that cannot be. */
bool rtnl_next(const unsigned char **p, size_t *n, struct rtnl_msg *m);

/* The errno that an NLMSG_ERROR or NLMSG_DONE carries, 0 for success. */
int rtnl_error(const struct rtnl_msg *m);

/* ---- attributes ---- */

struct rtnl_attr {
	uint16_t type, least;		/* wanted by the decoder */
	uint16_t len;
	const unsigned char *p;		/* NULL when it is not there */
};

/* Takes the next attribute off the *n bytes at *p; false at the end and when it is cut short. */
bool rtnl_attr_next(const unsigned char **p, size_t *n, struct rtnl_attr *a);

/* Fills in those of the wanted attributes that the n bytes at p hold; false when one is cut
 * short or smaller than its least length. */
bool rtnl_attrs_find(const unsigned char *p, size_t n, struct rtnl_attr *want, unsigned wants);

/* The same for those of a message behind its family header of hdr bytes. */
bool rtnl_attrs(const struct rtnl_msg *m, size_t hdr, struct rtnl_attr *want, unsigned wants);

/* The value of an attribute of at least four bytes, 0 when it is not there. */
uint32_t rtnl_u32(const struct rtnl_attr *a);

/* An interface name, which need not end with a NUL, "" when it is not there; false when it
 * does not fit into name[KERNEL_IFNAME]. */
bool rtnl_ifname(const struct rtnl_attr *a, char *name);

/* An address of the family; false when it is not there or of another size. */
bool rtnl_addr(enum fam fam, const struct rtnl_attr *a, struct addr *out);

/* LINK_* of the flags of an interface. */
unsigned rtnl_link_flags(unsigned ifi_flags);

/* ---- what it means ---- */

/* Reads a message of the link and address groups or of a link dump; false when it is none
 * or nothing that concerns us. */
bool rtnl_link(const struct rtnl_msg *m, struct link_event *ev);

struct rtnl_mfc {
	uint32_t table;
	struct addr src, grp;
	struct mfc_stats st;
	uint64_t idle_ms;
};

/* Reads a forwarding entry of a dump; false for anything else and for an unresolved one. */
bool rtnl_mfc(const struct rtnl_msg *m, struct rtnl_mfc *mfc);

/* Room for any request of one attribute of at most 16 bytes. */
#define RTNL_REQUEST_MAX 64

/* Writes a request to buf and returns its length: a header, a body of len bytes and one
 * attribute, unless attr is 0. */
size_t rtnl_ask(unsigned char *buf, uint16_t type, uint16_t flags, uint32_t seq,
		const void *body, size_t len, uint16_t attr, const void *value, size_t vlen);

/* Requests for a dump of the links, and of the forwarding entries of a table. */
size_t rtnl_ask_links(unsigned char *buf, uint32_t seq);
size_t rtnl_ask_mfc(unsigned char *buf, uint32_t seq, enum fam fam, uint32_t table);

#endif
