/* SPDX-License-Identifier: ISC
 *
 * One question to the kernel by netlink and all of its answer, on a socket that
 * lives as long as the question.  Private to this room.
 */
#ifndef KERNEL_NLASK_H
#define KERNEL_NLASK_H

#include "kernel/rtnl.h"

/* The sequence number that a request must have. */
#define NLASK_SEQ 1

/* Takes in one message of the answer. */
typedef void nlask_fn(void *ctx, const struct rtnl_msg *m);

/* Sends req to a netlink protocol and calls fn for each message of the answer; a request that
 * is no dump must have NLM_F_ACK.  strict: the kernel shall heed all of the request
 * (NETLINK_GET_STRICT_CHK, 5.0).  0, or -1 with the kernel's errno, ETIMEDOUT when it kept
 * silent for 2 s. */
int nlask(int protocol, const unsigned char *req, size_t len, bool strict, nlask_fn *fn,
	  void *ctx);

#endif
