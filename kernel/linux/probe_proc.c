/* SPDX-License-Identifier: ISC
 *
 * What only /proc and harmless sockets tell of this host: counters, what the
 * kernel can do, memberships, limits, whose network namespace it is.  A socket
 * opened here is closed again and never asks for the routing: that would take
 * it from whoever wants it.
 */
#include "kernel/kernel.h"

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
#include "kernel/linux/words.h"
#include "lib/lines.h"

/* ---- counters ---- */

#define COLUMNS 256
#define UNWANTED UINT8_MAX

/* Names that no other group of these files has; of IPv6 without "Ip6". */
static const struct {
	char name[20];
	uint8_t at;			/* in struct look_counters */
} wanted[] = {
	{ "InMcastPkts", offsetof(struct look_counters, mcast_in) },
	{ "OutMcastPkts", offsetof(struct look_counters, mcast_out) },
	{ "ForwDatagrams", offsetof(struct look_counters, forwarded) },
	{ "OutForwDatagrams", offsetof(struct look_counters, forwarded) },
	{ "FragFails", offsetof(struct look_counters, frag_fails) },
	{ "IPReversePathFilter", offsetof(struct look_counters, rp_filter) },
};

static uint8_t counter_find(const char *name)
{
	if (!strncmp(name, "Ip6", 3))
		name += 3;
	for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (!strcmp(wanted[i].name, name))
			return wanted[i].at;
	return UNWANTED;
}

static void counter_set(struct look_counters *c, uint8_t at, const char *value)
{
	uint64_t v = strtoull(value, NULL, 10);

	if (at != UNWANTED)
		memcpy((char *)c + at, &v, sizeof v);
}

/* IPv4: a line of names, then one of their values.  IPv6: lines of a name and its value. */
static int counters_read(struct look_counters *c, enum fam fam, const char *path)
{
	char *line, *word[COLUMNS];
	uint8_t at[COLUMNS];
	bool names = false;
	struct lines l;

	if (lines_open(&l, path) < 0)
		return -1;
	memset(at, UNWANTED, sizeof at);
	while ((line = lines_next(&l))) {
		unsigned n = words_cut(line, word, COLUMNS);

		names = !names;
		for (unsigned i = 0; i < n; i++)
			if (fam == FAM_6 ? !i : names)
				at[fam == FAM_6 ? 1 : i] = counter_find(word[i]);
			else
				counter_set(c, at[i], word[i]);
	}
	lines_close(&l);
	return 0;
}

int kernel_look_counters(enum fam fam, struct look_counters *c)
{
	memset(c, 0, sizeof *c);
	if (fam == FAM_6)
		return counters_read(c, fam, "/proc/net/snmp6");
	if (counters_read(c, fam, "/proc/net/netstat") < 0)
		return -1;
	return counters_read(c, fam, "/proc/net/snmp");
}

/* ---- what this kernel can do ---- */

static seen_t option_there(int fd, int level, int option)
{
	int v = 0;
	socklen_t len = sizeof v;

	if (getsockopt(fd, level, option, &v, &len) == 0)
		return 1;
	return errno == ENOPROTOOPT || errno == EOPNOTSUPP ? 0 : -1;
}

/* Only where /proc/net shows other things does a file's absence say something. */
static seen_t absent(void)
{
	return access("/proc/net/dev", F_OK) == 0 ? 0 : -1;
}

_Static_assert(MRT_VERSION == MRT6_VERSION && MRT_PIM == MRT6_PIM, "options of both families");

void kernel_look_support(enum fam fam, struct look_support *s)
{
	const char *vifs = fam == FAM_4 ? "/proc/net/ip_mr_vif" : "/proc/net/ip6_mr_vif";
	int fd = sock_open(fam, SOCK_RAW), err = errno;
	uint32_t table;

	*s = (struct look_support){
		.routing = access(vifs, F_OK) == 0 ? 1 : absent(), .tables = -1, .pim = -1,
	};
	if (fd >= 0) {
		s->raw = 1;
		s->routing = option_there(fd, sock_level(fam), MRT_VERSION);
		s->pim = option_there(fd, sock_level(fam), MRT_PIM);
		close(fd);
	} else if (err != EPERM && err != EACCES) {
		s->raw = -1;
		if (err == EAFNOSUPPORT)
			s->routing = 0;
	}
	if (kernel_look_table(fam, "", &table) == 0)
		s->tables = 1;
	else if (errno == EAFNOSUPPORT || errno == EOPNOTSUPP)
		s->tables = 0;
}

seen_t kernel_look_iptables(enum fam fam)
{
	int fd = open(fam == FAM_4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names",
		      O_RDONLY | O_CLOEXEC);
	ssize_t n;
	char c;

	if (fd < 0)
		return errno == ENOENT ? absent() : -1;
	n = read(fd, &c, 1);
	close(fd);
	return n < 0 ? -1 : n > 0;
}

seen_t kernel_look_netns_ours(void)
{
	struct stat owner, mine;
	seen_t ours = -1;
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

/* ---- memberships and limits ---- */

/* IPv4: a line of an interface, then those of its groups, each as a number of this machine.
 * IPv6: lines of an interface, its name, and a group. */
seen_t kernel_look_member(int ifindex, const struct addr *grp)
{
	bool v4 = addr_fam(grp) == FAM_4, is = false;
	char *line, want[33], *w[3];
	int index = 0;
	struct lines l;

	if (lines_open(&l, v4 ? "/proc/net/igmp" : "/proc/net/igmp6") < 0)
		return -1;
	for (unsigned i = 0; i < 4; i++)
		snprintf(want + 8 * i, 9, "%08x", ntohl(grp->w[i]));
	while (!is && (line = lines_next(&l))) {
		if (line[0] != '\t')
			index = atoi(line);
		is = index == ifindex && words_cut(line, w, 3) == 3 &&
		     (v4 ? strtoul(w[0], NULL, 16) == grp->w[3] : !strcmp(w[2], want));
	}
	lines_close(&l);
	return is;
}

long long kernel_look_nofile(int pid)
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
