/* SPDX-License-Identifier: ISC
 *
 * The version in which Linux reports memberships.
 */
#include "kernel/kernel.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/lines.h"

/* The version that a sysctl demands, 0 = none. */
static unsigned report_forced(enum fam fam, const char *ifname)
{
	char path[96], text[16];

	snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/force_%s_version", fam == FAM_4 ? "ipv4" : "ipv6",
		 ifname, fam == FAM_4 ? "igmp" : "mld");
	return lines_first(path, text, sizeof text) ? (unsigned)strtoul(text, NULL, 10) : 0;
}

unsigned kernel_report_version(enum fam fam, const char *ifname, unsigned asked)
{
	unsigned all = report_forced(fam, "all"), own = report_forced(fam, ifname), version = REPORT_VERSIONS;

	/* net/ipv6/mcast.c, mld_force_mld_version() and mld_in_v1_mode(). */
	if (fam == FAM_6 && (all || own))
		return all ? all : own;
	/* net/ipv4/igmp.c, IGMP_V1_SEEN() and IGMP_V2_SEEN(). */
	version = all && all < version ? all : version;
	version = own && own < version ? own : version;
	return asked && asked < version ? asked : version;
}
