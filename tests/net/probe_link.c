/* SPDX-License-Identifier: ISC
 *
 * Link events on the real kernel: each change that can befall an interface, and
 * the way back after events were lost.
 */
#include "tests/net/probe.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "lib/buf.h"

static struct buf told;

static const char *const kinds[] = {
	[LINK_SWEEP_BEGIN] = "begin", [LINK_NEW] = "new", [LINK_DEL] = "del",
	[LINK_ADDR] = "addr", [LINK_ALLMULTI] = "allmulti", [LINK_SWEEP_END] = "end",
	[LINK_RULES_BEGIN] = "rules", [LINK_RULE] = "rule", [LINK_RULES_END] = "ruled",
};

/* What was last said of each ifindex below 100. */
static struct link_event state[100];
static bool swept[100];
static int ends;

static void note(void *ctx, const struct link_event *ev)
{
	int i = ev->ifindex;

	(void)ctx;
	buf_printf(&told, "%s%s%s ", kinds[ev->kind], ev->name[0] ? ":" : "", ev->name);
	if (i < 0 || i >= 100)
		return;
	if (ev->kind == LINK_NEW)
		state[i] = *ev;
	if (ev->kind == LINK_NEW)
		swept[i] = false;
	if (ev->kind == LINK_DEL)
		state[i] = (struct link_event){ 0 };
	if (ev->kind == LINK_SWEEP_BEGIN)
		memset(swept, 1, sizeof swept);
	if (ev->kind != LINK_SWEEP_END)
		return;
	ends++;
	for (int k = 0; k < 100; k++)
		if (swept[k])
			state[k] = (struct link_event){ 0 };
}

static struct link_event *by_name(const char *name)
{
	for (int i = 0; i < 100; i++)
		if (state[i].ifindex && !strcmp(state[i].name, name))
			return &state[i];
	return NULL;
}

/* Reads until nothing comes for 50 ms, `turn` datagrams at a time; what was told. */
static int turn = 64;

static const char *drain(void)
{
	buf_consume(&told, told.len);
	while (readable(kernel_link_fd(), 50))
		if (kernel_link_drain(turn, note, NULL) < 0)
			return strerror(errno);
	return buf_cstr(&told);
}

static void open_lab(int pairs)
{
	lab(pairs);
	ends = 0;
	memset(state, 0, sizeof state);
	memset(swept, 0, sizeof swept);
	buf_consume(&told, told.len);
	CHECK_INT(kernel_link_open(), 0);
	CHECK_INT(kernel_link_dump(note, NULL), 0);
}

static void dump(void)
{
	const struct link_event *lo, *a1;
	const char *begin;

	open_lab(2);
	/* What came since the socket was opened is told with it. */
	begin = strstr(buf_cstr(&told), "begin ");
	CHECK(begin && strstr(begin, "new:lo "));
	CHECK(told.len > 4 && !strcmp(told.p + told.len - 4, "end "));
	/* Links get their carrier when the kernel comes to it, so events may follow, but no other dump. */
	for (int i = 0; i < 200 && !(by_name("a1") && by_name("a1")->flags & LINK_RUNNING); i++)
		CHECK(!strstr(drain(), "begin"));
	lo = by_name("lo");
	a1 = by_name("a1");
	CHECK(lo && (lo->flags & (LINK_LOOPBACK | LINK_UP)) == (LINK_LOOPBACK | LINK_UP));
	CHECK(a1 && a1->mtu == 1500 && !a1->master);
	CHECK(a1 && (a1->flags & (LINK_UP | LINK_MULTICAST | LINK_RUNNING | LINK_LOOPBACK)) ==
		    (LINK_UP | LINK_MULTICAST | LINK_RUNNING));
	kernel_link_close();
	CHECK_INT(kernel_link_fd(), -1);
}

static void many_links(void)
{
	int n = 0;

	lab(0);
	run("for i in $(seq 3 60); do echo link add v$i type veth peer name w$i; done | ip -batch -");
	CHECK_INT(kernel_link_open(), 0);
	buf_consume(&told, told.len);
	CHECK_INT(kernel_link_dump(note, NULL), 0);
	for (const char *p = buf_cstr(&told); (p = strstr(p, "new:")); p++)
		n++;
	CHECK_INT(n, 1 + 2 * 58);
	kernel_link_close();
}

static void changes(void)
{
	int index;

	open_lab(2);
	index = by_name("a1") ? by_name("a1")->ifindex : 0;
	run("ip link set a1 multicast off");
	drain();
	CHECK(!(state[index].flags & LINK_MULTICAST));
	run("ip link set a1 multicast on; ip link set a1 down");
	drain();
	CHECK((state[index].flags & (LINK_MULTICAST | LINK_UP)) == LINK_MULTICAST);
	run("ip link set a1 name b1; ip link set b1 mtu 1400");
	drain();
	CHECK_STR(state[index].name, "b1");
	CHECK_INT(state[index].mtu, 1400);
	run("ip addr add 10.99.0.1/24 dev b1");
	CHECK_STR(drain(), "addr ");
	run("ip addr del 10.99.0.1/24 dev b1");
	CHECK_STR(drain(), "addr ");
	run("ip link set b1 name 'q\"u\\o'");
	drain();
	CHECK_STR(state[index].name, "q\"u\\o");
	run("ip link set 'q\"u\\o' name fifteen_letters");
	drain();
	CHECK_STR(state[index].name, "fifteen_letters");
	kernel_link_close();
}

static void coming_and_going(void)
{
	int index;

	open_lab(1);
	run("ip link add c1 index 50 type veth peer name c2 index 51");
	drain();
	CHECK(by_name("c1") && by_name("c1")->ifindex == 50);
	run("ip link del c1");
	drain();
	CHECK(!state[50].ifindex && !state[51].ifindex);

	/* To another namespace and back. */
	index = by_name("a1") ? by_name("a1")->ifindex : 0;
	run("ip link set a1 netns /proc/%d/fd/%d", (int)getpid(), ns_hosts);
	drain();
	CHECK(!state[index].ifindex && !by_name("a1"));
	into(ns_hosts);
	run("ip link set a1 netns /proc/%d/fd/%d", (int)getpid(), ns_router);
	into(ns_router);
	drain();
	CHECK(by_name("a1") && !(by_name("a1")->flags & LINK_UP));
	kernel_link_close();
}

/* Bridges tell of their ports as if those were born and died. */
static void bridge_ports(void)
{
	int index, bridge;

	open_lab(1);
	index = by_name("a1") ? by_name("a1")->ifindex : 0;
	run("ip link add br0 type bridge; ip link set br0 up");
	drain();
	bridge = by_name("br0") ? by_name("br0")->ifindex : 0;
	run("ip link set a1 master br0");
	CHECK(!strstr(drain(), "del"));
	CHECK(bridge && state[index].master == bridge);
	CHECK_INT(state[index].mtu, 1500);
	run("ip link set a1 nomaster");
	CHECK(!strstr(drain(), "del"));
	CHECK_INT(state[index].master, 0);
	run("ip link set a1 master br0");
	drain();
	run("ip link del br0");
	drain();
	CHECK(!by_name("br0") && by_name("a1") && !by_name("a1")->master);
	kernel_link_close();
}

static int shrunk(void)
{
	int size = 4096;

	return setsockopt(kernel_link_fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

/* More events than the buffer holds: afterwards all is known nevertheless. */
static void overrun(int datagrams)
{
	open_lab(2);
	turn = datagrams;
	CHECK_INT(shrunk(), 0);
	ends = 0;
	run("ip link add d1 index 60 type veth peer name d2 index 61");
	run("for i in $(seq 200); do echo link set a1 mtu $((1300 + i)); done | ip -batch -");
	run("ip link del a2; ip link set a1 name z1; ip link add e1 index 70 type veth peer name e2 index 71");
	drain();
	CHECK(ends > 0);
	CHECK(by_name("z1") && by_name("z1")->mtu == 1500);
	CHECK(by_name("d1") && by_name("e1") && by_name("e2"));
	CHECK(!by_name("a1") && !by_name("a2"));
	turn = 64;
	kernel_link_close();
}

static void overrun_in_large_steps(void)
{
	overrun(64);
}

static void overrun_in_small_steps(void)
{
	overrun(1);
}

/* Links that change all the time while they are listed. */
static void churn(void)
{
	int64_t end;

	open_lab(1);
	CHECK_INT(shrunk(), 0);
	run("(for i in $(seq 300); do echo link add f$i type veth peer name g$i; echo link del f$i; done"
	    " | ip -batch -; ip link set a1 name done) &");
	end = now_us() + 200000000;
	while (!by_name("done") && now_us() < end)
		if (readable(kernel_link_fd(), 100) && kernel_link_drain(64, note, NULL) < 0)
			break;
	drain();
	CHECK(by_name("done"));
	for (int i = 0; i < 100; i++)
		CHECK(!state[i].ifindex || state[i].name[0] != 'f');
	CHECK(ends > 0);
	kernel_link_close();
	buf_free(&told);
}

/* Only the kernel is believed: another process says that a1 is gone. */
static void forged(void)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg ifi;
	} m = { { sizeof m, RTM_DELLINK, 0, 0, 0 }, { 0 } };
	struct sockaddr_nl to = { 0 };
	socklen_t len = sizeof to;
	int fd;

	open_lab(1);
	m.ifi.ifi_index = by_name("a1") ? by_name("a1")->ifindex : 0;
	CHECK_INT(getsockname(kernel_link_fd(), (struct sockaddr *)&to, &len), 0);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	CHECK_INT(sendto(fd, &m, sizeof m, 0, (struct sockaddr *)&to, len), sizeof m);
	CHECK(readable(kernel_link_fd(), 20000));
	CHECK(!strstr(drain(), "del"));
	CHECK(by_name("a1"));
	close(fd);
	CHECK(kernel_link_open() < 0 && errno == EALREADY);
	kernel_link_close();
	CHECK(kernel_link_drain(1, note, NULL) < 0 && errno == EBADF);
}

TEST_MAIN(TEST(dump) TEST(many_links) TEST(changes) TEST(coming_and_going) TEST(bridge_ports)
	  TEST(overrun_in_large_steps) TEST(overrun_in_small_steps) TEST(forged) TEST(churn))
