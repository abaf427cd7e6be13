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

/* Room for either request. */
#define RTNL_REQUEST_MAX 64

/* Write a request for a dump to buf and return its length. */
size_t rtnl_ask_links(unsigned char *buf, uint32_t seq);
size_t rtnl_ask_mfc(unsigned char *buf, uint32_t seq, enum fam fam, uint32_t table);

#endif
