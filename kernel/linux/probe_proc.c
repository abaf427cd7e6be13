/* SPDX-License-Identifier: ISC
 *
 * What only /proc and harmless sockets tell of this host: counters, what the kernel can do, memberships, limits, whose
 * network namespace it is.  A socket opened here is closed again and never asks for the routing: that would take it
 * from whoever wants it.
 */
#include "kernel/probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/mroute.h>
#include <linux/mroute6.h>
#include <linux/nsfs.h>

#include "kernel/linux/sock.h"
#include "lib/lines.h"

/* Names that no other group of these files has; of IPv6 without "Ip6". */
static void probe_counters_set(struct probe_counters *c, const char *name, const char *value)
{
	const struct {
		const char *name;
		uint64_t *to;
	} wanted[] = {
		{ "OutMcastPkts", &c->mcast_out },
		{ "ForwDatagrams", &c->forwarded },
		{ "OutForwDatagrams", &c->forwarded },
		{ "FragFails", &c->frag_fails },
		{ "IPReversePathFilter", &c->rp_filter },
	};

	/* Each of a reason of its own; kernels without IPsec have none. */
	if (!strncmp(name, "XfrmOut", 7))
		c->ipsec += strtoull(value, NULL, 10);
	for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (!strcmp(wanted[i].name, name))
			*wanted[i].to = strtoull(value, NULL, 10);
}

/* IPv4: a line of names, then one of their values.  IPv6 and IPsec: lines of a name and its value. */
static int probe_counters_read(struct probe_counters *c, const char *path)
{
	char *line, *names = NULL, *w[2], *name, *value, *rest;
	struct lines l;

	if (lines_open(&l, path) < 0)
		return -1;
	while ((line = lines_next(&l))) {
		if (!strncmp(line, "Ip6", 3) || !strncmp(line, "Xfrm", 4)) {
			if (lines_words(line, w, 2) == 2)
				probe_counters_set(c, w[0] + (*w[0] == 'I' ? 3 : 0), w[1]);
		} else if (!names) {
			names = strdup(line);
		} else {
			for (rest = names; (name = strtok_r(NULL, " ", &rest)) && (value = strtok_r(NULL, " ", &line));)
				probe_counters_set(c, name, value);
			free(names);
			names = NULL;
		}
	}
	free(names);
	lines_close(&l);
	return 0;
}

int probe_counters(enum fam fam, struct probe_counters *c)
{
	*c = (struct probe_counters){ 0 };
	probe_counters_read(c, "/proc/net/xfrm_stat");
	if (fam == FAM_6)
		return probe_counters_read(c, "/proc/net/snmp6");
	return probe_counters_read(c, "/proc/net/netstat") < 0 ? -1 : probe_counters_read(c, "/proc/net/snmp");
}

static tristate probe_option(int fd, int level, int option)
{
	int v = 0;
	socklen_t len = sizeof v;

	if (getsockopt(fd, level, option, &v, &len) == 0)
		return 1;
	return errno == ENOPROTOOPT || errno == EOPNOTSUPP ? 0 : -1;
}

/* Whether a file of /proc/net is there.  Only where that shows other things does its absence say something. */
static tristate probe_proc_net(const char *path)
{
	return access(path, F_OK) == 0 ? 1 : access("/proc/net/dev", F_OK) == 0 ? 0 : -1;
}

_Static_assert(MRT_VERSION == MRT6_VERSION && MRT_PIM == MRT6_PIM, "options of both families");

void probe_support(enum fam fam, struct probe_support *s)
{
	int fd = sock_open(fam, SOCK_RAW), err = errno;
	struct probe_lookup l;

	*s = (struct probe_support){ .tables = -1, .pim = -1 };
	if (fd >= 0) {
		s->raw = 1;
		s->routing = probe_option(fd, sock_level(fam), MRT_VERSION);
		s->pim = probe_option(fd, sock_level(fam), MRT_PIM);
		close(fd);
	} else {
		s->raw = err == EPERM || err == EACCES ? 0 : -1;
		s->off = err == EAFNOSUPPORT;
		if (!s->off)
			s->routing = probe_proc_net(fam == FAM_4 ? "/proc/net/ip_mr_vif" : "/proc/net/ip6_mr_vif");
	}
	if (probe_table(fam, "", &l) == 0)
		s->tables = 1;
	else if (errno == EAFNOSUPPORT || errno == EOPNOTSUPP)
		s->tables = 0;
}

tristate probe_netns_ours(void)
{
	struct stat owner, mine;
	tristate ours = -1;
	int user, net = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (net < 0)
		return -1;
	user = ioctl(net, NS_GET_USERNS);
	if (user < 0)
		ours = errno == EPERM ? 0 : -1;	/* it is above ours (ioctl_ns(2)) */
	else if (fstat(user, &owner) == 0 && stat("/proc/self/ns/user", &mine) == 0)
		ours = owner.st_ino == mine.st_ino && owner.st_dev == mine.st_dev;
	if (user >= 0)
		close(user);
	close(net);
	return ours;
}

/* A group as /proc/net/igmp6 has it: 32 digits. */
static bool probe_group6(const char *digits, struct addr *grp)
{
	for (unsigned i = 0; i < 16; i++) {
		const char *at = digits + 2 * i;
		char pair[3] = { at[0], at[0] ? at[1] : '\0' }, *end;

		/* sscanf(3) would bring floating point into the static program. */
		grp->b[i] = (uint8_t)strtoul(pair, &end, 16);
		if (end != pair + 2)
			return false;
	}
	return true;
}

/* IPv4: a line of an interface, then those of its groups, each as a number of this machine.  IPv6: lines of an
 * interface, its name, and a group. */
int probe_members(enum fam fam, probe_member_fn *fn, void *ctx)
{
	bool v4 = fam == FAM_4;
	char *line, *w[3];
	int index = 0;
	struct lines l;
	uint8_t len;

	if (lines_open(&l, v4 ? "/proc/net/igmp" : "/proc/net/igmp6") < 0)
		return -1;
	while ((line = lines_next(&l))) {
		struct addr grp;

		if (line[0] != '\t')
			index = atoi(line);
		if ((v4 && line[0] != '\t') || lines_words(line, w, 3) < 3)
			continue;
		addr_any(fam, &grp, &len);
		if (v4)
			grp.w[3] = (uint32_t)strtoul(w[0], NULL, 16);
		else if (!probe_group6(w[2], &grp))
			continue;
		fn(ctx, index, &grp);
	}
	lines_close(&l);
	return 0;
}

long probe_cmdline(int pid, char *text, size_t size)
{
	char path[40];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, size);
		close(fd);
	}
	return n;
}

/* Whether a process's list of sockets has one of ours, that is, whether it is in our network namespace: anybody may
 * read that list (fs/proc/proc_net.c, get_proc_task_net), while its namespace is for those who may trace it.  It is no
 * more when the process has ended, waited for or not (ENOENT).  -1 unknown. */
static int probe_lists_ours(int pid)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), is_there = -1;
	char path[40], *line, *w[7];
	struct stat ours;
	struct lines l;

	snprintf(path, sizeof path, "/proc/%d/net/unix", pid);
	if (fd >= 0 && fstat(fd, &ours) == 0 && lines_open(&l, path) == 0) {
		is_there = 0;
		while (!is_there && (line = lines_next(&l)))
			is_there = lines_words(line, w, 7) == 7 && strtoull(w[6], NULL, 10) == ours.st_ino;
		lines_close(&l);
	} else if (fd >= 0 && (errno == ENOENT || errno == ESRCH)) {
		is_there = 0;
	}
	if (fd >= 0)
		close(fd);
	return is_there;
}

/* True when a process is not seen to be in another network namespace.  One that has ended, and was not waited for yet,
 * has none (fs/nsfs.c, ns_get_path: ENOENT). */
static bool probe_is_here(int pid)
{
	struct stat here, there;
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/ns/net", pid);
	if (stat(path, &there) < 0)
		return (errno == EACCES || errno == EPERM) && probe_lists_ours(pid);
	return stat("/proc/self/ns/net", &here) < 0 || (here.st_ino == there.st_ino && here.st_dev == there.st_dev);
}

bool probe_is_smcrouted(int pid, const char *comm)
{
	char text[256];
	ssize_t n = probe_cmdline(pid, text, sizeof text - 1);
	const char *word = "";

	text[n > 0 ? n : 0] = '\0';
	/* One program is all of them: `smcroute smcrouted` (smcroute.c). */
	if (n > 0 && strlen(text) < (size_t)n)
		word = text + strlen(text) + 1;
	return !strcmp(word, "smcrouted") || !strncmp(comm, "smcrouted", 9) ||
	       (!strcmp(comm, "smcroute") && strncmp(word, "smcroute", 8));
}

bool probe_router_after(int after, int *pid, char *comm, size_t size)
{
	static const char *const names[] = {
		"igmpproxy", "mcproxy", "mcproxy-bin", "omcproxy", "improxy", "pimd",
		"pimd-dense", "pim6d", "pim6sd", "pimb", "mrouted", "mrd6", "xorp_fea", "mcpd", NULL
	};
	char path[40], name[17];
	struct dirent *e;
	DIR *proc = opendir("/proc");
	int found = 0;

	while (proc && (e = readdir(proc))) {
		int p = atoi(e->d_name), i = 0;

		snprintf(path, sizeof path, "/proc/%d/comm", p);
		if (p <= after || (found && p > found) || !lines_first(path, name, sizeof name))
			continue;
		while (names[i] && strcmp(names[i], name))
			i++;
		if ((!names[i] && !probe_is_smcrouted(p, name)) || !probe_is_here(p))
			continue;
		*pid = found = p;
		snprintf(comm, size, "%s", name);
	}
	if (proc)
		closedir(proc);
	return found;
}

long long probe_nofile(int pid)
{
	char path[48] = "/proc/self/limits", *line;
	long long v = -1;
	struct lines l;

	if (pid)
		snprintf(path, sizeof path, "/proc/%d/limits", pid);
	if (lines_open(&l, path) < 0)
		return -1;
	while (v < 0 && (line = lines_next(&l)))
		if (!strncmp(line, "Max open files", 14))
			v = strtoll(line + 14, NULL, 10);
	lines_close(&l);
	return v;
}
