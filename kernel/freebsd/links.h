/* SPDX-License-Identifier: ISC
 *
 * What the rest of this folder asks about interfaces.
 */
#ifndef KERNEL_FREEBSD_LINKS_H
#define KERNEL_FREEBSD_LINKS_H

#include "kernel/kernel.h"

/* Finds the first IPv4 address of an interface: false when it has none. */
bool links_address(int ifindex, struct addr *a);

/* Has LINK_ALLMULTI reported of an interface by the next kernel_link_drain(). */
void links_ask_allmulti(int ifindex);

/* What tells the interface that has an index from another one that had it before; 0 when there is none. */
uint64_t links_identity(int ifindex);

#endif
