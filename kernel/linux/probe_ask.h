/* SPDX-License-Identifier: ISC
 *
 * One question to the kernel by netlink and all of its answer, on a socket that lives as long as the question.  What
 * the messages mean is the caller's.  Private to this room.
 */
#ifndef KERNEL_LINUX_PROBE_ASK_H
#define KERNEL_LINUX_PROBE_ASK_H

#include "kernel/linux/rtnl.h"

/* Takes in one message of the answer; -1 with errno gives up. */
typedef int probe_ask_fn(void *ctx, const struct rtnl_msg *m);

/* Sends req to a netlink protocol and calls fn for each message of the answer; a request that is no dump must have
 * NLM_F_ACK.  0, or -1 with the kernel's errno, ETIMEDOUT when it kept silent for 2 s. */
int probe_ask(int protocol, struct rtnl_req *req, probe_ask_fn *fn, void *ctx);

/* The same for a dump, with the family and the size of the header as rtnl_ask() takes them. */
int probe_ask_dump(int protocol, unsigned type, unsigned family, size_t size, probe_ask_fn *fn, void *ctx);

#endif
