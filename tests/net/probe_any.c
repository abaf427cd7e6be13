/* SPDX-License-Identifier: ISC
 *
 * The kernel's own (*,G) entries on the real kernel: what `kernel` rules rest on.
 */
#include "tests/net/probe.h"

#include "kernel/probe.h"

#define EACH_FAMILY(f) for (enum fam f = FAM_4; f < FAM_N; f++)

static struct addr S[FAM_N], T[FAM_N], G[FAM_N];
static struct flow any[FAM_N];
static int h[4];
static struct upcall last;
static int calls;

static void open_lab(enum fam f)
{
	uint8_t len;

	lab(3);
	S[FAM_4] = ip("192.0.2.9");
	S[FAM_6] = ip("2001:db8::9");
	T[FAM_4] = ip("192.0.2.10");
	T[FAM_6] = ip("2001:db8::10");
	G[FAM_4] = ip("225.1.2.3");
	G[FAM_6] = ip("ff0e::1:3");
	addr_any(f, &any[f].source, &len);
	any[f].group = G[f];
	CHECK_INT(kernel_mroute_open(f, 0), 0);
	for (int i = 1; i <= 3; i++) {
		char name[8];

		snprintf(name, sizeof name, "a%d", i);
		CHECK_INT(kernel_vif_add(f, i, (int)if_nametoindex(name), 1), 0);
		name[0] = 'h';
		h[i] = wire(name);
	}
}

static void close_lab(enum fam f)
{
	kernel_mroute_close(f);
	for (int i = 1; i <= 3; i++)
		close(h[i]);
}

static void note(void *ctx, const struct upcall *up)
{
	(void)ctx;
	last = *up;
	calls++;
}

/* Upcalls that wait; where none is wanted what came before is looked at all the same. */
static int upcalls(enum fam f, int want)
{
	calls = 0;
	while (readable(kernel_mroute_fd(f), calls < want ? 20000 : 0))
		if (kernel_mroute_drain(f, 256, note, NULL) < 0)
			return -1;
	return calls;
}

static uint64_t counted(enum fam f)
{
	struct mfc_stats st = { 0 };

	CHECK_INT(kernel_mfc_stats(&any[f], &st), 0);
	return st.packets;
}

/* All sources of one iif: out of each output, never back, with one entry and no upcall. */
static void every_source(void)
{
	EACH_FAMILY(f) {
		open_lab(f);
		CHECK_INT(kernel_mfc_add(&any[f], 1, 1 << 2, NULL), 0);
		for (int i = 0; i < 100; i++) {
			struct addr s = S[f];

			s.b[14] = (uint8_t)i;
			send_udp(h[1], &s, &G[f], 1);
		}
		CHECK_INT(count_udp(h[2], &G[f], 100), 100);
		CHECK_INT(count_udp(h[1], &G[f], 0), 0);
		CHECK_INT(upcalls(f, 0), 0);
		CHECK_INT((int)counted(f), 100);

		/* On an output it is a wrong one, told once in 3 s; elsewhere it has no entry. */
		send_udp(h[2], &S[f], &G[f], 5);
		CHECK_INT(upcalls(f, 1), 1);
		CHECK_INT(last.kind, UPCALL_WRONGVIF);
		CHECK_INT(last.vif, 2);
		CHECK(addr_eq(&last.flow.source, &S[f]));
		send_udp(h[3], &S[f], &G[f], 1);
		CHECK_INT(upcalls(f, 1), 1);
		CHECK_INT(last.kind, UPCALL_NOCACHE);
		CHECK_INT(last.vif, 3);
		/* What waits there does not keep the source from its entry. */
		send_udp(h[1], &S[f], &G[f], 1);
		CHECK_INT(count_udp(h[2], &G[f], 1), 1);
		CHECK_INT(kernel_mfc_del(&any[f], 1), 0);
		CHECK(kernel_mfc_del(&any[f], 1) < 0 && errno == ENOENT);
		close_lab(f);
	}
}

/* An (S,G) entry is found first. */
static void beside(void)
{
	EACH_FAMILY(f) {
		open_lab(f);
		CHECK_INT(kernel_mfc_add(&any[f], 1, 1 << 2, NULL), 0);
		CHECK_INT(kernel_mfc_add(&(struct flow){ S[f], G[f] }, 1, 0, NULL), 0);
		send_udp(h[1], &S[f], &G[f], 3);
		send_udp(h[1], &T[f], &G[f], 2);
		CHECK_INT(count_udp(h[2], &G[f], 2), 2);
		CHECK_INT(count_udp(h[2], &G[f], 0), 0);
		close_lab(f);
	}
}

static uint64_t counts[4];

static void count(void *ctx, const struct addr *group, int iif, const struct mfc_stats *st)
{
	(void)ctx;
	CHECK(addr_eq(group, &G[addr_fam(group)]) && iif > 0 && iif < 4);
	counts[iif & 3] += st->packets;
}

/* One entry for each iif, each with its own outputs and counters. */
static void two_iifs(void)
{
	EACH_FAMILY(f) {
		open_lab(f);
		CHECK_INT(kernel_mfc_add(&any[f], 1, 1 << 3, NULL), 0);
		CHECK_INT(kernel_mfc_add(&any[f], 2, 1 << 3, NULL), 0);
		send_udp(h[1], &S[f], &G[f], 3);
		send_udp(h[2], &S[f], &G[f], 4);
		CHECK_INT(count_udp(h[3], &G[f], 7), 7);
		CHECK_INT((int)counted(f), 4);	/* of the newest one */
		memset(counts, 0, sizeof counts);
		CHECK_INT(kernel_counts_any(f, count, NULL), 0);
		CHECK_INT((int)counts[1], 3);
		CHECK_INT((int)counts[2], 4);
		CHECK_INT(kernel_mfc_add(&any[f], 1, 1 << 2, NULL), 0);
		CHECK_INT(kernel_mfc_del(&any[f], 2), 0);
		CHECK_INT((int)counted(f), 3);
		close_lab(f);
	}
}

/* A packet finds the newest entry that has its interface as iif or output (net/ipv4/ipmr_base.c, mr_mfc_find_any).  So
 * of a -> b and b -> a one is out of work, and so is b -> c when a -> b is newer. */
static void output_of_another(void)
{
	static const struct { uint32_t outputs; bool is_first_newer; int first, second; } ways[] = {
		{ 1 << 1, false, 0, 4 }, { 1 << 1, true, 3, 0 }, { 1 << 3, false, 3, 4 }, { 1 << 3, true, 3, 0 },
	};

	EACH_FAMILY(f)
		for (unsigned i = 0; i < 4; i++) {
			open_lab(f);
			if (ways[i].is_first_newer)
				CHECK_INT(kernel_mfc_add(&any[f], 2, ways[i].outputs, NULL), 0);
			CHECK_INT(kernel_mfc_add(&any[f], 1, 1 << 2, NULL), 0);
			if (!ways[i].is_first_newer)
				CHECK_INT(kernel_mfc_add(&any[f], 2, ways[i].outputs, NULL), 0);
			send_udp(h[1], &S[f], &G[f], 3);
			CHECK_INT(count_udp(h[2], &G[f], ways[i].first), ways[i].first);
			send_udp(h[2], &S[f], &G[f], 4);
			CHECK_INT(count_udp(h[i < 2 ? 1 : 3], &G[f], ways[i].second), ways[i].second);
			close_lab(f);
		}
}

/* Nobody looks at the source: IPv6 packets go on that no router may forward (RFC 4291, section 2.5.6).  IPv4 drops
 * those of 127.0.0.0/8 and 0.0.0.0 earlier (net/ipv4/route.c, ip_mc_validate_source). */
static void local_sources(void)
{
	static const char *const sources[] = { "127.0.0.9", "0.0.0.0", "fe80::77" };

	for (unsigned i = 0; i < 3; i++) {
		struct addr source = ip(sources[i]);
		enum fam f = addr_fam(&source);

		open_lab(f);
		CHECK_INT(kernel_mfc_add(&any[f], 1, 1 << 2, NULL), 0);
		send_udp(h[1], &source, &G[f], 3);
		CHECK_INT(count_udp(h[2], &G[f], f == FAM_6 ? 3 : 0), f == FAM_6 ? 3 : 0);
		close_lab(f);
	}
}

TEST_MAIN(TEST(every_source) TEST(beside) TEST(two_iifs) TEST(output_of_another) TEST(local_sources))
