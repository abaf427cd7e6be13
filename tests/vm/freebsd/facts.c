/* SPDX-License-Identifier: ISC */
/*
 * What kernel/freebsd/ rests on, asked of a FreeBSD kernel by hand: process 1 of a machine of its own (run.sh).
 * Addresses: 10.N.0.1 and fd00:N::1 on tapN, hosts 10.N.0.9 and fd00:N::9 behind it.
 */
#include "facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/sysctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FACTS_UID = 1001, FACTS_WAIT = 3000 };

struct lab_tap facts_tap[FACTS_TAPS];

/* n packets into the first wire: so many come out of the second, with one hop less, and none of the third. */
static void facts_flow(int family, const char *source, const char *group, const char *what)
{
	struct lab_seen out, other;

	for (int i = 0; i < 3; i++)
		lab_drain(&facts_tap[i]);
	lab_send(&facts_tap[0], family, source, group, 10, 5);
	out = lab_see(&facts_tap[1], family, group, 5, FACTS_WAIT);
	other = lab_see(&facts_tap[2], family, group, 1, 200);
	lab_check(out.packets == 5 && out.ttl == 9 && other.packets == 0, "IPv%d %s: 5 of 5 at TTL 9, none elsewhere "
		"(seen %d at %d, %d elsewhere)", family, what, out.packets, out.ttl, other.packets);
}

static void facts_errors4(int s)
{
	int t = facts_open4(), bad;
	struct facts_entry none = { .source = "10.0.0.9", .group = "225.1.1.9" };

	lab_check(t == -EADDRINUSE, "IPv4: a second router gets EADDRINUSE (%d)", -t);
	bad = facts_del4(s, &none);
	lab_check(bad == EADDRNOTAVAIL, "IPv4: deletion of no entry gives EADDRNOTAVAIL (%d)", bad);
	bad = facts_vif_del4(s, 9);
	lab_check(bad == EINVAL, "IPv4: deletion of a VIF above the highest gives EINVAL (%d)", bad);
	bad = facts_vif_add4(s, 9, "10.99.0.1");
	lab_check(bad == EADDRNOTAVAIL, "IPv4: a VIF of no interface's address gives EADDRNOTAVAIL (%d)", bad);
}

static void facts_errors6(int s)
{
	int t = facts_open6(), bad;
	struct facts_entry none = { .source = "fd00:0::9", .group = "ff05::9" };

	lab_check(t == -EADDRINUSE, "IPv6: a second router gets EADDRINUSE (%d)", -t);
	bad = facts_del6(s, &none);
	lab_check(bad == EADDRNOTAVAIL, "IPv6: deletion of no entry gives EADDRNOTAVAIL (%d)", bad);
	bad = facts_vif_del6(s, 9);
	lab_check(bad == EINVAL, "IPv6: deletion of no MIF gives EINVAL (%d)", bad);
	bad = facts_vif_add6(s, 9, 4000);
	lab_check(bad == ENXIO, "IPv6: a MIF of no interface gives ENXIO (%d)", bad);
}

/* The upcall of a new source, and what waited for its entry. */
static void facts_learn(int s, int family)
{
	struct facts_entry e = { .source = family == 4 ? "10.0.0.9" : "fd00:0::9",
		.group = family == 4 ? "225.2.2.2" : "ff05::2:2", .parent = 0, .outputs = 1U << 1 };
	struct facts_upcall up;
	struct lab_seen out;

	facts_ignore(s);
	lab_drain(&facts_tap[1]);
	lab_send(&facts_tap[0], family, e.source, e.group, 10, 2);
	up = facts_upcall(s, family, FACTS_WAIT);
	lab_check(up.type == 1 && up.vif == 0, "IPv%d: a new source asks, type 1 on interface 0 (%d on %d, %d bytes)",
		family, up.type, up.vif, up.bytes);
	lab_check(family == 4 ? !facts_add4(s, &e) : !facts_add6(s, &e), "IPv%d: its entry is taken", family);
	out = lab_see(&facts_tap[1], family, e.group, 2, FACTS_WAIT);
	lab_check(out.packets == 2, "IPv%d: the packets that waited go out (%d of 2)", family, out.packets);
	facts_flow(family, e.source, e.group, "learned entry");
	lab_check(family == 4 ? !facts_del4(s, &e) : !facts_del6(s, &e), "IPv%d: and is deleted", family);
}

/* A source of the link: the kernel has the index of the interface in its address, in upcalls and in entries, and
 * forwards nothing of it to another link (ip6_mdq). */
static void facts_zone(int s)
{
	struct facts_entry e = { .group = "ff05::8:8", .parent = 0, .outputs = 1U << 1 }, clean;
	char zoned[40], told[INET6_ADDRSTRLEN] = "";
	struct facts_upcall up;
	struct lab_seen out;

	snprintf(zoned, sizeof(zoned), "fe80:%x::9", facts_tap[0].index);
	e.source = zoned;
	clean = e;
	clean.source = "fe80::9";
	facts_ignore(s);
	lab_drain(&facts_tap[1]);
	lab_send(&facts_tap[0], 6, clean.source, e.group, 10, 2);
	up = facts_upcall(s, 6, FACTS_WAIT);
	inet_ntop(AF_INET6, up.source, told, sizeof(told));
	lab_check(up.type == 1 && !strcmp(told, zoned), "IPv6: a source of the link asks with the interface in it");
	facts_add6(s, &e);
	lab_send(&facts_tap[0], 6, clean.source, e.group, 10, 3);
	out = lab_see(&facts_tap[1], 6, e.group, 1, 200);
	lab_check(facts_counts6(s, &e).packets == 5 && facts_counts6(s, &clean).packets == 0 && out.packets == 0,
		"IPv6: its entry has that address as well; nothing is forwarded (%lu, %lu, %d)",
		facts_counts6(s, &e).packets, facts_counts6(s, &clean).packets, out.packets);
	lab_check(facts_del6(s, &clean) == EADDRNOTAVAIL && !facts_del6(s, &e), "IPv6: and goes by it alone");
}

/* Copies count as wrong ones of their own entry as long as the kernel loops them back. */
static void facts_loop(int s)
{
	struct facts_entry e = { .source = "10.0.0.9", .group = "225.3.3.3", .parent = 0, .outputs = 6 };
	struct facts_counts with, without;

	facts_add4(s, &e);
	lab_send(&facts_tap[0], 4, e.source, e.group, 10, 3);
	lab_see(&facts_tap[2], 4, e.group, 3, FACTS_WAIT);
	with = facts_counts4(s, &e);
	lab_sysctl("net.inet.ip.mcast.loop", 0);
	lab_send(&facts_tap[0], 4, e.source, e.group, 10, 3);
	lab_see(&facts_tap[2], 4, e.group, 3, FACTS_WAIT);
	without = facts_counts4(s, &e);
	lab_sysctl("net.inet.ip.mcast.loop", 1);
	lab_check(with.packets == 3 && with.wrong == 6, "IPv4: 3 packets on 2 outputs count as 6 wrong ones (%lu, %lu)",
		with.packets, with.wrong);
	lab_check(without.packets == 6 && without.wrong == 6, "IPv4: none with net.inet.ip.mcast.loop=0 (%lu, %lu)",
		without.packets, without.wrong);
	facts_del4(s, &e);
}

/* A child with another user does what; its errno, or 255. */
static int facts_as_user(int (*what)(int s), int s)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setuid(FACTS_UID) ? 255 : what(s));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int facts_user_add4(int s)
{
	struct facts_entry e = { .source = "10.0.0.9", .group = "225.4.4.4", .parent = 0, .outputs = 2 };

	return facts_add4(s, &e);
}

static int facts_user_add6(int s)
{
	struct facts_entry e = { .source = "fd00:0::9", .group = "ff05::4:4", .parent = 0, .outputs = 2 };

	return facts_add6(s, &e);
}

static void facts_rights(int s4, int s6)
{
	int bad = facts_as_user(facts_user_add4, s4);

	lab_check(bad == EPERM, "IPv4: another user may not add entries to a socket of root (%d)", bad);
	lab_measured("IPv6: adding as another user gives %d (0 up to 15.0, EPERM later)",
		facts_as_user(facts_user_add6, s6));
	bad = lab_sysctl("security.mac.pimd.uid", FACTS_UID);
	if (bad) {
		lab_measured("mac_pimd is not in this kernel (%d)", bad);
		return;
	}
	lab_sysctl("security.mac.pimd.enabled", 1);
	bad = facts_as_user(facts_user_add4, s4);
	lab_check(bad == 0, "IPv4: with mac_pimd it may (%d)", bad);
	lab_sysctl("security.mac.pimd.enabled", 0);
}

/* The order that the router keeps: entries first, then the MIF.  The other order panics. */
static void facts_departure(int s4, int s6)
{
	struct facts_entry e6 = { .source = "fd00:0::9", .group = "ff05::5:5", .parent = 0, .outputs = 6 };
	struct facts_entry e4 = { .source = "10.0.0.9", .group = "225.5.5.5", .parent = 0, .outputs = 6 };

	facts_add4(s4, &e4);
	facts_add6(s6, &e6);
	lab_send(&facts_tap[0], 6, e6.source, e6.group, 10, 50);
	lab_send(&facts_tap[0], 4, e4.source, e4.group, 10, 50);
	e4.outputs = e6.outputs = 2;
	facts_add6(s6, &e6);
	facts_add4(s4, &e4);
	lab_check(facts_vif_del6(s6, 2) == 0, "IPv6: a MIF that no entry names is deleted");
	lab_tap_destroy(&facts_tap[2]);
	lab_drain(&facts_tap[1]);
	lab_send(&facts_tap[0], 6, e6.source, e6.group, 10, 50);
	lab_send(&facts_tap[0], 4, e4.source, e4.group, 10, 50);
	lab_check(lab_see(&facts_tap[1], 6, e6.group, 50, FACTS_WAIT).packets == 50,
		"IPv6: packets flow on beside a destroyed output");
	lab_check(facts_vif_del4(s4, 2) != 0, "IPv4: its VIF went with the interface");
	lab_tap_make(&facts_tap[2], 2);
	lab_check(!facts_vif_add4(s4, 2, facts_tap[2].addr4) && !facts_vif_add6(s6, 2, facts_tap[2].index),
		"both: it comes again");
}

/* IPv4 loses the VIF, IPv6 keeps the MIF. */
static void facts_rename(int s4, int s6)
{
	int bad = lab_tap_rename(&facts_tap[2], "wan9"), gone, kept;

	lab_check(bad == 0, "a rename (%d)", bad);
	gone = facts_vif_del4(s4, 2);
	kept = facts_vif_del6(s6, 2);
	lab_check(gone == EADDRNOTAVAIL || gone == EINVAL, "IPv4: the VIF is gone after a rename (%d)", gone);
	lab_check(kept == 0, "IPv6: the MIF is still there (%d)", kept);
	lab_tap_rename(&facts_tap[2], "tap2");
	facts_vif_add4(s4, 2, facts_tap[2].addr4);
	facts_vif_add6(s6, 2, facts_tap[2].index);
}

static volatile sig_atomic_t facts_heard;

static void facts_hear(int sig)
{
	facts_heard = sig;
}

/* ppoll() that need not wait puts the mask back before a pending signal is delivered. */
static void facts_signals(void)
{
	struct timespec zero = { 0 };
	sigset_t all, open;

	signal(SIGTERM, facts_hear);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &open);
	kill(getpid(), SIGTERM);
	ppoll(NULL, 0, &zero, &open);
	lab_check(facts_heard == 0, "ppoll() with no time does not deliver a signal");
	sigprocmask(SIG_SETMASK, &open, NULL);
	sigprocmask(SIG_SETMASK, &all, NULL);
	lab_check(facts_heard == SIGTERM, "a mask that is open for a moment does");
	sigprocmask(SIG_SETMASK, &open, NULL);
	signal(SIGTERM, SIG_DFL);
}

static void facts_route(void)
{
	struct facts_entry a = { .source = "10.0.0.9", .group = "225.1.1.1", .parent = 0, .outputs = 2 };
	struct facts_entry b = { .source = "fd00:0::9", .group = "ff05::1:1", .parent = 0, .outputs = 2 };
	int s4 = facts_open4(), s6 = facts_open6();

	lab_check(s4 >= 0 && s6 >= 0, "both families: a router (%d, %d)", s4, s6);
	if (s4 < 0 || s6 < 0)
		return;
	for (unsigned i = 0; i < 3; i++) {
		int bad4 = facts_vif_add4(s4, i, facts_tap[i].addr4), bad6 = facts_vif_add6(s6, i, facts_tap[i].index);

		lab_check(!bad4 && !bad6, "interface %u in both families (%d, %d)", i, bad4, bad6);
	}
	facts_add4(s4, &a);
	facts_add6(s6, &b);
	facts_flow(4, a.source, a.group, "(S,G) entry");
	facts_flow(6, b.source, b.group, "(S,G) entry");
	facts_errors4(s4);
	facts_errors6(s6);
	facts_learn(s4, 4);
	facts_learn(s6, 6);
	facts_zone(s6);
	facts_loop(s4);
	facts_rights(s4, s6);
	facts_departure(s4, s6);
	facts_rename(s4, s6);
	close(s4);
	close(s6);
	s4 = facts_open4();
	lab_check(s4 >= 0 && facts_del4(s4, &a) == EADDRNOTAVAIL, "a closed socket leaves no entry");
	close(s4);
}

int main(void)
{
	int version = 0;
	size_t size = sizeof(version);

	lab_start();
	sysctlbyname("kern.osreldate", &version, &size, NULL, 0);
	lab_measured("kernel of __FreeBSD_version %d", version);
	for (int i = 0; i < FACTS_TAPS; i++)
		lab_tap_make(&facts_tap[i], i);
	facts_route();
	facts_joins();
	facts_signals();
	daemon_cases();
	life_cases();
	doctor_cases();
	storm_cases();
	lab_end();
}
