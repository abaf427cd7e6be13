/* SPDX-License-Identifier: ISC
 *
 * Limits of Linux for memberships, and sysctls at all.
 */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/lines.h"

long long kernel_sysctl(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof path, "/proc/sys/%s", name);
	/* The first separator decides, as for sysctl(8): names of interfaces have dots. */
	for (char *p = path; !strchr(name, '/') && (p = strchr(p, '.'));)
		*p = '/';
	return lines_first(path, text, sizeof text) ? strtoll(text, NULL, 10) : -1;
}

const char *kernel_join_limit(int err, enum fam fam)
{
	static const char memberships[] = "net.ipv4.igmp_max_memberships";
	static char text[96];
	bool is_full = err == ENOBUFS || err == ENOMEM;
	const char *name = err == EMFILE ? "RLIMIT_NOFILE" : err == ENFILE ? "fs.file-max" : "net.core.optmem_max";
	struct rlimit r;
	long long v;

	if (err != EMFILE && err != ENFILE && !is_full)
		return "";
	/* What stops a socket that holds nothing yet: more than one can take was spread already. */
	if (is_full && fam == FAM_4 && kernel_sysctl(memberships) == 0)
		name = memberships;
	if (err != EMFILE)
		v = kernel_sysctl(name);
	else
		v = getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur != RLIM_INFINITY ? (long long)r.rlim_cur : -1;
	snprintf(text, sizeof text, v < 0 ? "%s" : "%s = %lld", name, v);
	return text;
}

unsigned kernel_group_sources(void)
{
	return 0;
}
