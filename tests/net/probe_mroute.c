/* SPDX-License-Identifier: ISC
 *
 * The routing sockets on the real kernel: what kernel.h promises about VIFs,
 * entries, counters and upcalls, and the facts that the design rests on.
 */
#include "kernel/probe.h"
#include "tests/net/probe.h"
#include "tests/unit/icmp6.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <linux/mroute6.h>

#include "kernel/mrdisc.h"

static struct addr S[FAM_N], T[FAM_N], G[FAM_N];
#define EACH_FAMILY(f) for (enum fam f = FAM_4; f < FAM_N; f++)

static int a1, a2, a3;

static void open_lab(int pairs)
{
	lab(pairs);
	S[FAM_4] = ip("192.0.2.9");
	S[FAM_6] = ip("2001:db8::9");
	T[FAM_4] = ip("192.0.2.10");
	T[FAM_6] = ip("2001:db8::10");
	G[FAM_4] = ip("225.1.2.3");
	G[FAM_6] = ip("ff0e::1:3");
	a1 = (int)if_nametoindex("a1");
	a2 = (int)if_nametoindex("a2");
	a3 = (int)if_nametoindex("a3");
	EACH_FAMILY(f)
		CHECK_INT(kernel_mroute_open(f, 0), 0);
}

static void close_lab(void)
{
	EACH_FAMILY(f)
		kernel_mroute_close(f);
}

static struct upcall last;
static int calls;

static void note(void *ctx, const struct upcall *up)
{
	(void)ctx;
	last = *up;
	calls++;
}

/* Reads upcalls until `want` came or nothing comes for a while. */
static int upcalls(enum fam f, int want)
{
	calls = 0;
	while (calls < want && readable(kernel_mroute_fd(f), 20000))
		if (kernel_mroute_drain(f, 256, note, NULL) < 0)
			return -1;
	return calls;
}

static void family_is_taken_once(void)
{
	int status = 0, pid = 0;
	char comm[32] = "";

	open_lab(0);
	EACH_FAMILY(f) {
		CHECK(kernel_mroute_fd(f) >= 0);
		CHECK(kernel_mroute_has_pim(f));
		CHECK(!kernel_mroute_holder(f, 0, &pid, comm, sizeof comm));
		CHECK(kernel_mroute_open(f, 0) < 0 && errno == EADDRINUSE);
		if (!fork()) {
			int parent = (int)getppid(), bad = 0;

			/* Another process finds the table taken, and who has it. */
			for (int g = 0; g < FAM_N; g++) {
				int s = socket(g ? AF_INET6 : AF_INET, SOCK_RAW, g ? IPPROTO_ICMPV6 : IPPROTO_IGMP);
				int one = 1;

				bad |= setsockopt(s, g ? IPPROTO_IPV6 : IPPROTO_IP, 200, &one, sizeof one) == 0;
				bad |= (errno != EADDRINUSE) << 1;
			}
			bad |= !kernel_mroute_holder(f, 0, &pid, comm, sizeof comm) << 2;
			bad |= (pid != parent) << 3;
			bad |= (strncmp(comm, program_invocation_short_name, 15) != 0) << 4;
			_exit(bad);
		}
		wait(&status);
		CHECK_INT(WEXITSTATUS(status), 0);
	}
	close_lab();
	open_lab(0);	/* what was given back can be had again */
	close_lab();
}

static void other_table(void)
{
	lab(0);
	EACH_FAMILY(f) {
		CHECK_INT(kernel_mroute_open(f, 0), 0);
		kernel_mroute_close(f);
		CHECK_INT(kernel_mroute_open(f, 77), 0);
		CHECK_INT(kernel_mroute_fd(f) >= 0, 1);
	}
	EACH_FAMILY(f)
		kernel_mroute_close(f);
}

/* Who asks where there are no rules knows the default table and keeps it. */
static void table_unknown(void)
{
	struct rlimit full, none;
	struct probe_lookup l;

	lab(0);
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &full), 0);
	none = full;
	none.rlim_cur = 0;
	EACH_FAMILY(f) {
		l.table = 12;
		CHECK_INT(setrlimit(RLIMIT_NOFILE, &none), 0);
		CHECK(probe_table(f, "a1", &l) < 0 && errno == EMFILE);
		CHECK_INT(setrlimit(RLIMIT_NOFILE, &full), 0);
		CHECK_INT(l.table, 12);
		CHECK_INT(probe_table(f, "a1", &l), 0);
		CHECK_INT(l.table, probe_default_table(f));
	}
}

static void vifs(void)
{
	struct vif_stats st;

	open_lab(2);
	EACH_FAMILY(f) {
		CHECK_INT(kernel_vif_add(f, 0, a1, 1), 0);
		CHECK_INT(kernel_vif_add(f, 31, a2, 1), 0);
		CHECK(kernel_vif_add(f, 0, a2, 1) < 0 && errno == EADDRINUSE);
		CHECK(kernel_vif_add(f, 1, 9999, 1) < 0 && errno == ENODEV);
		CHECK(kernel_vif_add(f, 32, a2, 1) < 0);
		CHECK_INT(kernel_vif_stats(f, 31, &st), 0);
		CHECK_INT(st.in_packets + st.in_bytes + st.out_packets, 0);
		CHECK(kernel_vif_stats(f, 7, &st) < 0 && errno == ENOENT);
		CHECK_INT(kernel_vif_del(f, 0), 0);
		CHECK_INT(kernel_vif_del(f, 0), 0);
	}
	run("ip link del a2");
	EACH_FAMILY(f) {
		CHECK(kernel_vif_stats(f, 31, &st) < 0 && errno == ENOENT);
		CHECK_INT(kernel_vif_del(f, 31), 0);
		CHECK_INT(kernel_vif_add(f, 31, a1, 1), 0);
	}
	CHECK(kernel_vif_add(FAM_6, 1, 65536 + a1, 1) < 0 && errno == EOVERFLOW);
	run("ip link add far index 70000 type veth peer name fary");
	CHECK_INT(kernel_vif_add(FAM_4, 2, 70000, 1), 0);
	CHECK(kernel_vif_add(FAM_6, 2, 70000, 1) < 0 && errno == EOVERFLOW);
	close_lab();
}

struct seen {
	int n;
	struct mfc_stats st;
};

static void saw(void *ctx, const struct probe_mfc *e)
{
	struct seen *s = ctx;

	CHECK(addr_eq(&e->flow.source, &S[addr_fam(&e->flow.group)]) &&
	      addr_eq(&e->flow.group, &G[addr_fam(&e->flow.group)]));
	s->n += !e->unresolved;
	s->st = e->st;
}

static void entries(void)
{
	struct mfc_stats st;
	struct seen seen = { 0 };

	open_lab(3);
	EACH_FAMILY(f) {
		CHECK_INT(kernel_vif_add(f, 0, a1, 1), 0);
		CHECK_INT(kernel_vif_add(f, 1, a2, 1), 0);
		CHECK(kernel_mfc_del(&(struct flow){ S[f], G[f] }, 0) < 0 && errno == ENOENT);
		CHECK(kernel_mfc_stats(&(struct flow){ S[f], G[f] }, &st) < 0 && errno == ENOENT);
		CHECK_INT(kernel_mfc_add(&(struct flow){ S[f], G[f] }, 0, 2, NULL), 0);
		CHECK_INT(kernel_mfc_add(&(struct flow){ S[f], G[f] }, 1, 1, NULL), 0);
		CHECK_INT(kernel_mfc_add(&(struct flow){ S[f], G[f] }, 0, 0, NULL), 0);
		CHECK_INT(kernel_mfc_stats(&(struct flow){ S[f], G[f] }, &st), 0);
		CHECK_INT(st.packets + st.bytes + st.wrong_if, 0);
		seen = (struct seen){ 0 };
		CHECK_INT(probe_mfc(f, saw, &seen), 0);
		CHECK_INT(seen.n, 1);
		CHECK_INT(kernel_mfc_del(&(struct flow){ S[f], G[f] }, 0), 0);
		seen = (struct seen){ 0 };
		CHECK_INT(probe_mfc(f, saw, &seen), 0);
		CHECK_INT(seen.n, 0);
		CHECK(kernel_mfc_add(&(struct flow){ S[f], G[f] }, 32, 0, NULL) < 0);
	}
	close_lab();
}

/* From an unknown source to its counters: the way each packet of the daemon goes. */
static void flow(void)
{
	open_lab(3);
	EACH_FAMILY(f) {
		int h1 = wire("h1"), h2 = wire("h2"), h3 = wire("h3");
		struct seen seen = { 0 };
		struct mfc_stats st;
		struct vif_stats vif;

		CHECK_INT(kernel_vif_add(f, 0, a1, 1), 0);
		CHECK_INT(kernel_vif_add(f, 1, a2, 1), 0);
		CHECK_INT(kernel_vif_add(f, 2, a3, 1), 0);
		send_udp(h1, &S[f], &G[f], 3);
		CHECK_INT(upcalls(f, 1), 1);
		CHECK_INT(last.kind, UPCALL_NOCACHE);
		CHECK_INT(last.fam, f);
		CHECK_INT(last.vif, 0);
		CHECK(addr_eq(&last.flow.source, &S[f]) && addr_eq(&last.flow.group, &G[f]));
		CHECK_INT(probe_mfc(f, saw, &seen), 0);
		CHECK_INT(seen.n, 0);
		CHECK_INT(kernel_mfc_add(&(struct flow){ S[f], G[f] }, 0, 1 << 1, NULL), 0);
		CHECK_INT(count_udp(h2, &G[f], 3), 3);	/* the held ones were released */
		send_udp(h1, &S[f], &G[f], 17);
		CHECK_INT(count_udp(h2, &G[f], 17), 17);
		CHECK_INT(count_udp(h3, &G[f], 0), 0);
		CHECK_INT(kernel_mfc_stats(&(struct flow){ S[f], G[f] }, &st), 0);
		CHECK_INT(st.packets, 20);
		CHECK_INT(st.wrong_if, 0);
		CHECK_INT(kernel_vif_stats(f, 0, &vif), 0);
		CHECK_INT(vif.in_packets, 20);
		CHECK_INT(kernel_vif_stats(f, 1, &vif), 0);
		CHECK_INT(vif.out_packets, 20);

		/* On an interface that is not even an output: told at once, counted apart. */
		send_udp(h3, &S[f], &G[f], 5);
		CHECK_INT(upcalls(f, 1), 1);
		CHECK_INT(last.kind, UPCALL_WRONGVIF);
		CHECK_INT(last.vif, 2);
		CHECK_INT(kernel_mfc_stats(&(struct flow){ S[f], G[f] }, &st), 0);
		CHECK_INT(st.packets, 20);
		CHECK_INT(st.wrong_if, 5);
		CHECK_INT(probe_mfc(f, saw, &seen), 0);
		CHECK_INT(seen.n, 1);
		CHECK_INT(seen.st.packets, 20);
		CHECK_INT(seen.st.wrong_if, 5);
		CHECK_INT(seen.st.bytes, st.bytes);
		close(h1);
		close(h2);
		close(h3);
	}
	close_lab();
}

/* A copy that the router itself gets of what it forwarded counts as one more packet: because an
 * output is a member of the group, or (IPv6 only, where no interface is asked for a MIF,
 * net/ipv6/ip6_input.c) because the receiver is in the same namespace.  IPv6 counts it as wrong
 * too, so that the difference stays right.  IPv4 knows it for its own (net/ipv4/ipmr.c,
 * ip_mr_forward()) and does not: there the count is one too high for each such output. */
static void copies_of_the_router(void)
{
	open_lab(2);
	run("ip link add a5 type veth peer name h5; ip link set a5 up; ip link set h5 up");
	EACH_FAMILY(f) {
		int h1 = wire("h1"), h2 = wire("h2");
		struct mfc_stats st;
		uint32_t slot;

		CHECK_INT(kernel_vif_add(f, 0, a1, 1), 0);
		CHECK_INT(kernel_vif_add(f, 1, a2, 1), 0);
		CHECK_INT(kernel_vif_add(f, 2, (int)if_nametoindex("a5"), 1), 0);
		CHECK_INT(kernel_mfc_add(&(struct flow){ S[f], G[f] }, 0, 1 << 2, NULL), 0);
		send_udp(h1, &S[f], &G[f], 20);
		count_udp(h2, &G[f], 0);
		CHECK_INT(kernel_mfc_stats(&(struct flow){ S[f], G[f] }, &st), 0);
		CHECK_INT(st.packets, 20);
		CHECK_INT(st.wrong_if, f == FAM_6 ? 20 : 0);

		CHECK_INT(kernel_mfc_add(&(struct flow){ T[f], G[f] }, 0, 1 << 1, NULL), 0);
		CHECK_INT(kernel_join(a2, NULL, &G[f], &slot), 0);
		send_udp(h1, &T[f], &G[f], 20);
		CHECK_INT(count_udp(h2, &G[f], 20), 20);
		CHECK_INT(kernel_mfc_stats(&(struct flow){ T[f], G[f] }, &st), 0);
		CHECK(st.packets == 20 || (f == FAM_4 && st.packets == 40));
		CHECK_INT(st.wrong_if, f == FAM_6 ? 20 : 0);
		CHECK_INT(kernel_leave(a2, NULL, &G[f], slot), 0);
		close(h1);
		close(h2);
	}
	kernel_join_close();
	close_lab();
}

static void thresholds(void)
{
	uint8_t ttl[KERNEL_VIFS] = { [1] = 8, [2] = 7 };
	int h1, h2, h3;

	open_lab(3);
	h1 = wire("h1"), h2 = wire("h2"), h3 = wire("h3");
	CHECK_INT(kernel_vif_add(FAM_4, 0, a1, 1), 0);
	CHECK_INT(kernel_vif_add(FAM_4, 1, a2, 1), 0);
	CHECK_INT(kernel_vif_add(FAM_4, 2, a3, 1), 0);
	CHECK_INT(kernel_mfc_add(&(struct flow){ S[FAM_4], G[FAM_4] }, 0, 6, ttl), 0);
	send_udp(h1, &S[FAM_4], &G[FAM_4], 4);	/* TTL 8: over 7, not over 8 */
	CHECK_INT(count_udp(h3, &G[FAM_4], 4), 4);
	CHECK_INT(count_udp(h2, &G[FAM_4], 0), 0);
	close(h1);
	close(h2);
	close(h3);
	close_lab();
}

/* IGMP and ICMPv6 of the neighbours do not take the buffer from upcalls. */
static void neighbours_are_not_heard(void)
{
	static const unsigned char igmp[] = { 0x16, 0, 0x08, 0xf6, 225, 9, 9, 9 };
	static const unsigned char icmp6[] = { 135, 0, 0, 0, 0, 0, 0, 0 };
	unsigned char p[256];

	open_lab(1);
	EACH_FAMILY(f) {
		struct addr from = f == FAM_4 ? ip("10.1.0.77") : ip("fe80::77");
		struct addr all = f == FAM_4 ? ip("224.0.0.1") : ip("ff02::1");
		int h1 = wire("h1");
		size_t len = f == FAM_4 ? frame(p, &from, &all, 2, 1, igmp, sizeof igmp) :
					  frame(p, &from, &all, 58, 255, icmp6, sizeof icmp6);

		CHECK_INT(kernel_vif_add(f, 0, a1, 1), 0);
		for (int i = 0; i < 100; i++)
			CHECK(send(h1, p, len, 0) > 0);
		CHECK(!readable(kernel_mroute_fd(f), 100));
		send_udp(h1, &S[f], &G[f], 1);
		CHECK_INT(upcalls(f, 1), 1);
		close(h1);
	}
	close_lab();
}

/* An ICMPv6 packet of type 0, made up as an upcall, its checksum on the number of the MIF. */
static void neighbours_make_no_upcalls(void)
{
	struct addr from = ip("fe80::77"), all = ip("ff02::1");
	unsigned char icmp6[40] = { [1] = MRT6MSG_NOCACHE }, p[256];
	uint16_t pad;
	size_t len;
	int h1;

	open_lab(1);
	h1 = wire("h1");
	memcpy(icmp6 + 8, S[FAM_6].b, 16);
	memcpy(icmp6 + 24, G[FAM_6].b, 16);
	pad = icmp6_checksum(&from, &all, icmp6, sizeof icmp6);
	memcpy(icmp6 + 4, &pad, sizeof pad);
	len = frame(p, &from, &all, IPPROTO_ICMPV6, 255, icmp6, sizeof icmp6);
	CHECK_INT(kernel_vif_add(FAM_6, 0, a1, 1), 0);
	CHECK(send(h1, p, len, 0) > 0);
	CHECK(!readable(kernel_mroute_fd(FAM_6), 200));
	close(h1);
	close_lab();
}

/* Sources that all speak at once, before the first upcall is read: more than 20 times what a
 * buffer of the default size holds.  The kernel searches all unanswered ones for each packet. */
#define BURST 6000
static uint8_t heard[BURST];

static void hear(void *ctx, const struct upcall *up)
{
	const uint8_t *b = up->flow.source.b;
	unsigned n = (unsigned)b[13] << 16 | (unsigned)b[14] << 8 | b[15];

	if (n < BURST && !heard[n]++)
		++*(int *)ctx;
}

static void write_down(void *ctx, const struct upcall *up)
{
	char *p = ctx;

	p[strlen(p)] = (char)('0' + up->flow.source.b[15]);
}

static bool buffer_is_large(int fd)
{
	int size = 0;
	socklen_t len = sizeof size;

	return getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len) == 0 && size > BURST * 1024;
}

static void burst(void)
{
	EACH_FAMILY(f) {
		struct addr src;
		int h1, n = 0;

		open_lab(1);
		h1 = wire("h1");
		memset(heard, 0, sizeof heard);
		CHECK_INT(kernel_vif_add(f, 0, a1, 1), 0);
		for (unsigned k = 0; k < BURST; k++) {
			src = S[f];
			src.b[13] = (uint8_t)(k >> 16);
			src.b[14] = (uint8_t)(k >> 8);
			src.b[15] = (uint8_t)k;
			send_udp(h1, &src, &G[f], 1);
		}
		/* Nothing may be left in the socket while there is something left to hand on. */
		if (readable(kernel_mroute_fd(f), 20000))
			while (kernel_mroute_drain(f, 1000, hear, &n) == 1000)
				;
		/* Without CAP_NET_ADMIN outside the buffer is net.core.rmem_max. */
		if (buffer_is_large(kernel_mroute_fd(f)))
			CHECK_INT(n, BURST);
		else
			printf("# small buffer: %d of %d\n", n, BURST);
		close(h1);
		close_lab();
	}
}

/* Of many upcalls the newest come first, a turn's worth at a time and these in order. */
static void order(void)
{
	static const char *const turns[] = { "45", "23", "1" };

	EACH_FAMILY(f) {
		struct addr src;
		int h1;

		open_lab(1);
		h1 = wire("h1");
		CHECK_INT(kernel_vif_add(f, 0, a1, 1), 0);
		for (unsigned k = 1; k <= 5; k++) {
			src = S[f];
			src.b[15] = (uint8_t)k;
			send_udp(h1, &src, &G[f], 1);
		}
		CHECK(readable(kernel_mroute_fd(f), 20000));
		for (unsigned k = 0; k < 3; k++) {
			char got[8] = "";

			CHECK_INT(kernel_mroute_drain(f, 2, write_down, got), (int)strlen(turns[k]));
			CHECK_STR(got, turns[k]);
		}
		CHECK_INT(kernel_mroute_drain(f, 2, write_down, NULL), 0);
		close(h1);
		close_lab();
	}
}

TEST_MAIN(TEST(family_is_taken_once) TEST(other_table) TEST(table_unknown) TEST(vifs) TEST(entries) TEST(flow)
	  TEST(copies_of_the_router) TEST(thresholds) TEST(neighbours_are_not_heard)
	  TEST(neighbours_make_no_upcalls) TEST(burst) TEST(order))
