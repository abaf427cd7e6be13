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

#include "kernel/linux/words.h"
#include "lib/lines.h"

/* ---- the holder of a routing socket ---- */

/* Bounds of the search: raw sockets kept, descriptors looked at. */
#define INODES 512
#define LINKS 200000

struct inodes {
	unsigned n;
	struct {
		uint64_t inode;
		unsigned bit;
	} v[INODES];
};

/* Adds the raw sockets of a family's routing; /proc/net/raw gives the protocol as a hexadecimal port. */
static void inodes_add(struct inodes *set, enum fam fam, unsigned bit)
{
	unsigned long protocol = fam == FAM_4 ? IPPROTO_IGMP : IPPROTO_ICMPV6;
	unsigned end = set->n + INODES / 2;
	struct lines l;
	char *w[10];
	const char *colon;

	if (lines_open(&l, fam == FAM_4 ? "/proc/net/raw" : "/proc/net/raw6") < 0)
		return;
	while (set->n < end && words_next(&l, w, 10)) {
		colon = strchr(w[1], ':');
		if (!colon || strtoul(colon + 1, NULL, 16) != protocol)
			continue;
		set->v[set->n].inode = strtoull(w[9], NULL, 10);
		set->v[set->n++].bit = bit;
	}
	lines_close(&l);
}

/* The bits of those that a process has. */
static unsigned process_has(const char *pid, const struct inodes *set, int *budget)
{
	char path[64], text[64];
	struct dirent *e;
	unsigned has = 0;
	uint64_t inode;
	ssize_t n;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%.20s/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d)) && (*budget)-- > 0) {
		n = readlinkat(dirfd(d), e->d_name, text, sizeof text - 1);
		if (n < 9 || memcmp(text, "socket:[", 8))
			continue;
		text[n] = '\0';
		inode = strtoull(text + 8, NULL, 10);
		for (unsigned i = 0; i < set->n; i++)
			if (set->v[i].inode == inode)
				has |= set->v[i].bit;
	}
	if (d)
		closedir(d);
	return has;
}

bool kernel_mroute_holder(enum fam fam, int *pid, char *comm, size_t len)
{
	struct inodes set;
	int budget = LINKS, found = 0, p;
	unsigned has = 0;
	struct dirent *e;
	char path[32];
	DIR *proc;

	/* Many programs have raw ICMPv6 sockets; one that has IGMP as well is a router. */
	set.n = 0;
	inodes_add(&set, fam, 1);
	proc = set.n ? opendir("/proc") : NULL;
	inodes_add(&set, !fam, 2);
	while (proc && has != 3 && budget > 0 && (e = readdir(proc))) {
		p = atoi(e->d_name);
		has = p > 0 && p != getpid() ? process_has(e->d_name, &set, &budget) : 0;
		if ((has & 1) && (!found || has == 3))
			found = p;
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
	char path[128];

	snprintf(path, sizeof path, "/proc/sys/%s", name);
	for (char *p = path + 10; *p; p++)
		if (*p == '.')
			*p = '/';
	return words_number(path, 10);
}

const char *kernel_join_limit(int err, enum fam fam)
{
	static char text[96];
	const char *name;
	struct rlimit r;
	long long v = -1;

	switch (err) {
	case EMFILE:
		name = "RLIMIT_NOFILE";
		if (prlimit(0, RLIMIT_NOFILE, NULL, &r) == 0 && r.rlim_cur != RLIM_INFINITY)
			v = (long long)r.rlim_cur;
		break;
	case ENFILE:
		name = "fs.file-max";
		v = kernel_look_sysctl(name);
		break;
	case ENOBUFS:
	case ENOMEM:
		/* What stops a socket that holds nothing yet: more than one can take was spread already. */
		name = "net.ipv4.igmp_max_memberships";
		if (fam == FAM_4 && (v = kernel_look_sysctl(name)) == 0)
			break;
		name = "net.core.optmem_max";
		v = kernel_look_sysctl(name);
		break;
	default:
		return "";
	}
	snprintf(text, sizeof text, v < 0 ? "%s" : "%s = %lld", name, v);
	return text;
}
