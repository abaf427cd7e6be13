/* SPDX-License-Identifier: ISC
 *
 * The tables of the older iptables, read by options of sockets.  Private to this room.
 */
#ifndef KERNEL_LINUX_PROBE_XT_H
#define KERNEL_LINUX_PROBE_XT_H

#include "kernel/linux/xt_judge.h"

#define XT_TABLES 5

/* Reads those that are in use; 0, or an errno.  buf_free() on the rules of each in any case. */
int probe_xt_read(enum fam fam, struct xt_rules t[XT_TABLES]);

#endif
