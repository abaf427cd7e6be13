/* SPDX-License-Identifier: ISC
 *
 * Limits of FreeBSD for memberships, in what version it reports them, and sysctls at all.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/sysctl.h>

/* Numbers of any size that a sysctl has. */
long long kernel_sysctl(const char *name)
{
	union {
		int as_int;
		long long as_long;
	} v = { .as_long = 0 };
	size_t len = sizeof v;

	if (sysctlbyname(name, &v, &len, NULL, 0) < 0)
		return -1;
	return len == sizeof v.as_int ? v.as_int : len == sizeof v.as_long ? v.as_long : -1;
}

const char *kernel_join_limit(int err, enum fam fam)
{
	static char text[96];
	struct rlimit r;

	(void)fam;
	if (err == EMFILE && getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
		snprintf(text, sizeof text, "RLIMIT_NOFILE = %lld", (long long)r.rlim_cur);
	else if (err == ENFILE)
		snprintf(text, sizeof text, "kern.maxfiles = %lld", kernel_sysctl("kern.maxfiles"));
	else if (err == ENOMEM || err == ENOBUFS)
		snprintf(text, sizeof text, "%u sources of a group on an interface", KERNEL_GROUP_SOURCES);
	else
		return "";
	return text;
}

unsigned kernel_report_version(enum fam fam, const char *ifname, unsigned asked)
{
	long long version = fam == FAM_4 ? kernel_sysctl("net.inet.igmp.default_version") : 2;

	(void)ifname;
	if (version <= 0 || version > REPORT_VERSIONS)
		version = REPORT_VERSIONS;
	return asked && asked < version ? asked : (unsigned)version;
}

unsigned kernel_group_sources(void)
{
	return KERNEL_GROUP_SOURCES;
}
