/* SPDX-License-Identifier: ISC
 *
 * What the rest of this folder asks of the netlink socket of kernel_link_open().
 */
#ifndef KERNEL_LINUX_NETLINK_H
#define KERNEL_LINUX_NETLINK_H

#include <stdint.h>

/* Asks for the state of an interface, without waiting: the answer comes as LINK_ALLMULTI through kernel_link_drain().
 * Nothing happens while the socket is not open. */
void netlink_ask_allmulti(int ifindex);

/* Whether an interface takes in all multicast frames, from /sys: for kernels before 6.0, whose messages do not say it.
 * 1 yes, 0 no, -1 unknown, as where /sys is of another network namespace. */
int8_t netlink_allmulti(const char *name, int ifindex);

#endif
