/* SPDX-License-Identifier: ISC
 *
 * What only looks at this host: who holds a routing socket, and which limit
 * stood in the way of a membership.  Reads /proc, changes nothing, and where
 * /proc is masked says so instead of guessing.
 */
#include "kernel/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kernel/words.h"
#include "lib/lines.h"

/* ---- the holder of a routing socket ---- */

/* Bounds of the search: raw sockets kept, descriptors looked at. */
#define INODES 256
#define LINKS 200000

struct inodes {
	uint64_t v[INODES];
	unsigned n;
};

/* Inodes of the raw sockets of a protocol; /proc/net/raw gives it as a hexadecimal port. */
static void inodes_read(struct inodes *set, const char *path, unsigned protocol)
{
	struct lines l;
	char *line, *w[10];
	const char *colon;

	set->n = 0;
	if (lines_open(&l, path) < 0)
		return;
	while (set->n < INODES && (line = lines_next(&l))) {
		if (words_cut(line, w, 10) < 10)
			continue;
		colon = strchr(w[1], ':');
		if (colon && strtoul(colon + 1, NULL, 16) == protocol)
			set->v[set->n++] = strtoull(w[9], NULL, 10);
	}
	lines_close(&l);
}

static bool inodes_have(const struct inodes *set, uint64_t inode)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->v[i] == inode)
			return true;
	return false;
}

/* Bit 0: the process has one of the first set, bit 1: of the second. */
static unsigned process_has(int proc, const char *pid, const struct inodes sets[2], int *budget)
{
	char path[64], text[64];
	struct dirent *e;
	unsigned has = 0;
	ssize_t n;
	DIR *d;
	int fd;

	snprintf(path, sizeof path, "%.20s/fd", pid);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (has != 3 && (e = readdir(d)) && (*budget)-- > 0) {
		n = readlinkat(dirfd(d), e->d_name, text, sizeof text - 1);
		if (n < 9 || memcmp(text, "socket:[", 8))
			continue;
		text[n] = '\0';
		for (unsigned i = 0; i < 2; i++)
			if (inodes_have(&sets[i], strtoull(text + 8, NULL, 10)))
				has |= 1u << i;
	}
	closedir(d);
	return has;
}

bool kernel_mroute_holder(enum fam fam, int *pid, char *comm, size_t len)
{
	struct inodes sets[2];
	int budget = LINKS, found = 0;
	struct dirent *e;
	char path[32];
	DIR *proc;

	/* Many programs have raw ICMPv6 sockets; one that has IGMP as well is a router. */
	inodes_read(&sets[0], fam == FAM_4 ? "/proc/net/raw" : "/proc/net/raw6",
		    fam == FAM_4 ? IPPROTO_IGMP : IPPROTO_ICMPV6);
	inodes_read(&sets[1], fam == FAM_4 ? "/proc/net/raw6" : "/proc/net/raw",
		    fam == FAM_4 ? IPPROTO_ICMPV6 : IPPROTO_IGMP);
	proc = sets[0].n ? opendir("/proc") : NULL;
	while (proc && budget > 0 && (e = readdir(proc))) {
		int p = e->d_name[0] >= '1' && e->d_name[0] <= '9' ? atoi(e->d_name) : 0;
		unsigned has = p && p != getpid() ? process_has(dirfd(proc), e->d_name, sets, &budget) : 0;

		if ((has & 1) && (!found || has == 3))
			found = p;
		if (has == 3)
			break;
	}
	if (found) {
		*pid = found;
		snprintf(path, sizeof path, "/proc/%d/comm", found);
		lines_first(path, comm, len);
	}
	if (proc)
		closedir(proc);
	return found;
}

/* ---- limits of memberships ---- */

long long kernel_look_sysctl(const char *name)
{
	char path[128], text[32];

	snprintf(path, sizeof path, "/proc/sys/%s", name);
	for (char *p = path + 10; *p; p++)
		if (*p == '.')
			*p = '/';
	return lines_first(path, text, sizeof text) ? strtoll(text, NULL, 10) : -1;
}

static const char *limit_text(const char *name, long long value)
{
	static char text[96];

	if (value < 0)
		snprintf(text, sizeof text, "%s", name);
	else
		snprintf(text, sizeof text, "%s = %lld", name, value);
	return text;
}

/* What stops a socket that holds nothing yet: more than one socket can take was spread already. */
static const char *socket_limit(enum fam fam)
{
	if (fam == FAM_4 && kernel_look_sysctl("net.ipv4.igmp_max_memberships") == 0)
		return limit_text("net.ipv4.igmp_max_memberships", 0);
	return limit_text("net.core.optmem_max", kernel_look_sysctl("net.core.optmem_max"));
}

const char *kernel_join_limit(int err, enum fam fam)
{
	struct rlimit r;

	switch (err) {
	case EMFILE:
		if (prlimit(0, RLIMIT_NOFILE, NULL, &r) < 0 || r.rlim_cur == RLIM_INFINITY)
			return limit_text("RLIMIT_NOFILE", -1);
		return limit_text("RLIMIT_NOFILE", (long long)r.rlim_cur);
	case ENFILE:
		return limit_text("fs.file-max", kernel_look_sysctl("fs.file-max"));
	case ENOBUFS:
	case ENOMEM:
		return socket_limit(fam);
	default:
		return "";
	}
}
