/* SPDX-License-Identifier: ISC
 *
 * What else there is to be seen of a FreeBSD host.  Packet filters and routes of hosts cannot be seen here:
 * each says so by its errno, never by an empty answer.
 */
#include "kernel/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#include <unistd.h>

#include "kernel/freebsd/mroute_pack.h"
#include "kernel/sock.h"

int probe_table(enum fam fam, const char *iif, struct probe_lookup *l)
{
	(void)fam;
	(void)iif;
	(void)l;
	return sock_fail(EOPNOTSUPP);
}

uint32_t probe_default_table(enum fam fam)
{
	(void)fam;
	return PROBE_TABLE;
}

int probe_route(const struct addr *host, struct probe_route *r)
{
	(void)host;
	*r = (struct probe_route){ .why = EOPNOTSUPP };
	return sock_fail(EOPNOTSUPP);
}

int probe_route_out(const struct addr *group, int oif, struct probe_route *r)
{
	(void)oif;
	return probe_route(group, r);
}

int probe_counters(enum fam fam, struct probe_counters *c)
{
	(void)fam;
	*c = (struct probe_counters){ 0 };
	return sock_fail(EOPNOTSUPP);
}

/* The modules bring these sysctls along. */
void probe_support(enum fam fam, struct probe_support *s)
{
	static const char *const loops[FAM_N] = { "net.inet.ip.mcast.loop", "net.inet6.ip6.mcast.loop" };
	size_t len = 0;
	int res = sysctlbyname(fam == FAM_4 ? "net.inet.ip.viftable" : "net.inet6.ip6.mif6table", NULL, &len, NULL, 0);
	int fd = sock_open(fam, SOCK_RAW);

	*s = (struct probe_support){ .routing = res == 0, .tables = 0, .pim = fam == FAM_4, .raw = fd >= 0 };
	if (kernel_sysctl(loops[fam]) > 0)
		s->loops = loops[fam];
	if (fd >= 0)
		close(fd);
}

tristate probe_netns_ours(void)
{
	return -1;
}

int probe_members(enum fam fam, probe_member_fn *fn, void *ctx)
{
	(void)fam;
	(void)fn;
	(void)ctx;
	return sock_fail(EOPNOTSUPP);
}

long probe_cmdline(int pid, char *text, size_t size)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_ARGS, pid };
	size_t len = size;

	return sysctl(mib, sizeof mib / sizeof *mib, text, &len, NULL, 0) < 0 ? -1 : (long)len;
}

bool probe_is_smcrouted(int pid, const char *comm)
{
	char text[512];
	long len = probe_cmdline(pid, text, sizeof text - 1);
	const char *second;

	if (!strncmp(comm, "smcroute", 8))
		return strcmp(comm, "smcroutectl") != 0;
	text[len > 0 ? len : 0] = '\0';
	second = text + strlen(text) + 1;
	return len > 0 && second < text + len && !strcmp(second, "smcrouted");
}

bool probe_router_after(int after, int *pid, char *comm, size_t size)
{
	(void)after;
	(void)pid;
	(void)comm;
	(void)size;
	return false;
}

long long probe_nofile(int pid)
{
	struct rlimit r;

	return pid || getrlimit(RLIMIT_NOFILE, &r) < 0 ? -1 : (long long)r.rlim_cur;
}

struct filters *probe_filters_open(void)
{
	return calloc(1, sizeof(int));
}

void probe_filters_close(struct filters *f)
{
	free(f);
}

int probe_filters_error(const struct filters *f, enum probe_filter filter)
{
	(void)f;
	(void)filter;
	return EOPNOTSUPP;
}

void probe_filters_judge(const struct filters *f, enum probe_hook from, enum probe_hook to,
			 const struct probe_packet *p, probe_chain_fn *fn, void *ctx)
{
	(void)f;
	(void)from;
	(void)to;
	(void)p;
	(void)fn;
	(void)ctx;
}
