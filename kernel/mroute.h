/* SPDX-License-Identifier: ISC
 *
 * The routing socket of each family: what is done with it on every system, and what each has its own way for.  Private
 * to this room.
 */
#ifndef KERNEL_MROUTE_H
#define KERNEL_MROUTE_H

#include "kernel/kernel.h"

/* Sets an option of sock_level(fam) on the socket of a family; 0, or -1 with errno. */
int mroute_set(enum fam fam, int option, const void *p, int len);
int mroute_set_int(enum fam fam, int option, int v);

/* ---- each system (linux/mroute.c, freebsd/mroute.c): all that return an int 0, or -1 with errno ---- */

/* Prepares a new socket for a table: its buffer, its filter, all that needs a right. */
int mroute_prepare(int fd, enum fam fam, uint32_t table);

/* Takes the table of the socket: EADDRINUSE while another one has it.  Gives it back, with all that is in it. */
int mroute_take(enum fam fam);
void mroute_give(enum fam fam);

/* Does what is left to be done when we have the table; the same with a socket that was handed over, maybe by another
 * version of this program. */
int mroute_begin(enum fam fam);
int mroute_begin_handed(int fd, enum fam fam, uint32_t table);

/* Forgets what it keeps of a family, whose socket is closed. */
void mroute_forget(enum fam fam);

#endif
