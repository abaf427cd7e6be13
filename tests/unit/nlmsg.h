/* SPDX-License-Identifier: ISC
 *
 * Netlink messages made by hand, for tests of what reads them: whole ones, and
 * the same cut short, each in memory of exactly its size.
 */
#ifndef TESTS_UNIT_NLMSG_H
#define TESTS_UNIT_NLMSG_H

#include <stdlib.h>
#include <string.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "kernel/linux/rtnl.h"

static unsigned char buf[1024];
static size_t len;

static inline void start(uint16_t type, const void *body, size_t n)
{
	struct nlmsghdr h = { .nlmsg_type = type };

	memset(buf, 0, sizeof buf);
	memcpy(buf, &h, sizeof h);
	memcpy(buf + sizeof h, body, n);
	len = sizeof h + NLMSG_ALIGN(n);
}

static inline void attr(uint16_t type, const void *p, size_t n)
{
	struct rtattr a = { (unsigned short)RTA_LENGTH(n), type };

	memcpy(buf + len, &a, sizeof a);
	if (n)
		memcpy(buf + len + RTA_LENGTH(0), p, n);
	len += RTA_SPACE(n);
}

static inline void attr_u32(uint16_t type, uint32_t v)
{
	attr(type, &v, sizeof v);
}

/* Opens an attribute that holds others; nest_end() sets its length. */
static inline size_t nest(uint16_t type)
{
	attr(type, NULL, 0);
	return len - RTA_LENGTH(0);
}

static inline void nest_end(size_t at)
{
	uint16_t n = (uint16_t)(len - at);

	memcpy(buf + at, &n, sizeof n);
}

/* The message so far, cut to n bytes, in memory of exactly that size. */
static inline struct rtnl_msg message(size_t n, unsigned char **copy)
{
	const unsigned char *p;
	struct rtnl_msg m = { 0 };
	size_t left = n;

	*copy = malloc(n);
	memcpy(*copy, buf, n);
	if (n >= 4)
		memcpy(*copy, &(uint32_t){ (uint32_t)n }, 4);
	p = *copy;
	rtnl_next(&p, &left, &m);
	return m;
}

static unsigned char *copy_;
#define WHOLE(var) struct rtnl_msg var = message(len, &copy_)
#define END free(copy_)

/* Each shorter message: what is decided does not matter, what is read does (ASan). */
#define CUTS(call) do { \
	for (size_t n_ = sizeof(struct nlmsghdr); n_ < len; n_++) { \
		unsigned char *c_; \
		struct rtnl_msg m = message(n_, &c_); \
		(void)(call); \
		free(c_); \
	} } while (0)

#endif
