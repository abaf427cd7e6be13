/* SPDX-License-Identifier: ISC
 *
 * Targets of iptables, as xt_match.h has its matches.  Pure.  Private to this room.
 */
#ifndef KERNEL_LINUX_XT_TARGET_H
#define KERNEL_LINUX_XT_TARGET_H

#include "kernel/linux/filter.h"

/* What a target decides, FILTER_* bits, 0: the next rule.  What it changes in the packet it has changed, with reach
 * MATCH_MAY perhaps. */
unsigned xt_target(struct filter_packet *f, const char *name, uint8_t revision, const void *info, size_t len,
		   enum match reach);

#endif
