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

#include "kernel/sock.h"
#include "kernel/words.h"
#include "lib/lines.h"

/* ---- counters ---- */

struct wanted {
	const char *group, *name;	/* "Ip", "ForwDatagrams"; a group for itself in snmp6 */
	size_t at;			/* in struct look_counters */
};

#define AT(field) offsetof(struct look_counters, field)

static const struct wanted netstat[] = {
	{ "IpExt:", "InMcastPkts", AT(mcast_in) },
	{ "IpExt:", "OutMcastPkts", AT(mcast_out) },
	{ "TcpExt:", "IPReversePathFilter", AT(rp_filter) },
	{ NULL, NULL, 0 },
};

static const struct wanted snmp[] = {
	{ "Ip:", "ForwDatagrams", AT(forwarded) },
	{ "Ip:", "FragFails", AT(frag_fails) },
	{ NULL, NULL, 0 },
};

static const struct wanted snmp6[] = {
	{ NULL, "Ip6InMcastPkts", AT(mcast_in) },
	{ NULL, "Ip6OutMcastPkts", AT(mcast_out) },
	{ NULL, "Ip6OutForwDatagrams", AT(forwarded) },
	{ NULL, "Ip6FragFails", AT(frag_fails) },
	{ NULL, NULL, 0 },
};

static void counter_set(struct look_counters *c, const struct wanted *w, const char *group,
			const char *name, const char *value)
{
	for (; w->name; w++) {
		if (strcmp(w->name, name) || (w->group && strcmp(w->group, group)))
			continue;
		uint64_t v = strtoull(value, NULL, 10);

		memcpy((char *)c + w->at, &v, sizeof v);
	}
}

/* A line of names, a line of values, both behind the same first word. */
static void counters_pair(struct look_counters *c, const struct wanted *w, char *names, char *values)
{
	char *n, *v, *end_n, *end_v, *group = strtok_r(names, " \n", &end_n);

	if (!group || !strtok_r(values, " \n", &end_v))
		return;
	while ((n = strtok_r(NULL, " \n", &end_n)) && (v = strtok_r(NULL, " \n", &end_v)))
		counter_set(c, w, group, n, v);
}

static int counters_read(struct look_counters *c, const char *path, const struct wanted *w)
{
	char *line, *word[2], *names = NULL;
	struct lines l;

	if (lines_open(&l, path) < 0)
		return -1;
	while ((line = lines_next(&l))) {
		if (!w->group) {
			if (words_cut(line, word, 2) == 2)
				counter_set(c, w, "", word[0], word[1]);
		} else if (names) {
			counters_pair(c, w, names, line);
			free(names);
			names = NULL;
		} else if (!(names = strdup(line))) {
			break;
		}
	}
	free(names);
	lines_close(&l);
	return 0;
}

int kernel_look_counters(enum fam fam, struct look_counters *c)
{
	memset(c, 0, sizeof *c);
	if (fam == FAM_6)
		return counters_read(c, "/proc/net/snmp6", snmp6);
	if (counters_read(c, "/proc/net/netstat", netstat) < 0)
		return -1;
	return counters_read(c, "/proc/net/snmp", snmp);
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

static seen_t file_there(const char *path)
{
	if (access(path, F_OK) == 0)
		return 1;
	/* Only where /proc/net shows other things does this one's absence say something. */
	return access("/proc/net/dev", F_OK) == 0 ? 0 : -1;
}

_Static_assert(MRT_VERSION == MRT6_VERSION && MRT_PIM == MRT6_PIM, "options of both families");

void kernel_look_support(enum fam fam, struct look_support *s)
{
	int fd = sock_open(fam, SOCK_RAW);
	uint32_t table;

	*s = (struct look_support){
		.routing = file_there(fam == FAM_4 ? "/proc/net/ip_mr_vif" : "/proc/net/ip6_mr_vif"),
		.tables = -1, .pim = -1,
	};
	if (fd >= 0) {
		s->raw = 1;
		s->routing = option_there(fd, sock_level(fam), MRT_VERSION);
		s->pim = option_there(fd, sock_level(fam), MRT_PIM);
		close(fd);
	} else if (errno != EPERM && errno != EACCES) {
		s->raw = -1;
		if (errno == EAFNOSUPPORT)
			s->routing = 0;
	}
	if (kernel_look_table(fam, "", &table) == 0)
		s->tables = 1;
	else if (errno == EAFNOSUPPORT || errno == EOPNOTSUPP)
		s->tables = 0;
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

/* A line of an interface, then those of its groups, printed as numbers of this machine. */
static bool member4(struct lines *l, int ifindex, const struct addr *grp)
{
	const char *line;
	uint32_t word;
	int index = 0;

	memcpy(&word, grp->b + 12, sizeof word);
	while ((line = lines_next(l))) {
		if (line[0] != '\t')
			index = atoi(line);
		else if (index == ifindex && strtoul(line, NULL, 16) == word)
			return true;
	}
	return false;
}

static bool member6(struct lines *l, int ifindex, const struct addr *grp)
{
	char *line, want[33], *w[3];

	for (unsigned i = 0; i < 16; i++)
		snprintf(want + 2 * i, 3, "%02x", grp->b[i]);
	while ((line = lines_next(l)))
		if (words_cut(line, w, 3) == 3 && atoi(w[0]) == ifindex && !strcmp(w[2], want))
			return true;
	return false;
}

seen_t kernel_look_member(int ifindex, const struct addr *grp)
{
	bool v4 = addr_fam(grp) == FAM_4, is;
	struct lines l;

	if (lines_open(&l, v4 ? "/proc/net/igmp" : "/proc/net/igmp6") < 0)
		return -1;
	is = v4 ? member4(&l, ifindex, grp) : member6(&l, ifindex, grp);
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
