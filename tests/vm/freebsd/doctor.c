/* SPDX-License-Identifier: ISC */
/* smcroute-check doctor on the machine: what it says of packets whose fate is known. */
#include "facts.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DOCTOR_WAIT = 15000, DOCTOR_PAUSE_US = 20000 };

static const char doctor_conf[] =
	"mroute from tap0 source 10.0.0.9 group 225.1.1.1 to tap1\n"
	"mroute from tap0 group 225.2.0.0/16 to tap1 tap2\n"
	"mroute from tap3 group 225.3.0.0/16 to tap1\n"
	"mroute from tap0 group ff05::2:0/112 to tap1\n";

/* A packet each DOCTOR_PAUSE_US until it is killed. */
static pid_t doctor_send(int tap, const char *group, int ttl)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (;;) {
		lab_send(&facts_tap[tap], 4, "10.0.0.9", group, ttl, 1);
		usleep(DOCTOR_PAUSE_US);
		lab_drain(&facts_tap[1]);
		lab_drain(&facts_tap[2]);
	}
}

/* Reads /tmp/out to the console, too, when it has not the text. */
static bool doctor_said(const char *text)
{
	static char said[8192];
	int fd = open("/tmp/out", O_RDONLY);
	ssize_t n = read(fd, said, sizeof(said) - 1);

	close(fd);
	said[n > 0 ? n : 0] = '\0';
	if (strstr(said, text))
		return true;
	printf("# %s\n", said);
	return false;
}

/* One look while packets of TTL ttl come in on a tap, or none when ttl is 0. */
static void doctor_look(const char *what, int tap, const char *group, int ttl, const char *text, int status)
{
	pid_t sender = ttl ? doctor_send(tap, group, ttl) : 0, pid;
	char line[80];
	int got;

	usleep(500000);
	snprintf(line, sizeof(line), "smcroute-check doctor %s 2 /tmp/c", group);
	daemon_output = "/tmp/out";
	pid = daemon_start(line);
	daemon_output = NULL;
	got = daemon_end(pid, DOCTOR_WAIT);
	lab_check(doctor_said(text) && got == status, "doctor: %s: \"%s\" (%d)", what, text, got);
	if (!sender)
		return;
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
}

/* All groups of both families. */
static void doctor_all(const char *text, const char *name)
{
	daemon_output = "/tmp/out";
	daemon_run("smcroute-check doctor 1");
	daemon_output = NULL;
	lab_check(doctor_said(text), "%s", name);
}

void doctor_cases(void)
{
	pid_t pid;

	if (access("/bin/smcrouted", X_OK) || !daemon_write(doctor_conf))
		return;
	doctor_look("without a router", 0, "225.2.2.2", 10, "no multicast router runs here", 1);
	unlink("/tmp/c");
	doctor_all("name a group, or the file", "doctor: of both families without a router, and without a rule");
	daemon_write(doctor_conf);
	pid = daemon_start("smcrouted -n -l notice -f /tmp/c -u /tmp/s -P /tmp/p");
	daemon_flows(4, "225.2.2.2", 6);
	doctor_look("packets that are forwarded", 0, "225.2.2.2", 10, "forwarded", 0);
	doctor_look("no rule", 0, "225.9.9.9", 10, "no rule", 1);
	doctor_look("TTL 1", 0, "225.2.2.2", 1, "TTL", 1);
	doctor_look("another input", 2, "225.1.1.1", 10, "wrong input interface", 1);
	doctor_look("nothing comes", 0, "225.2.2.3", 0, "nothing arrives", 1);
	lab_tap_set(&facts_tap[2], false);
	doctor_look("an output is down", 0, "225.2.2.2", 10, "down", 1);
	lab_tap_set(&facts_tap[2], true);
	doctor_look("IPv6", 0, "ff05::2:2", 0, "its entries cannot be seen here", 71);
	doctor_all("IPv6: its entries cannot be seen here", "doctor: of both families IPv6 is told to be unseen");
	kill(pid, SIGTERM);
	daemon_end(pid, DOCTOR_WAIT);
}
