/* SPDX-License-Identifier: ISC
 *
 * The filters of tc, read by rtnetlink.  Private to this room.
 */
#ifndef KERNEL_LINUX_PROBE_TC_H
#define KERNEL_LINUX_PROBE_TC_H

#include "kernel/linux/tc_judge.h"

/* Reads those at both ends of all interfaces; 0, or an errno.  tc_free() in any case. */
int probe_tc_read(struct tc *tc);

#endif
