/* SPDX-License-Identifier: ISC
 *
 * Our address as a socket address.  Private to this room.
 */
#ifndef KERNEL_SOCKADDR_H
#define KERNEL_SOCKADDR_H

#include <sys/socket.h>

#include "lib/addr.h"

/* Writes an address without a port to a *ss that is all 0; its length. */
socklen_t sockaddr_set(struct sockaddr_storage *ss, const struct addr *a);

#endif
