/* SPDX-License-Identifier: ISC
 *
 * Sockets that are handed over, on the real kernel: what is taken, what is not, and that a table is read as it stands.
 */
#include "tests/net/probe.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <linux/mroute.h>

#include "lib/priv.h"

#define EACH_FAMILY(f) for (enum fam f = FAM_4; f < FAM_N; f++)
#define TABLE 7

static int a[5];
static struct flow flow[FAM_N], any[FAM_N];

static void open_lab(void)
{
	uint8_t len;

	lab(4);
	for (int i = 1; i <= 4; i++) {
		char name[8];

		snprintf(name, sizeof name, "a%d", i);
		a[i] = (int)if_nametoindex(name);
	}
	flow[FAM_4] = (struct flow){ ip("192.0.2.9"), ip("225.1.2.3") };
	flow[FAM_6] = (struct flow){ ip("2001:db8::9"), ip("ff0e::1:3") };
	EACH_FAMILY(f) {
		any[f] = flow[f];
		addr_any(f, &any[f].source, &len);
	}
}

/* ---- copies of what is open, as another process would hold it ---- */

static struct copy {
	char name[KERNEL_FDNAME];
	int fd;
} copies[64];
static unsigned ncopies;

static void copy(void *ctx, const char *name, int fd)
{
	(void)ctx;
	snprintf(copies[ncopies].name, KERNEL_FDNAME, "%s", name);
	copies[ncopies++].fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* The sockets live on, and this process has none. */
static void part(void)
{
	ncopies = 0;
	kernel_fds(copy, NULL);
	kernel_release();
	EACH_FAMILY(f)
		CHECK_INT(kernel_mroute_fd(f), -1);
}

static void take_back(uint32_t table)
{
	for (unsigned i = 0; i < ncopies; i++)
		CHECK_INT(kernel_adopt(copies[i].name, copies[i].fd, table), 0);
}

/* The errno of an attempt, 0 for none; the descriptor is closed in any case. */
static int attempt(const char *name, int fd, uint32_t table)
{
	int err = kernel_adopt(name, fd, table) < 0 ? errno : 0;

	if (err)
		close(fd);
	return err;
}

static int raw(enum fam f)
{
	return socket(f == FAM_4 ? AF_INET : AF_INET6, SOCK_RAW, f == FAM_4 ? IPPROTO_IGMP : IPPROTO_ICMPV6);
}

/* ---- cases ---- */

static void what_is_not_taken(void)
{
	static const char *const names[] = {
		"", "mroute", "mroute5", "mroute4.", "mroute4.x", "mroute4.-1", "mroute4.4294967296", "mroute44",
		"mrdisc4.1", "report", "members", "member.", "member.x", "journal", "mroute4\n", "unknown",
	};
	int on = 1, table = TABLE, pair[2];

	open_lab();
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		CHECK_INT(attempt(names[i], raw(FAM_4), 0), EINVAL);
	CHECK_INT(attempt("mroute4", open("/dev/null", O_RDONLY), 0), ENOTSOCK);
	CHECK_INT(attempt("member.1", open("/dev/null", O_RDONLY), 0), ENOTSOCK);
	CHECK_INT(attempt("mroute4", 999, 0), ENOTSOCK);
	CHECK_INT(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
	CHECK_INT(attempt("member", pair[0], 0), EPROTOTYPE);
	CHECK_INT(attempt("mrdisc4", pair[1], 0), EPROTOTYPE);
	CHECK_INT(attempt("mroute4", socket(AF_INET, SOCK_DGRAM, 0), 0), EPROTOTYPE);
	CHECK_INT(attempt("mroute4", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), 0), EPROTOTYPE);
	CHECK_INT(attempt("mroute4", raw(FAM_6), 0), EPROTOTYPE);
	CHECK_INT(attempt("report6", raw(FAM_4), 0), EPROTOTYPE);
	CHECK_INT(attempt("member.7", raw(FAM_4), 0), EPROTOTYPE);
	CHECK_INT(attempt("mroute4", raw(FAM_4), TABLE), ESRCH);
	CHECK_INT(attempt("mroute4.7", raw(FAM_4), 0), ESRCH);
	EACH_FAMILY(f) {
		const char *name = f == FAM_4 ? "mroute4" : "mroute6";
		int level = f == FAM_4 ? IPPROTO_IP : IPPROTO_IPV6, fd;

		/* Nobody has the table; somebody else; one that has given it back; another table. */
		CHECK_INT(attempt(name, raw(f), 0), ESTALE);
		CHECK_INT(kernel_mroute_open(f, 0), 0);
		CHECK_INT(attempt(name, raw(f), 0), EEXIST);
		part();
		CHECK_INT(attempt(name, raw(f), 0), ESTALE);
		CHECK_INT(setsockopt(copies[0].fd, level, MRT_DONE, &on, sizeof on), 0);
		CHECK_INT(attempt(name, copies[0].fd, 0), ESTALE);
		fd = raw(f);
		CHECK_INT(setsockopt(fd, level, MRT_TABLE, &table, sizeof table), 0);
		CHECK_INT(setsockopt(fd, level, MRT_INIT, &on, sizeof on), 0);
		CHECK_INT(attempt(name, dup(fd), 0), ESRCH);
		close(fd);
		/* Of another network namespace. */
		into(ns_hosts);
		fd = raw(f);
		CHECK_INT(setsockopt(fd, level, MRT_INIT, &on, sizeof on), 0);
		into(ns_router);
		CHECK_INT(attempt(name, fd, 0), EXDEV);
	}
	into(ns_hosts);
	int member = socket(AF_INET, SOCK_DGRAM, 0);

	into(ns_router);
	CHECK_INT(attempt("member", member, 0), EXDEV);
	CHECK(priv_has(PRIV_NET_ADMIN));
}

static struct mfc_found found[8];
static unsigned nfound;

static void find(void *ctx, const struct mfc_found *e)
{
	(void)ctx;
	if (nfound < 8)
		found[nfound++] = *e;
}

static struct mfc_found *found_of(const struct flow *wanted, int iif)
{
	for (unsigned i = 0; i < nfound; i++)
		if (flow_eq(&found[i].flow, wanted) && found[i].iif == iif)
			return &found[i];
	return NULL;
}

/* VIFs 0, 2, 5 and 31, and entries of each kind. */
static void fill(enum fam f, uint32_t table)
{
	static const uint8_t ttl[KERNEL_VIFS] = { [0] = 1, [2] = 4, [5] = 1, [31] = 9 };
	struct flow stop = flow[f];

	CHECK_INT(kernel_mroute_open(f, table), 0);
	CHECK_INT(kernel_vif_add(f, 0, a[3], 1), 0);
	CHECK_INT(kernel_vif_add(f, 2, a[1], 4), 0);
	CHECK_INT(kernel_vif_add(f, 5, a[4], 1), 0);
	CHECK_INT(kernel_vif_add(f, 31, a[2], 9), 0);
	CHECK_INT(kernel_mfc_add(&flow[f], 2, 1u | 1u << 31, ttl), 0);
	stop.source.b[15] = 10;
	CHECK_INT(kernel_mfc_add(&stop, 0, 0, ttl), 0);
	stop.source.b[15] = 11;
	CHECK_INT(kernel_mfc_add(&stop, 5, 1u << 2, ttl), 0);
	CHECK_INT(kernel_mfc_add(&any[f], 2, 1u | 1u << 31, ttl), 0);
	CHECK_INT(kernel_mfc_add(&any[f], 31, 1u << 2, ttl), 0);
}

static void is_full(enum fam f)
{
	struct flow stop = flow[f];
	int ifindex[KERNEL_VIFS];
	struct mfc_found *e;

	CHECK_INT(kernel_vifs_read(f, ifindex), 0);
	for (int vif = 0; vif < KERNEL_VIFS; vif++)
		CHECK_INT(ifindex[vif], vif == 0 ? a[3] : vif == 2 ? a[1] : vif == 31 ? a[2] : 0);
	nfound = 0;
	CHECK_INT(kernel_mfc_read(f, find, NULL), 0);
	CHECK_INT(nfound, 5);
	e = found_of(&flow[f], 2);
	CHECK(e && e->oifs == (1u | 1u << 31) && e->ttl[0] == 1 && e->ttl[31] == (f == FAM_4 ? 9 : 1));
	CHECK(e && e->st.packets == 3 && e->st.bytes && !e->is_unresolved && e->idle_ms < 600000);
	stop.source.b[15] = 10;
	e = found_of(&stop, 0);
	CHECK(e && !e->oifs && !e->st.packets);
	stop.source.b[15] = 11;
	e = found_of(&stop, -1);
	CHECK(e && e->oifs == 1u << 2);
	e = found_of(&any[f], 2);
	CHECK(e && e->oifs == (1u | 1u << 31));
	e = found_of(&any[f], 31);
	CHECK(e && e->oifs == 1u << 2);
}

/* VIFs keep their numbers, one goes with its interface while nobody looks. */
static void read_back(uint32_t table)
{
	EACH_FAMILY(f) {
		int h1;

		open_lab();
		h1 = wire("h1");
		if (table)
			run("ip %s mrule add iif a1 lookup %u", f == FAM_4 ? "-4" : "-6", table);
		fill(f, table);
		send_udp(h1, &flow[f].source, &flow[f].group, 3);
		for (struct mfc_stats st = { 0 }; st.packets < 3;)
			CHECK_INT(kernel_mfc_stats(&flow[f], &st), 0);
		part();
		CHECK_INT(ncopies, 1);
		run("ip link del a4");
		take_back(table);
		CHECK_INT(kernel_mroute_open(f, table), 1);
		CHECK(kernel_mroute_has_pim(f));
		is_full(f);
		/* It is an ordinary one again, which another one cannot be beside. */
		CHECK_INT(kernel_vif_add(f, 1, a[4] = a[3], 1), 0);
		CHECK_INT(kernel_mfc_del(&flow[f], 2), 0);
		CHECK(kernel_mroute_open(f, table) < 0 && errno == EADDRINUSE);
		CHECK_INT(kernel_mroute_reset(f), 0);
		nfound = 0;
		CHECK_INT(kernel_mfc_read(f, find, NULL), 0);
		CHECK_INT(nfound, 0);
		CHECK_INT(kernel_vif_add(f, 0, a[1], 1), 0);
		kernel_mroute_close(f);
		close(h1);
	}
}

static void default_table(void)
{
	read_back(0);
}

static void other_table(void)
{
	read_back(TABLE);
}

/* A packet waits for an entry: the flow is named, and nothing else is known. */
static void unresolved(void)
{
	EACH_FAMILY(f) {
		int h1, ifindex[KERNEL_VIFS];

		open_lab();
		h1 = wire("h1");
		CHECK_INT(kernel_mroute_open(f, 0), 0);
		CHECK_INT(kernel_vif_add(f, 0, a[1], 1), 0);
		send_udp(h1, &flow[f].source, &flow[f].group, 1);
		CHECK(readable(kernel_mroute_fd(f), 20000));
		part();
		take_back(0);
		CHECK_INT(kernel_mroute_open(f, 0), 1);
		CHECK_INT(kernel_vifs_read(f, ifindex), 0);
		nfound = 0;
		CHECK_INT(kernel_mfc_read(f, find, NULL), 0);
		CHECK_INT(nfound, 1);
		CHECK(found[0].is_unresolved && flow_eq(&found[0].flow, &flow[f]));
		kernel_mroute_close(f);
		close(h1);
	}
}

/* Without any capability: in a child that has given up all, as another user where there is one. */
static void no_capability(void)
{
	EACH_FAMILY(f) {
		int status = -1;

		open_lab();
		fill(f, TABLE);
		part();
		if (!fork()) {
			int ifindex[KERNEL_VIFS], other = raw(f), level = f == FAM_4 ? IPPROTO_IP : IPPROTO_IPV6;

			CHECK_INT(setsockopt(other, level, MRT_TABLE, &(int){ TABLE }, sizeof(int)), 0);
			CHECK_INT(priv_shed(false), 0);
			CHECK(raw(f) < 0 && errno == EPERM);
			take_back(TABLE);
			CHECK_INT(kernel_mroute_open(f, TABLE), 1);
			CHECK_INT(kernel_vifs_read(f, ifindex), 0);
			CHECK_INT(ifindex[2], a[1]);
			CHECK_INT(kernel_vif_del(f, 5), 0);
			CHECK_INT(kernel_vif_add(f, 6, a[4], 1), 0);
			CHECK_INT(kernel_mfc_add(&flow[f], 2, 1u << 6, NULL), 0);
			CHECK_INT(kernel_mroute_reset(f), 0);
			CHECK_INT(kernel_vif_add(f, 6, a[4], 1), 0);
			/* Somebody else has it by then, for a while. */
			CHECK_INT(setsockopt(kernel_mroute_fd(f), level, MRT_DONE, &(int){ 1 }, sizeof(int)), 0);
			CHECK_INT(setsockopt(other, level, MRT_INIT, &(int){ 1 }, sizeof(int)), 0);
			CHECK_INT(kernel_mroute_reset(f), -1);
			CHECK_INT(kernel_mroute_fd(f), -1);
			CHECK(kernel_mroute_open(f, TABLE) < 0 && errno == EADDRINUSE);
			close(other);
			CHECK_INT(kernel_mroute_open(f, TABLE), 0);
			CHECK_INT(kernel_vif_add(f, 6, a[4], 1), 0);
			_exit(test_failed != 0);
		}
		wait(&status);
		CHECK_INT(status, 0);
		for (unsigned i = 0; i < ncopies; i++)
			close(copies[i].fd);
	}
}

/* ---- memberships ---- */

#define GROUPS 90

static int join_all(enum fam f)
{
	struct addr grp = flow[f].group;
	uint32_t slot;
	int n = 0;

	for (unsigned i = 0; i < GROUPS; i++) {
		grp.b[15] = (uint8_t)i;
		n += kernel_join(a[1], i % 3 ? NULL : &flow[f].source, &grp, &slot) == 0;
	}
	return n;
}

/* Memberships that /proc lists. */
static int members(enum fam f)
{
	const char *word = f == FAM_4 ? "0201E1" : "ff0e000000000000000000000001";
	FILE *in = fopen(f == FAM_4 ? "/proc/net/igmp" : "/proc/net/igmp6", "r");
	char line[256];
	int n = 0;

	while (in && fgets(line, sizeof line, in))
		n += strstr(line, word) != NULL;
	if (in)
		fclose(in);
	return n;
}

static const char *followed[2];		/* the last names that were opened and closed */
static char follow_names[2][KERNEL_FDNAME];
static int nfollowed[2];

static void follow(void *ctx, const char *name, int fd, bool is_open)
{
	(void)ctx;
	CHECK(fcntl(fd, F_GETFD) >= 0);
	snprintf(follow_names[is_open], KERNEL_FDNAME, "%s", name);
	followed[is_open] = follow_names[is_open];
	nfollowed[is_open]++;
}

static void memberships(void)
{
	EACH_FAMILY(f) {
		int sockets, before = descriptors();

		open_lab();
		before = descriptors();
		memset(nfollowed, 0, sizeof nfollowed);
		kernel_fds_follow(follow, NULL);
		CHECK_INT(join_all(f), GROUPS);
		sockets = nfollowed[true];
		CHECK(sockets > 1);
		part();
		CHECK_INT(nfollowed[false], 0);
		CHECK_INT(ncopies, sockets);
		CHECK_INT(members(f), GROUPS);
		take_back(0);
		kernel_fds_follow(follow, NULL);
		CHECK_INT(join_all(f), GROUPS);
		CHECK_INT(members(f), GROUPS);
		CHECK_INT(kernel_join_settled(), sockets);
		CHECK_INT(kernel_join_settled(), 0);
		CHECK_INT(nfollowed[false], sockets);
		CHECK_INT(nfollowed[true], 2 * sockets);
		CHECK_INT(members(f), GROUPS);
		/* No name of one that was handed over came again. */
		for (unsigned i = 0; i < ncopies; i++)
			CHECK(strcmp(copies[i].name, followed[true]));
		kernel_join_close();
		CHECK_INT(nfollowed[false], 2 * sockets);
		CHECK_INT(members(f), 0);
		CHECK_INT(descriptors(), before);
		kernel_fds_follow(NULL, NULL);
	}
}

/* Too few descriptors for both: those that were handed over go first. */
static void few_descriptors(void)
{
	struct rlimit few;
	int lowest;

	EACH_FAMILY(f) {
		int status = -1;

		open_lab();
		if (!fork()) {
			CHECK_INT(join_all(f), GROUPS);
			part();
			take_back(0);
			/* One more than those that were handed over, beside the quarter that is kept for others. */
			while ((lowest = dup(0)) < copies[ncopies - 1].fd)
				;
			close(lowest);
			few.rlim_cur = few.rlim_max = (rlim_t)(lowest + 1) * 4 / 3 + 1;
			CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
			CHECK_INT(join_all(f), GROUPS);
			CHECK_INT(members(f), GROUPS);
			CHECK_INT(kernel_join_settled(), 0);
			_exit(test_failed != 0);
		}
		wait(&status);
		CHECK_INT(status, 0);
	}
}

/* The raw sockets of router discovery and reports, without a capability. */
static void raw_sockets(void)
{
	EACH_FAMILY(f) {
		int status = -1;

		open_lab();
		CHECK_INT(kernel_mrdisc_open(f), 0);
		CHECK_INT(kernel_report_open(f), 0);
		CHECK_INT(kernel_mrdisc_listen(f, a[1], true), 0);
		part();
		CHECK_INT(ncopies, 3);
		if (!fork()) {
			CHECK_INT(priv_shed(false), 0);
			take_back(0);
			CHECK_INT(kernel_mrdisc_open(f), 0);
			CHECK_INT(kernel_report_open(f), 0);
			CHECK_INT(kernel_mrdisc_listen(f, a[1], true), 1);
			CHECK_INT(kernel_mrdisc_send(f, a[1], MRDISC_ADVERT, 20, 0, 0), 0);
			CHECK_INT(kernel_join_settled(), 0);
			_exit(test_failed != 0);
		}
		wait(&status);
		CHECK_INT(status, 0);
		for (unsigned i = 0; i < ncopies; i++)
			close(copies[i].fd);
	}
}

TEST_MAIN(TEST(what_is_not_taken) TEST(default_table) TEST(other_table) TEST(unresolved) TEST(no_capability)
	  TEST(memberships) TEST(few_descriptors) TEST(raw_sockets))
