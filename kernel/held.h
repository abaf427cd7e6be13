/* SPDX-License-Identifier: ISC
 *
 * The sockets of this room that may outlive the process, by name: kernel.h lists the names.  Private to this room.
 */
#ifndef KERNEL_HELD_H
#define KERNEL_HELD_H

#include "kernel/kernel.h"

/* Notes a socket that has just been opened, "mroute" and the like of a family; table: 0, or its number, or that of an
 * interface.  Returns fd; or -1 with ENOMEM, and it is closed.  A negative fd is given back as it is. */
int held_add(const char *kind, enum fam fam, uint32_t table, int fd);

/* The same for one that joins, under a name of its own. */
int held_add_member(int fd);

/* A socket of this kind that was handed over, once; -1 when there is none. */
int held_take(const char *kind, enum fam fam, uint32_t table);

/* Closes a socket, which is no longer noted; nothing when it is negative.  Returns -1, errno as it was. */
int held_close(int fd);

/* ---- what each system knows of a socket (linux/netns.c, linux/mroute_read.c, freebsd/mroute.c) ---- */

/* Of a socket that was handed over, in each system's own way: 0, or EXDEV when it is not of the network stack of this
 * process. */
int held_check_stack(int fd, enum fam fam);

/* The same for a routing socket: 0 when it holds the table with this number, 0 = the default one; else an errno of
 * kernel_adopt(). */
int mroute_check(int fd, enum fam fam, uint32_t table);

/* 0 when a descriptor is what the kernel was told, where a system does not tell it again; else an errno of
 * kernel_adopt(), EINVAL where it does. */
int mroute_check_ledger(int fd);

#endif
