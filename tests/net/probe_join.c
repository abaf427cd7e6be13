/* SPDX-License-Identifier: ISC
 *
 * Memberships on the real kernel: limits found by asking, what /proc says of it,
 * and what happens when an interface goes.
 */
#include "tests/net/probe.h"

#include <sys/resource.h>
#include <sys/wait.h>

#define MANY 400
static uint32_t slots[MANY];
static int a1;

static struct addr group(enum fam f, unsigned i)
{
	struct addr a = f == FAM_4 ? ip("232.7.0.0") : ip("ff3e::7:0:0");

	a.b[14] = (uint8_t)(i >> 8);
	a.b[15] = (uint8_t)i;
	return a;
}

static struct addr source(enum fam f, unsigned i)
{
	struct addr a = f == FAM_4 ? ip("10.9.0.1") : ip("fd09::1");

	a.b[14] = (uint8_t)(i >> 8);
	a.b[15] = (uint8_t)(i + 1);
	return a;
}

/* Lines of a file of /proc that hold a word. */
static int lines(const char *path, const char *word)
{
	char line[512];
	FILE *f = fopen(path, "r");
	int n = 0;

	while (f && fgets(line, sizeof line, f))
		n += strstr(line, word) != NULL;
	if (f)
		fclose(f);
	return n;
}

static int members(enum fam f)
{
	return f == FAM_4 ? lines("/proc/net/igmp", "07E8 ") :
			    lines("/proc/net/igmp6", "ff3e00000000000000000007");
}

static int sources(enum fam f)
{
	return f == FAM_4 ? lines("/proc/net/mcfilter", "0xe807") : lines("/proc/net/mcfilter6", "ff3e0000");
}

/* What count() says, which is asked again while it is not n: a listing of /proc that is read in pieces skips lines
 * when an interface gets an address meanwhile. */
static int become(int (*count)(enum fam fam), enum fam f, int n)
{
	for (int i = 0; i < 2000 && count(f) != n; i++)
		usleep(10000);
	return count(f);
}

/* The groups of its own addresses (RFC 4291, section 2.7.1) that a1 is a member of. */
static int own_groups(enum fam f)
{
	(void)f;
	return lines("/proc/net/igmp6", "a1              ff0200000000000000000001ff");
}

/* mcfilter and mcfilter6 tell nothing while the newest group of the first interface has no sources
 * (net/ipv6/mcast.c, igmp6_mcf_get_first): that of the link-local address comes when the link is up. */
static void open_lab(void)
{
	lab(1);
	a1 = (int)if_nametoindex("a1");
	CHECK_INT(become(own_groups, FAM_6, 2), 2);
}

static void any_source(void)
{
	open_lab();
	for (enum fam f = FAM_4; f < FAM_N; f++) {
		int before = descriptors();

		for (unsigned i = 0; i < 300; i++) {
			struct addr g = group(f, i);

			CHECK_INT(kernel_join(a1, NULL, &g, &slots[i]), 0);
		}
		CHECK_INT(become(members, f, 300), 300);
		if (f == FAM_4)
			CHECK_INT(descriptors() - before, 15);	/* 20 to a socket */
		for (unsigned i = 0; i < 300; i += 2) {
			struct addr g = group(f, i);

			CHECK_INT(kernel_leave(a1, NULL, &g, slots[i]), 0);
		}
		CHECK_INT(become(members, f, 150), 150);
		/* What was left makes room. */
		for (unsigned i = 0; i < 300; i += 2) {
			struct addr g = group(f, i);

			CHECK_INT(kernel_join(a1, NULL, &g, &slots[i]), 0);
		}
		if (f == FAM_4)
			CHECK_INT(descriptors() - before, 15);
		for (unsigned i = 0; i < 300; i++) {
			struct addr g = group(f, i);

			CHECK_INT(kernel_leave(a1, NULL, &g, slots[i]), 0);
		}
		CHECK_INT(become(members, f, 0), 0);
		CHECK_INT(descriptors() - before, 0);
	}
	kernel_join_close();
}

static void single_sources(void)
{
	open_lab();
	for (enum fam f = FAM_4; f < FAM_N; f++) {
		struct addr g = group(f, 1), h = group(f, 2), s;
		int before = descriptors();
		uint32_t any, slot;

		/* Any source and single sources of one group, side by side. */
		CHECK_INT(kernel_join(a1, NULL, &g, &any), 0);
		for (unsigned i = 0; i < 128; i++) {
			s = source(f, i);
			CHECK_INT(kernel_join(a1, &s, &g, &slots[i]), 0);
			CHECK_INT(kernel_join(a1, &s, &h, &slots[i + 128]), 0);
		}
		CHECK_INT(kernel_leave(a1, NULL, &g, any), 0);
		CHECK_INT(become(sources, f, 256), 256);
		if (f == FAM_4)
			CHECK_INT(descriptors() - before, 13);	/* 10 of each group to a socket */
		else
			CHECK_INT(descriptors() - before, 2);	/* 64 */
		s = source(f, 127);
		if (f == FAM_4)		/* there the socket is not full */
			CHECK(kernel_join(a1, &s, &g, &slot) < 0 && errno == EADDRINUSE);
		/* A hole in the first socket is the next to be filled. */
		s = source(f, 3);
		slot = slots[3];
		CHECK_INT(kernel_leave(a1, &s, &g, slots[3]), 0);
		CHECK(kernel_leave(a1, &s, &g, slots[3]) < 0 && errno == EADDRNOTAVAIL);
		CHECK_INT(kernel_join(a1, &s, &g, &slots[3]), 0);
		CHECK_INT(slots[3], slot);
		for (unsigned i = 0; i < 128; i++) {
			s = source(f, i);
			CHECK_INT(kernel_leave(a1, &s, &g, slots[i]), 0);
			CHECK_INT(kernel_leave(a1, &s, &h, slots[i + 128]), 0);
		}
		CHECK_INT(become(sources, f, 0) + become(members, f, 0), 0);
		CHECK_INT(descriptors() - before, 0);
	}
	kernel_join_close();
}

/* Leaving by the old ifindex what an interface took with it; then the new one. */
static void interface_gone(void)
{
	open_lab();
	for (enum fam f = FAM_4; f < FAM_N; f++) {
		int before = descriptors(), old;
		struct addr g = group(f, 0), h = group(f, 1), s;
		uint32_t any, new;

		run("ip link add x1 type veth peer name x2; ip link set x1 up");
		old = (int)if_nametoindex("x1");
		CHECK_INT(kernel_join(old, NULL, &g, &any), 0);
		for (unsigned i = 0; i < 25; i++) {
			s = source(f, i);
			CHECK_INT(kernel_join(old, &s, &h, &slots[i]), 0);
		}
		run("ip link del x1");
		CHECK(kernel_join(old, NULL, &h, &new) < 0 && errno == ENODEV);
		CHECK(kernel_join(old, &s, &g, &new) < 0 && errno == ENODEV);
		run("ip link add x1 index %d type veth peer name x2; ip link set x1 up", old);
		CHECK_INT(kernel_leave(old, NULL, &g, any), 0);
		for (unsigned i = 0; i < 25; i++) {
			s = source(f, i);
			CHECK_INT(kernel_leave(old, &s, &h, slots[i]), 0);
		}
		CHECK_INT(descriptors() - before, 0);
		CHECK_INT(kernel_join(old, &s, &h, &new), 0);
		CHECK_INT(become(sources, f, 1), 1);
		run("ip link del x1");
		CHECK_INT(kernel_leave(old, &s, &h, new), 0);
		CHECK_INT(descriptors() - before, 0);
	}
	kernel_join_close();
}

/* Few descriptors, one membership in each: how many joins succeed. */
static int few_descriptors(void)
{
	struct rlimit less = { 20, 40 };
	struct addr g;
	uint32_t slot;
	int i;

	setrlimit(RLIMIT_NOFILE, &less);
	for (i = 0; i < 60; i++) {
		g = group(FAM_4, (unsigned)i);
		if (kernel_join(a1, NULL, &g, &slot) < 0)
			break;
	}
	return errno == EMFILE && !strcmp(kernel_join_limit(EMFILE, FAM_4), "RLIMIT_NOFILE = 40") ? i : 0;
}

static void limits(void)
{
	struct addr g = group(FAM_4, 0), s = source(FAM_4, 0);
	uint32_t slot;
	int status = 0;

	open_lab();
	CHECK_STR(kernel_join_limit(EPERM, FAM_4), "");
	CHECK(!strncmp(kernel_join_limit(EMFILE, FAM_4), "RLIMIT_NOFILE = ", 16));
	CHECK(!strncmp(kernel_join_limit(ENOBUFS, FAM_6), "net.core.optmem_max", 19));
	CHECK(kernel_join(0, NULL, &g, &slot) < 0 && errno == ENODEV);
	write_file("/proc/sys/net/ipv4/igmp_max_memberships", "0");
	CHECK(kernel_join(a1, NULL, &g, &slot) < 0 && errno == ENOBUFS);
	CHECK(kernel_join(a1, &s, &g, &slot) < 0 && errno == ENOBUFS);
	CHECK_STR(kernel_join_limit(ENOBUFS, FAM_4), "net.ipv4.igmp_max_memberships = 0");
	write_file("/proc/sys/net/ipv4/igmp_max_memberships", "1");
	kernel_join_close();
	fflush(stdout);
	if (!fork())
		_exit(few_descriptors());
	wait(&status);
	/* All that the hard limit allows but what is left for others. */
	CHECK(WEXITSTATUS(status) > 10 && WEXITSTATUS(status) <= 30);
}

/* A flood for the joined group stays out of the join sockets. */
static void no_traffic(void)
{
	struct addr g, s = ip("192.0.2.1");
	uint32_t slot;
	int h1, before;

	open_lab();
	before = lines("/proc/net/udp", ":") + lines("/proc/net/udp6", ":");
	h1 = wire("h1");
	g = ip("232.7.0.1");
	CHECK_INT(kernel_join(a1, NULL, &g, &slot), 0);
	send_udp(h1, &s, &g, 10);
	/* Sockets without a port are not even in the table that is searched. */
	CHECK_INT(lines("/proc/net/udp", ":") + lines("/proc/net/udp6", ":"), before);
	close(h1);
	kernel_join_close();
}

static void time_joins(enum fam f, int n)
{
	uint32_t *slot = calloc((size_t)n, sizeof *slot);
	int64_t t = now_us(), joined;
	struct addr g;
	int ok = 0, bad = 0;

	for (int i = 0; slot && i < n; i++) {
		g = group(f, (unsigned)i);
		if (kernel_join(a1, NULL, &g, &slot[i]) < 0)
			break;
		ok++;
	}
	CHECK_INT(ok, n);
	joined = now_us() - t;
	for (int i = 0; i < ok; i++) {
		g = group(f, (unsigned)i);
		bad += kernel_leave(a1, NULL, &g, slot[i]) < 0;
	}
	CHECK_INT(bad, 0);
	printf("# %s: %d joins in %lld ms, left in %lld ms\n", fam_str(f), n,
	       (long long)joined / 1000, (long long)(now_us() - t - joined) / 1000);
	free(slot);
}

static void many(void)
{
	const char *n = getenv("PROBE_JOINS");

	open_lab();
	time_joins(FAM_4, n ? atoi(n) : 2000);
	time_joins(FAM_6, n ? atoi(n) : 2000);
	kernel_join_close();
}

TEST_MAIN(TEST(any_source) TEST(single_sources) TEST(interface_gone) TEST(limits) TEST(no_traffic)
	  TEST(many))
