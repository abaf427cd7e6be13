/* SPDX-License-Identifier: ISC */
/* Memberships on the last interface, whose wire shows what the kernel reports. */
#include "facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FACTS_SOURCES = 500, FACTS_JOIN_WAIT = 5000 };

static struct sockaddr_storage facts_addr(int family, const char *text)
{
	struct sockaddr_storage ss = { 0 };

	if (family == 4) {
		struct sockaddr_in a = { .sin_len = sizeof(a), .sin_family = AF_INET };

		inet_pton(AF_INET, text, &a.sin_addr);
		memcpy(&ss, &a, sizeof(a));
	} else {
		struct sockaddr_in6 a = { .sin6_len = sizeof(a), .sin6_family = AF_INET6 };

		inet_pton(AF_INET6, text, &a.sin6_addr);
		memcpy(&ss, &a, sizeof(a));
	}
	return ss;
}

/* source NULL is any. */
static int facts_member(int s, int family, const char *group, const char *source, bool leave)
{
	int level = family == 4 ? IPPROTO_IP : IPPROTO_IPV6;
	struct group_source_req gs = { .gsr_interface = facts_tap[3].index, .gsr_group = facts_addr(family, group) };
	struct group_req g = { .gr_interface = gs.gsr_interface, .gr_group = gs.gsr_group };

	if (!source)
		return setsockopt(s, level, leave ? MCAST_LEAVE_GROUP : MCAST_JOIN_GROUP, &g, sizeof(g)) ? errno : 0;
	gs.gsr_source = facts_addr(family, source);
	return setsockopt(s, level, leave ? MCAST_LEAVE_SOURCE_GROUP : MCAST_JOIN_SOURCE_GROUP, &gs, sizeof(gs)) ?
		errno : 0;
}

static void facts_join(int family)
{
	const char *group = family == 4 ? "225.6.6.6" : "ff05::6:6", *ssm = family == 4 ? "232.6.6.6" : "ff35::6:6";
	const char *source = family == 4 ? "10.9.9.9" : "fd00:9::9";
	int s = socket(family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0), bad, twice;
	struct lab_seen seen;

	lab_drain(&facts_tap[3]);
	bad = facts_member(s, family, group, NULL, false);
	seen = lab_see(&facts_tap[3], family, NULL, 1, FACTS_JOIN_WAIT);
	lab_check(!bad && seen.reports, "IPv%d: a join of any source is reported (%d, %d reports)", family, bad,
		seen.reports);
	twice = facts_member(s, family, group, NULL, false);
	lab_check(twice == EADDRINUSE, "IPv%d: twice gives EADDRINUSE (%d)", family, twice);
	lab_drain(&facts_tap[3]);
	bad = facts_member(s, family, ssm, source, false);
	seen = lab_see(&facts_tap[3], family, NULL, 1, FACTS_JOIN_WAIT);
	lab_check(!bad && seen.reports, "IPv%d: a join of one source is reported (%d, %d reports)", family, bad,
		seen.reports);
	twice = facts_member(s, family, ssm, source, false);
	lab_check(twice == EADDRNOTAVAIL, "IPv%d: the same source twice gives EADDRNOTAVAIL (%d)", family, twice);
	bad = facts_member(s, family, ssm, NULL, false);
	lab_check(bad == (family == 4 ? EINVAL : EADDRINUSE), "IPv%d: any source where there is one gives %s (%d)",
		family, family == 4 ? "EINVAL" : "EADDRINUSE", bad);
	close(s);
}

/* The 513th panics; two routers of 250 each end at 500. */
static void facts_sources(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), bad = 0, n = 0;
	char source[16] = "10.9.";

	while (n < FACTS_SOURCES && !bad) {
		struct in_addr a = { .s_addr = htonl(0x0a090000U + (unsigned)n + 1) };

		inet_ntop(AF_INET, &a, source, sizeof(source));
		bad = facts_member(s, 4, "232.7.7.7", source, false);
		n += !bad;
	}
	lab_check(n == FACTS_SOURCES, "IPv4: %d sources of one group on one interface (%d, then %d)", FACTS_SOURCES, n,
		bad);
	close(s);
}

void facts_joins(void)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0), bad;

	facts_join(4);
	facts_join(6);
	facts_sources();
	facts_member(s, 4, "225.8.8.8", NULL, false);
	lab_tap_destroy(&facts_tap[3]);
	bad = facts_member(s, 4, "225.8.8.8", NULL, true);
	lab_check(bad == EADDRNOTAVAIL, "IPv4: an interface that goes takes its memberships along (%d)", bad);
	close(s);
}
