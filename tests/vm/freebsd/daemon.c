/* SPDX-License-Identifier: ISC */
/* The daemon and its client on the machine: taps as in facts.c. */
#include "facts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DAEMON_WAIT = 40000, DAEMON_WORDS = 14 };

const char *daemon_output;

static const char *const daemon_conf =
	"phyint tap1 mrdisc\n"
	"mroute from tap0 source 10.0.0.9 group 225.1.1.1 to tap1\n"
	"mroute from tap0 source fd00:0::9 group ff05::1:1 to tap1\n"
	"mroute from tap0 group 225.2.0.0/16 to tap1 tap2\n"
	"mroute from tap0 group ff05::2:0/112 to tap1 tap2\n"
	"mgroup from tap3 group 225.6.6.6\n"
	"mgroup from tap3 source 10.9.9.9 group 232.6.6.6\n"
	"mgroup from tap3 group ff05::6:6\n"
	"mgroup from tap3 source fd00:9::9 group ff35::6:6\n";

bool daemon_write(const char *conf)
{
	int fd = open("/tmp/c", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	bool good = write(fd, conf, strlen(conf)) == (ssize_t)strlen(conf);

	if (!good)
		lab_check(false, "/tmp/c: %s", strerror(errno));
	close(fd);
	return good;
}

/* words are parted by blanks; what it prints goes to the console. */
pid_t daemon_start(const char *words)
{
	char line[256], *argv[DAEMON_WORDS + 1], *at = line;
	pid_t pid = fork();
	int n = 0;

	if (pid)
		return pid;
	setpgid(0, 0);
	strlcpy(line, words, sizeof(line));
	while (n < DAEMON_WORDS && (argv[n] = strsep(&at, " ")))
		n++;
	argv[n] = NULL;
	if (daemon_output) {
		int fd = open(daemon_output, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	execvp(argv[0], argv);
	_exit(127);
}

/* The exit status, 128 and the signal, or -1 when it has not ended within ms. */
int daemon_end(pid_t pid, int ms)
{
	for (int64_t end = lab_now() + ms; lab_now() < end; poll(NULL, 0, 20)) {
		int status;

		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	return -1;
}

int daemon_run(const char *words)
{
	pid_t pid = daemon_start(words);
	int status = daemon_end(pid, DAEMON_WAIT);

	if (status == -1)
		kill(pid, SIGKILL);
	return status;
}

bool daemon_says(const char *words, const char *text, int *status)
{
	static char said[8192];
	ssize_t n;
	int fd;

	daemon_output = "/tmp/out";
	*status = daemon_run(words);
	daemon_output = NULL;
	fd = open("/tmp/out", O_RDONLY);
	n = read(fd, said, sizeof(said) - 1);
	close(fd);
	said[n > 0 ? n : 0] = '\0';
	if (!strstr(said, text))
		printf("# %s\n", said);
	return strstr(said, text) != NULL;
}

/* Until five of five come out of each tap of a bitmap, and none of the first three others. */
bool daemon_flows(int family, const char *group, unsigned taps)
{
	const char *source = family == 4 ? "10.0.0.9" : "fd00:0::9";

	for (int64_t end = lab_now() + DAEMON_WAIT; lab_now() < end;) {
		bool good = true;

		for (int i = 0; i < 3; i++)
			lab_drain(&facts_tap[i]);
		lab_send(&facts_tap[0], family, source, group, 10, 5);
		for (int i = 1; i < 3; i++) {
			bool want = taps >> i & 1;
			struct lab_seen seen = lab_see(&facts_tap[i], family, group, want ? 5 : 1, want ? 1000 : 300);

			good = good && seen.packets == (want ? 5 : 0);
		}
		if (good)
			return true;
	}
	return false;
}

static void daemon_both(const char *group4, const char *group6, unsigned taps, const char *what)
{
	lab_check(daemon_flows(4, group4, taps), "IPv4: %s", what);
	lab_check(daemon_flows(6, group6, taps), "IPv6: %s", what);
}

static void daemon_burst(void)
{
	lab_drain(&facts_tap[1]);
	lab_send(&facts_tap[0], 4, "10.0.0.9", "225.2.2.2", 10, 50);
	lab_send(&facts_tap[0], 6, "fd00:0::9", "ff05::2:2", 10, 50);
}

bool daemon_has_link(int packets)
{
	char text[128];
	int status;

	snprintf(text, sizeof(text), "\"source\":\"fe80::9\",\"group\":\"ff05::2:9\",\"iif\":\"tap0\",\"oifs\":[],"
		"\"packets\":%d,", packets);
	return daemon_says("smcroutectl -j -u /tmp/s show routes", text, &status);
}

bool daemon_learns_link(int packets)
{
	bool has = false;

	for (int64_t end = lab_now() + DAEMON_WAIT; !has && lab_now() < end; has = daemon_has_link(packets))
		lab_send(&facts_tap[0], 6, "fe80::9", "ff05::2:9", 10, 1);
	return has;
}

/* Interfaces go and come under packets: the wrong order of deletion panics. */
static void daemon_links(void)
{
	for (int i = 0; i < 5; i++) {
		daemon_burst();
		lab_tap_destroy(&facts_tap[2]);
		daemon_burst();
		lab_tap_make(&facts_tap[2], 2);
		daemon_burst();
	}
	daemon_both("225.2.2.2", "ff05::2:2", 6, "daemon: learned rules after an output went and came, 5 times");
	lab_tap_rename(&facts_tap[2], "wan9");
	daemon_burst();
	daemon_both("225.2.2.2", "ff05::2:2", 2, "daemon: an output that was renamed gets none");
	lab_tap_rename(&facts_tap[2], "tap2");
	daemon_both("225.2.2.2", "ff05::2:2", 6, "daemon: and all when it has its name again");
}

static void daemon_clients(void)
{
	int status = daemon_run("smcroutectl -u /tmp/s show");

	lab_check(status == 0, "client: show (%d)", status);
	status = daemon_run("smcroutectl -u /tmp/s show interfaces");
	lab_check(status == 0, "client: show interfaces (%d)", status);
	status = daemon_run("smcroutectl -j -u /tmp/s show routes");
	lab_check(status == 0, "client: show routes as JSON (%d)", status);
	status = daemon_run("smcroutectl -u /tmp/s add tap0 10.0.0.9 225.7.7.7 tap2");
	lab_check(status == 0 && daemon_flows(4, "225.7.7.7", 4), "client: add, and its packets (%d)", status);
	status = daemon_run("smcrouted -n -t 5 -f /tmp/c -u /tmp/s2 -P /tmp/p2");
	lab_check(status == 64, "daemon: -t is refused (%d)", status);
	status = daemon_run("smcrouted -n -i other -f /tmp/c -u /tmp/s2 -P /tmp/p2");
	lab_check(status > 0, "daemon: a second one does not start (%d)", status);
}

void daemon_cases(void)
{
	struct lab_seen wire4, wire6;
	pid_t pid;
	int status;

	if (access("/bin/smcrouted", X_OK))
		return;
	lab_tap_make(&facts_tap[3], 3);
	lab_check(daemon_run("smcrouted -v") == 0, "daemon: -v");
	if (!daemon_write(daemon_conf))
		return;
	lab_drain(&facts_tap[3]);
	pid = daemon_start("smcrouted -n -l info -f /tmp/c -u /tmp/s -P /tmp/p -m 4");
	daemon_both("225.1.1.1", "ff05::1:1", 2, "daemon: (S,G) rules to one interface and nowhere else");
	daemon_both("225.2.2.2", "ff05::2:2", 6, "daemon: learned rules to two interfaces");
	lab_check(daemon_learns_link(5), "IPv6: daemon: a source of the link is blocked by its own address");
	wire4 = lab_see(&facts_tap[3], 4, NULL, 2, 5000);
	lab_check(wire4.reports > 0, "IPv4: daemon: joins are on the wire (%d reports)", wire4.reports);
	wire4 = lab_see(&facts_tap[1], 4, "225.99.99.99", 1, 6000);
	wire6 = lab_see(&facts_tap[1], 6, "ff05::99", 1, 6000);
	lab_check(wire4.mrdisc && wire4.options, "IPv4: daemon: advertisements with Router Alert (%d)", wire4.mrdisc);
	lab_check(wire6.mrdisc && wire6.options, "IPv6: daemon: advertisements with Router Alert (%d)", wire6.mrdisc);
	daemon_clients();
	daemon_links();
	daemon_write("mroute from tap0 group 225.2.0.0/16 to tap2\nmroute from tap0 group ff05::2:0/112 to tap2\n");
	kill(pid, SIGHUP);
	daemon_both("225.2.2.2", "ff05::2:2", 4, "daemon: a reload to another output");
	lab_check(daemon_flows(4, "225.1.1.1", 0), "IPv4: daemon: nothing of a rule that is gone");
	kill(pid, SIGTERM);
	status = daemon_end(pid, DAEMON_WAIT);
	lab_check(status == 0, "daemon: SIGTERM ends it (%d)", status);
	if (status == -1) {
		kill(pid, SIGKILL);
		daemon_end(pid, DAEMON_WAIT);
	}
	lab_check(daemon_flows(4, "225.2.2.2", 0) && daemon_flows(6, "ff05::2:2", 0), "daemon: stop leaves nothing");
}
