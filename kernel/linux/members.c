/* SPDX-License-Identifier: ISC
 *
 * Of which groups the sockets of this host are members, as /proc/net tells, and what Linux does with a packet that
 * leaves where one of them is: it goes to the host as well, and so back in and through the router again.
 * IPv4 asks whether an address of the host itself would be listened to, as it looks for the way out without the
 * packet's source (net/ipv4/ipmr.c, ipmr_queue_xmit; net/ipv4/route.c, __mkroute_output; net/ipv4/ip_output.c,
 * ip_mc_output).  IPv6 asks about the packet's own source (net/ipv6/ip6_output.c, ip6_finish_output2).
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/kernel.h"
#include "kernel/linux/sock.h"
#include "lib/grow.h"
#include "lib/hash.h"
#include "lib/lines.h"
#include "lib/sorted.h"

/* A membership, or a source that members name.  The key comes first. */
struct members_line {
	int ifindex;
	struct addr group, source;	/* source all zero: the membership itself */
	uint32_t include;		/* its sockets; of a source those that ask for it alone */
	uint32_t exclude;		/* of a source: sockets that do not want it */
};
#define MEMBERS_KEY offsetof(struct members_line, include)

static struct members {
	struct members_line *v;		/* by key */
	uint32_t n, cap;
	uint32_t sum;			/* a hash of it all */
} members;

static int members_compare(const void *a, const void *b)
{
	return memcmp(a, b, MEMBERS_KEY);
}

/* 224.0.0.0/24 (RFC 5771, section 4), ff01::/16 and ff02::/16 (RFC 4291, section 2.7): hosts are always members of
 * some, and no router forwards them. */
static bool members_stay(const struct addr *group)
{
	static const unsigned char local[] = { 224, 0, 0 };

	return addr_fam(group) == FAM_4 ? !memcmp(group->b + 12, local, sizeof local) : (group->b[1] & 15) <= 2;
}

static int members_add(const struct members_line *line)
{
	struct members_line *v;

	if (members_stay(&line->group))
		return 0;
	v = grow(members.v, &members.cap, members.n + 1, sizeof *v);
	if (!v)
		return -1;
	members.v = v;
	v[members.n++] = *line;
	return 0;
}

/* An IPv4 address as a number of this machine, in whose memory it stands as in a packet. */
static struct addr members_v4(uint32_t w)
{
	struct addr a;

	addr_any(FAM_4, &a, &(uint8_t){ 0 });
	a.w[3] = w;
	return a;
}

/* IPv6: 32 digits. */
static bool members_v6(const char *hex, struct addr *a)
{
	char part[9] = "";

	if (strspn(hex, "0123456789abcdef") != 32 || hex[32])
		return false;
	for (int i = 0; i < 4; i++) {
		memcpy(part, hex + i * 8, 8);
		a->w[i] = htonl((uint32_t)strtoul(part, NULL, 16));
	}
	return true;
}

static uint32_t members_number(const char *s)
{
	return (uint32_t)strtoul(s, NULL, 10);
}

/* A line of igmp: of an interface, "2 a1 : 1 V3", or indented of a group on it, "010000E0 1 0:00000000 0". */
static bool members_igmp(char *line, struct members_line *m)
{
	bool is_group = *line == '\t';
	char *w[2];

	if (lines_words(line, w, 2) < 2)
		return false;
	if (!is_group) {
		m->ifindex = (int)members_number(w[0]);
		return false;
	}
	m->group = members_v4((uint32_t)strtoul(w[0], NULL, 16));
	m->include = members_number(w[1]);
	return m->ifindex > 0;
}

/* A line of igmp6: "2 a1 ff2e0000000000000000000000000099 1 00000004 0". */
static bool members_igmp6(char *line, struct members_line *m)
{
	char *w[4];

	if (lines_words(line, w, 4) < 4 || !members_v6(w[2], &m->group))
		return false;
	m->ifindex = (int)members_number(w[0]);
	m->include = members_number(w[3]);
	return true;
}

/* A line of mcfilter or mcfilter6: interface, its name, group, source, sockets that include and that exclude it. */
static bool members_filter(char *line, struct members_line *m)
{
	char *w[6];

	if (lines_words(line, w, 6) < 6)
		return false;
	m->ifindex = (int)members_number(w[0]);
	m->include = members_number(w[4]);
	m->exclude = members_number(w[5]);
	if (strncmp(w[2], "0x", 2))
		return members_v6(w[2], &m->group) && members_v6(w[3], &m->source);
	m->group = members_v4(htonl((uint32_t)strtoul(w[2], NULL, 16)));
	m->source = members_v4(htonl((uint32_t)strtoul(w[3], NULL, 16)));
	return true;
}

/* 0, or -1 with errno where there is no such file. */
static int members_file(const char *path, bool (*parse)(char *line, struct members_line *m))
{
	struct members_line m = { 0 };
	struct lines l;
	int res = 0;
	char *line;

	if (lines_open(&l, path) < 0)
		return -1;
	while (!res && (line = lines_next(&l)))
		if (parse(line, &m))
			res = members_add(&m);
	lines_close(&l);
	return res;
}

int kernel_members_read(uint32_t *n)
{
	uint32_t before = members.sum;
	int res;

	members.n = 0;
	res = members_file("/proc/net/igmp", members_igmp);
	if (!res)
		res = members_file("/proc/net/mcfilter", members_filter);
	/* Without IPv6 there are none. */
	if (!res && (members_file("/proc/net/igmp6", members_igmp6) || members_file("/proc/net/mcfilter6",
										   members_filter)))
		res = errno == ENOENT ? 0 : -1;
	if (res)
		members.n = 0;
	if (members.n)
		qsort(members.v, members.n, sizeof *members.v, members_compare);
	members.v = grow_trim(members.v, &members.cap, members.n, sizeof *members.v);
	members.sum = hash_bytes(members.v, members.n * sizeof *members.v);
	*n = members.n;
	return res ? -1 : members.sum != before;
}

/* The address that IPv4 gives itself for what it sends there; all zero where it has none. */
static struct addr members_own(int ifindex, const struct addr *group)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = group->w[3] };
	struct sockaddr_in own = { .sin_family = AF_INET };
	struct ip_mreqn through = { .imr_ifindex = ifindex };
	int fd = sock_open(FAM_4, SOCK_DGRAM);
	socklen_t len = sizeof own;

	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &through, sizeof through) ||
	    connect(fd, (struct sockaddr *)&to, sizeof to) || getsockname(fd, (struct sockaddr *)&own, &len))
		own.sin_addr.s_addr = 0;
	if (fd >= 0)
		close(fd);
	return members_v4(own.sin_addr.s_addr);
}

/* Whether a membership, with the lines of its sources behind it, takes packets of any source in a prefix.  How many of
 * its sockets take all but some sources is not told: as many as are left when those that take some alone are as few as
 * can be.  net/ipv4/igmp.c, ip_check_mc_rcu; net/ipv6/mcast.c, ipv6_chk_mcast_addr. */
static bool members_take(const struct members_line *m, const struct addr *source, uint8_t len)
{
	const struct members_line *end = members.v + members.n, *own = NULL, *s;
	uint32_t some = 0;
	bool is_wanted = false;

	for (s = m + 1; s < end && s->ifindex == m->ifindex && addr_eq(&s->group, &m->group); s++) {
		some = s->include > some ? s->include : some;
		if (!addr_covers(source, len, &s->source))
			continue;
		is_wanted |= s->include > 0;
		own = s;
	}
	if (is_wanted || some >= m->include)
		return is_wanted;
	return len < 128 || !own || own->exclude < m->include - some;
}

/* As kernel_members_loop() for one membership.  Without lines of sources it takes all, or so it looks: the kernel shows
 * none of an interface whose newest group has none (net/ipv4/igmp.c, igmp_mcf_get_first; net/ipv6/mcast.c,
 * igmp6_mcf_get_first). */
static bool members_loop(const struct members_line *m, const struct flow_range *range)
{
	const struct members_line *next = m + 1;
	struct addr own;

	if (next == members.v + members.n || next->ifindex != m->ifindex || !addr_eq(&next->group, &m->group))
		return true;
	if (addr_fam(&m->group) == FAM_6)
		return members_take(m, &range->flow.source, range->source_len);
	own = members_own(m->ifindex, &m->group);
	return !own.w[3] || members_take(m, &own, 128);
}

bool kernel_members_loop(int ifindex, const struct flow_range *range)
{
	const struct addr *group = &range->flow.group;
	const struct members_line key = { .ifindex = ifindex, .group = *group };
	uint32_t i = sorted_first(&key, members.v, members.n, sizeof key, members_compare);

	for (; i < members.n; i++) {
		const struct members_line *m = &members.v[i];

		if (m->ifindex != ifindex || !addr_covers(group, range->group_len, &m->group))
			return false;
		if (addr_eq(&m->source, &(struct addr){ 0 }) && members_loop(m, range))
			return true;
	}
	return false;
}

bool kernel_is_own(const struct addr *a)
{
	int fd = sock_open(addr_fam(a), SOCK_DGRAM);
	struct sockaddr_storage to = { 0 };
	bool is_foreign = fd >= 0 && bind(fd, (struct sockaddr *)&to, sock_addr(&to, a)) < 0 && errno == EADDRNOTAVAIL;

	if (fd >= 0)
		close(fd);
	return !is_foreign;
}

/* A line of /proc/net/dev: "    a1: 1234 5", bytes and packets that came in first (net/core/net-procfs.c). */
int kernel_received(const char *name, uint64_t *packets)
{
	size_t len = strlen(name);
	struct lines l;
	char *line, *end = NULL;

	if (lines_open(&l, "/proc/net/dev") < 0)
		return -1;
	while (!end && (line = lines_next(&l))) {
		line += strspn(line, " ");
		if (strncmp(line, name, len) || line[len] != ':')
			continue;
		strtoull(line + len + 1, &end, 10);
		*packets = strtoull(end, NULL, 10);
	}
	lines_close(&l);
	return end ? 0 : sock_fail(ENODEV);
}
