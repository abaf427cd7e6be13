/* SPDX-License-Identifier: ISC */
/* What no administrator does, all at once: nothing of it may end the machine or the daemon, and in the end the kernel
 * has what the rules say. */
#include "facts.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/sysctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STORM_TIMES = 200, STORM_TAPS = 40, STORM_EVENTS = 1500, STORM_WAIT = 20000 };

#define STORM_ARGS "-l notice -f /tmp/c -u /tmp/s -P /tmp/p"

/* Nothing is joined where interfaces go and come: a report that is due there may end the machine, whoever joined
 * (sys/netinet/igmp.c, igmp_intr, to an interface that is only half made; seen once). */
static const char storm_conf[] =
	"mroute from tap0 group 225.2.0.0/16 to tap1 tap2\n"
	"mroute from tap0 group ff05::2:0/112 to tap1 tap2\n"
	"mgroup from tap3 group 225.6.6.6\n"
	"mgroup from tap3 group ff05::6:6\n";

static bool storm_flows(unsigned taps)
{
	return daemon_flows(4, "225.2.2.2", taps) && daemon_flows(6, "ff05::2:2", taps);
}

static void storm_burst(void)
{
	lab_drain(&facts_tap[1]);
	lab_send(&facts_tap[0], 4, "10.0.0.9", "225.2.2.2", 10, 10);
	lab_send(&facts_tap[0], 6, "fd00:0::9", "ff05::2:2", 10, 10);
}

static void storm_links(void)
{
	for (int i = 0; i < STORM_TIMES; i++) {
		storm_burst();
		lab_tap_destroy(&facts_tap[2]);
		storm_burst();
		lab_tap_make(&facts_tap[2], 2);
	}
	lab_check(storm_flows(6), "storm: both families after an output went and came, %d times", STORM_TIMES);
	for (int i = 0; i < STORM_TIMES; i++) {
		storm_burst();
		lab_tap_rename(&facts_tap[2], i % 2 ? "tap2" : "wan9");
	}
	lab_check(storm_flows(6), "storm: both families after it was renamed, %d times", STORM_TIMES);
}

static void storm_reloads(pid_t pid)
{
	for (int i = 0; i < STORM_TIMES; i++) {
		daemon_write(i % 2 ? storm_conf : "mroute from tap0 group 225.2.0.0/16 to tap2\n");
		kill(pid, SIGHUP);
		storm_burst();
	}
	lab_check(storm_flows(6), "storm: both families after %d reloads", STORM_TIMES);
}

/* More interfaces than there are VIFs. */
static void storm_many(pid_t pid)
{
	static struct lab_tap more[STORM_TAPS];
	static char conf[4096];
	size_t n = (size_t)snprintf(conf, sizeof(conf), "%smroute from tap0 group 225.9.9.9 to", storm_conf);
	int status;

	for (int i = FACTS_TAPS; i < STORM_TAPS; i++) {
		lab_tap_make(&more[i], i);
		n += (size_t)snprintf(conf + n, sizeof(conf) - n, " tap%d", i);
	}
	snprintf(conf + n, sizeof(conf) - n, "\n");
	daemon_write(conf);
	kill(pid, SIGHUP);
	lab_check(storm_flows(6), "storm: both families beside %d interfaces of a rule", STORM_TAPS - FACTS_TAPS);
	lab_check(daemon_says("smcroutectl -u /tmp/s show -d interfaces", "no free VIF", &status),
		"storm: those beyond the 32nd have no VIF (%d)", status);
	for (int i = FACTS_TAPS; i < STORM_TAPS; i++) {
		storm_burst();
		lab_tap_destroy(&more[i]);
	}
	lab_check(storm_flows(6), "storm: both families when they went");
	daemon_write(storm_conf);
	kill(pid, SIGHUP);
	storm_flows(6);
}

/* Packets to ever new groups and sources of IPv6, whose entries the daemon has to make. */
static void storm_sources(void)
{
	char source[24];

	for (unsigned i = 0; i < 2000; i++) {
		snprintf(source, sizeof(source), "fd00:0::%x", 0x100 + i);
		lab_send(&facts_tap[0], 6, source, "ff05::2:2", 10, 1);
		snprintf(source, sizeof(source), "10.0.%u.%u", 1 + i / 250, 1 + i % 250);
		lab_send(&facts_tap[0], 4, source, "225.2.2.2", 10, 1);
	}
	lab_check(storm_flows(6), "storm: both families after 2000 new sources of each");
	lab_tap_destroy(&facts_tap[2]);
	storm_burst();
	lab_tap_make(&facts_tap[2], 2);
	lab_check(storm_flows(6), "storm: and after an output of all of them went and came");
}

/* The daemon sleeps while more happens than its socket holds, and an interface is another one afterwards.  No packet
 * may come before it has heard of that: the kernel would follow the one that is gone. */
static void storm_lost(pid_t pid)
{
	int64_t start;
	int status;

	storm_flows(6);
	kill(pid, SIGSTOP);
	for (int i = 0; i < STORM_EVENTS; i++) {
		lab_tap_set(&facts_tap[3], false);
		lab_tap_set(&facts_tap[3], true);
	}
	lab_tap_destroy(&facts_tap[2]);
	lab_tap_make(&facts_tap[2], 2);
	start = lab_now();
	kill(pid, SIGCONT);
	lab_check(daemon_says("smcroutectl -u /tmp/s show interfaces", "tap2", &status),
		"storm: events that do not fit its socket (%d)", status);
	lab_measured("storm: it answers %lld ms after it may go on", (long long)(lab_now() - start));
	lab_check(storm_flows(6), "storm: both families, though an interface was replaced meanwhile");
}

void storm_cases(void)
{
	unsigned long room = 0, small = 262144;
	size_t len = sizeof(room);
	pid_t pid;
	int status;

	if (access("/bin/smcrouted", X_OK) || !daemon_write(storm_conf))
		return;
	pid = daemon_start("smcrouted -n " STORM_ARGS);
	lab_check(storm_flows(6), "storm: both families flow");
	storm_links();
	storm_reloads(pid);
	storm_many(pid);
	storm_sources();
	kill(pid, SIGTERM);
	status = daemon_end(pid, STORM_WAIT);
	lab_check(status == 0, "storm: the daemon ends (%d)", status);
	sysctlbyname("kern.ipc.maxsockbuf", &room, &len, &small, sizeof(small));
	pid = daemon_start("smcrouted -n " STORM_ARGS);
	lab_check(storm_flows(6), "storm: with buffers of %lu bytes", small);
	storm_lost(pid);
	kill(pid, SIGTERM);
	status = daemon_end(pid, STORM_WAIT);
	lab_check(status == 0, "storm: and it ends (%d)", status);
	sysctlbyname("kern.ipc.maxsockbuf", NULL, NULL, &room, sizeof(room));
}
