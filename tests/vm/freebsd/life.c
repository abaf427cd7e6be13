/* SPDX-License-Identifier: ISC */
/* The daemon's life on the machine: keeper, upgrade, takeover, another user, signals under load, limits, -H. */
#include "facts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIFE_WAIT = 40000, LIFE_UID = 1001 };

#define LIFE_ARGS "-l notice -f /tmp/c -u /tmp/s -P /tmp/p"

static const char life_conf[] =
	"mroute from tap0 group 225.2.0.0/16 to tap1 tap2\n"
	"mroute from tap0 group ff05::2:0/112 to tap1 tap2\n"
	"mgroup from tap3 group ff05::6:6\n"
	"mgroup from tap3 source fd00:9::9 group ff35::6:6\n";

static pid_t life_pid(void)
{
	FILE *f = fopen("/tmp/p", "r");
	int pid = 0;

	if (f && fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return pid;
}

static bool life_flows(void)
{
	return daemon_flows(4, "225.2.2.2", 6) && daemon_flows(6, "ff05::2:2", 6);
}

static void life_kill(void)
{
	kill(life_pid(), SIGKILL);
}

static void life_upgrade(void)
{
	daemon_start("smcroutectl -u /tmp/s upgrade");
}

static pid_t life_heir;

static void life_take_over(void)
{
	life_heir = daemon_start("smcrouted -n -T " LIFE_ARGS);
}

static void life_gap(const char *what, void (*happens)(void))
{
	pid_t before = life_pid(), after;

	gap_case(what, happens);
	for (int64_t end = lab_now() + LIFE_WAIT; (after = life_pid()) == 0 || after == before; poll(NULL, 0, 20))
		if (lab_now() > end)
			break;
	lab_check(after > 0 && after != before, "%s: another process routes (%d, %d)", what, before, after);
}

static void life_keeper(void)
{
	pid_t keeper = daemon_start("smcrouted -n -k " LIFE_ARGS), before, after = 0;
	char path[64];
	int status;

	lab_check(life_flows(), "keeper: both families flow");
	before = life_pid();
	lab_check(before > 0 && before != keeper && !kill(before, SIGKILL), "keeper: the daemon is killed (%d of %d)",
		before, keeper);
	for (int64_t end = lab_now() + LIFE_WAIT; lab_now() < end && (after == 0 || after == before);)
		after = life_flows() ? life_pid() : 0;
	lab_check(after > 0 && after != before, "keeper: another one routes (%d, %d)", before, after);
	life_gap("keeper: the daemon is killed", life_kill);
	kill(keeper, SIGTERM);
	status = daemon_end(keeper, LIFE_WAIT);
	lab_check(status == 0, "keeper: SIGTERM ends both (%d)", status);
	snprintf(path, sizeof(path), "/var/run/smcroute.%d", keeper);
	lab_check(access(path, F_OK) < 0, "keeper: nothing is left in /var/run");
}

static void life_heirs(void)
{
	pid_t old = daemon_start("smcrouted -n " LIFE_ARGS), heir;
	int status;

	life_flows();
	daemon_learns_link(3);
	status = daemon_run("smcroutectl -u /tmp/s upgrade");
	lab_check(status == 0 && life_flows(), "upgrade: both families flow (%d)", status);
	lab_check(daemon_has_link(3), "upgrade: and the source of a link is as it was");
	status = daemon_end(old, LIFE_WAIT);
	lab_check(status == 0, "upgrade: the one before ends (%d)", status);
	life_gap("upgrade", life_upgrade);
	heir = daemon_start("smcrouted -n -T " LIFE_ARGS);
	for (int64_t end = lab_now() + LIFE_WAIT; lab_now() < end && life_pid() != heir;)
		poll(NULL, 0, 20);
	lab_check(life_flows() && life_pid() == heir, "takeover: both families flow (%d, %d)", life_pid(), heir);
	life_gap("takeover", life_take_over);
	status = daemon_end(heir, LIFE_WAIT);
	lab_check(status == 0, "takeover: the one before ends (%d)", status);
	heir = life_heir;
	daemon_run("smcroutectl -u /tmp/s kill");
	status = daemon_end(heir, LIFE_WAIT);
	lab_check(status == 0, "takeover: and it ends (%d)", status);
}

static void life_user(void)
{
	int status = daemon_run("smcrouted -n -p 1001:1001 " LIFE_ARGS);
	pid_t pid;

	lab_check(status == 64, "-p is refused (%d)", status);
	if (lab_sysctl("security.mac.pimd.uid", LIFE_UID) || lab_sysctl("security.mac.pimd.enabled", 1)) {
		lab_measured("mac_pimd is not in this kernel");
		return;
	}
	pid = daemon_start("smcrouted -n -p 1001:1001 " LIFE_ARGS);
	lab_check(life_flows(), "-p with mac_pimd: learned rules of both families");
	lab_tap_destroy(&facts_tap[2]);
	lab_tap_make(&facts_tap[2], 2);
	lab_check(life_flows(), "-p with mac_pimd: after an output went and came");
	kill(pid, SIGTERM);
	status = daemon_end(pid, LIFE_WAIT);
	lab_check(status == 0, "-p with mac_pimd: SIGTERM ends it (%d)", status);
	lab_sysctl("security.mac.pimd.enabled", 0);
}

/* Packets of ever new groups, until it is killed. */
static pid_t life_flood(void)
{
	char group[24];
	pid_t pid = fork();

	if (pid)
		return pid;
	for (unsigned n = 0;; n++) {
		snprintf(group, sizeof(group), "225.2.%u.%u", n >> 8 & 255, n & 255);
		lab_send(&facts_tap[0], 4, "10.0.0.9", group, 10, 1);
	}
}

static void life_load(void)
{
	pid_t pid = daemon_start("smcrouted -n " LIFE_ARGS), flood;
	struct lab_seen wire;
	int64_t start;
	int status;

	wire = lab_see(&facts_tap[3], 6, NULL, 2, LIFE_WAIT);
	lab_check(wire.reports > 0, "IPv6: joins are on the wire (%d reports)", wire.reports);
	life_flows();
	for (int i = 0; i < 3; i++) {
		lab_send(&facts_tap[0], 6, "fd00:0::9", "ff05::2:2", 10, 50);
		lab_tap_destroy(&facts_tap[0]);
		lab_tap_make(&facts_tap[0], 0);
	}
	lab_check(life_flows(), "both families flow after their input went and came, 3 times");
	flood = life_flood();
	usleep(500000);
	start = lab_now();
	kill(pid, SIGTERM);
	status = daemon_end(pid, LIFE_WAIT);
	lab_check(status == 0, "SIGTERM under a flood of new groups (%d)", status);
	lab_measured("SIGTERM under a flood of new groups: %lld ms", (long long)(lab_now() - start));
	kill(flood, SIGKILL);
	waitpid(flood, &status, 0);
}

/* The 513th source of a group panics. */
static void life_sources(void)
{
	pid_t pid;
	int status;

	daemon_write("mroute from tap0 group 225.2.0.0/16 to tap1 tap2\n"
		     "mroute from tap0 group ff05::2:0/112 to tap1 tap2\n"
		     "mgroup from tap3 source 10.9.0.0/22 group 232.7.7.7\n"
		     "mgroup from tap3 source fd00:9::/118 group ff35::7:7\n");
	pid = daemon_start("smcrouted -n " LIFE_ARGS);
	lab_check(life_flows(), "memberships of 1024 sources in both families: it routes");
	lab_check(daemon_says("smcroutectl -u /tmp/s show groups", "10.9.", &status), "and shows them (%d)", status);
	kill(pid, SIGTERM);
	status = daemon_end(pid, LIFE_WAIT);
	lab_check(status == 0, "and ends (%d)", status);
}

static void life_host(void)
{
	pid_t pid = daemon_start("smcrouted -n " LIFE_ARGS);
	int status;

	life_flows();
	lab_check(daemon_says("smcroute-check -H /tmp/c", "net.inet.ip.mcast.loop", &status) && status == 0,
		"-H: copies come back by net.inet.ip.mcast.loop (%d)", status);
	lab_check(daemon_says("smcroute-check -H /tmp/c", "packet filters do: their rules cannot be seen", &status),
		"-H: packet filters cannot be seen");
	lab_check(!daemon_says("smcroute-check -H /tmp/c", "CONFIG_", &status), "-H: nothing of another system");
	kill(pid, SIGTERM);
	daemon_end(pid, LIFE_WAIT);
}

void life_cases(void)
{
	if (access("/bin/smcrouted", X_OK) || !daemon_write(life_conf))
		return;
	life_keeper();
	life_heirs();
	life_user();
	lab_drain(&facts_tap[3]);
	life_load();
	life_host();
	life_sources();
}
