/* SPDX-License-Identifier: ISC
 *
 * Who else holds a routing socket.  Reads /proc, changes nothing, and where /proc is masked says so instead of
 * guessing.
 */
#include "kernel/kernel.h"

#include <dirent.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lines.h"

/* Bounds of the search: raw sockets kept, descriptors looked at. */
#define INODES 512
#define DESCRIPTORS 200000

#define HOLDER_EXITING 4u	/* PF_EXITING of include/linux/sched.h */

/* Raw sockets, those of one family's routing with bit 1, of the other's with bit 2. */
struct holder_sockets {
	unsigned n;
	struct {
		uint64_t inode;
		unsigned bit;
	} v[INODES];
};

/* Adds those of a family; /proc/net/raw gives the protocol as a hexadecimal port. */
static void holder_sockets_add(struct holder_sockets *s, enum fam fam, unsigned bit)
{
	unsigned protocol = fam == FAM_4 ? IPPROTO_IGMP : IPPROTO_ICMPV6, end = s->n + INODES / 2;
	char *line, *w[10], *colon;
	struct lines l;

	if (lines_open(&l, fam == FAM_4 ? "/proc/net/raw" : "/proc/net/raw6") < 0)
		return;
	while (s->n < end && (line = lines_next(&l))) {
		if (lines_words(line, w, 10) < 10 || !(colon = strchr(w[1], ':')) ||
		    strtoul(colon + 1, NULL, 16) != protocol)
			continue;
		s->v[s->n].inode = strtoull(w[9], NULL, 10);
		s->v[s->n++].bit = bit;
	}
	lines_close(&l);
}

/* The bits of those that a process has. */
static unsigned holder_bits(int pid, const struct holder_sockets *s, int *budget)
{
	char path[32], text[64];
	struct dirent *e;
	unsigned bits = 0;
	uint64_t inode;
	ssize_t n;
	DIR *d;

	snprintf(path, sizeof path, "/proc/%d/fd", pid);
	d = opendir(path);
	while (d && (e = readdir(d)) && (*budget)-- > 0) {
		n = readlinkat(dirfd(d), e->d_name, text, sizeof text - 1);
		text[n > 0 ? n : 0] = '\0';
		inode = strncmp(text, "socket:[", 8) ? 0 : strtoull(text + 8, NULL, 10);
		for (unsigned i = 0; inode && i < s->n; i++)
			if (s->v[i].inode == inode)
				bits |= s->v[i].bit;
	}
	if (d)
		closedir(d);
	return bits;
}

bool kernel_mroute_holder(enum fam fam, int but, int *pid, char *comm, size_t len)
{
	struct holder_sockets s = { 0 };
	int budget = DESCRIPTORS, found = 0, p;
	unsigned bits = 0;
	struct dirent *e;
	char path[32];
	DIR *proc;

	/* Many programs have raw ICMPv6 sockets; one that has IGMP as well is a router. */
	holder_sockets_add(&s, fam, 1);
	proc = s.n ? opendir("/proc") : NULL;
	holder_sockets_add(&s, !fam, 2);
	while (proc && bits != 3 && budget > 0 && (e = readdir(proc))) {
		p = atoi(e->d_name);
		bits = p > 0 && p != but && p != getpid() ? holder_bits(p, &s, &budget) : 0;
		if ((bits & 1) && (!found || bits == 3))
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

/* /proc/PID/stat has the name in parentheses, then the state, five numbers, and the flags. */
static bool holder_is_closing(int pid)
{
	char path[32], line[512], *end, *w[8];

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (!lines_first(path, line, sizeof line) || !strstr(line, " (smcroute") || !(end = strrchr(line, ')')))
		return false;
	return lines_words(end + 1, w, 8) >= 7 && *w[0] != 'Z' && strtoul(w[6], NULL, 10) & HOLDER_EXITING;
}

bool kernel_mroute_is_closing(void)
{
	DIR *proc = opendir("/proc");
	bool is_closing = false;
	struct dirent *e;

	while (proc && !is_closing && (e = readdir(proc)))
		is_closing = atoi(e->d_name) > 0 && holder_is_closing(atoi(e->d_name));
	if (proc)
		closedir(proc);
	return is_closing;
}
