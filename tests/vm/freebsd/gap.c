/* SPDX-License-Identifier: ISC */
/* What a handover costs: packets of both families, one each two milliseconds, while something happens to the daemon. */
#include "facts.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GAP_PACKETS = 2000, GAP_PAUSE_US = 2000, GAP_FIRST_MS = 1000, GAP_QUIET_MS = 500, GAP_WAIT = 300000 };

static const char gap_group4[] = "225.2.2.2", gap_group6[] = "ff05::2:2";

/* GAP_PACKETS of each family. */
static pid_t gap_send(void)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	for (int i = 0; i < GAP_PACKETS; i++) {
		lab_send(&facts_tap[0], 4, "10.0.0.9", gap_group4, 10, 1);
		lab_send(&facts_tap[0], 6, "fd00:0::9", gap_group6, 10, 1);
		usleep(GAP_PAUSE_US);
	}
	_exit(0);
}

/* Ethernet has 14 bytes; destinations begin at 16 of IPv4, at 24 of IPv6. */
static void gap_note(const uint8_t *f, size_t n, int seen[2])
{
	struct in6_addr to6;
	struct in_addr to4;

	inet_pton(AF_INET, gap_group4, &to4);
	inet_pton(AF_INET6, gap_group6, &to6);
	seen[0] += n > 40 && f[14] >> 4 == 4 && !memcmp(f + 14 + 16, &to4, 4);
	seen[1] += n > 60 && f[14] >> 4 == 6 && !memcmp(f + 14 + 24, &to6, 16);
}

/* The sender decides when it is over, not a clock: beside other work it may take minutes. */
void gap_case(const char *what, void (*happens)(void))
{
	int64_t start = lab_now(), last = start;
	long drops = lab_tap_drops(&facts_tap[1]);
	bool has_happened = false, sends = true;
	int seen[2] = { 0 };
	pid_t sender;
	uint8_t f[2048];

	lab_drain(&facts_tap[1]);
	sender = gap_send();
	while (lab_now() < start + GAP_WAIT && (sends || !has_happened || lab_now() < last + GAP_QUIET_MS)) {
		struct pollfd p = { .fd = facts_tap[1].fd, .events = POLLIN };
		ssize_t n = poll(&p, 1, 20) > 0 ? read(p.fd, f, sizeof(f)) : 0;

		if (n > 0)
			gap_note(f, (size_t)n, seen);
		sends = sends && waitpid(sender, NULL, WNOHANG) == 0;
		if (n > 0 || sends)
			last = lab_now();
		if (!has_happened && lab_now() > start + GAP_FIRST_MS) {
			happens();
			has_happened = true;
		}
	}
	if (sends) {
		kill(sender, SIGKILL);
		waitpid(sender, NULL, 0);
	}
	drops = lab_tap_drops(&facts_tap[1]) - drops;
	lab_measured("%s: of %d packets %d of IPv4 and %d of IPv6 are lost", what, GAP_PACKETS, GAP_PACKETS - seen[0],
		GAP_PACKETS - seen[1]);
	lab_check(!sends && seen[0] + seen[1] + drops >= 2 * GAP_PACKETS,
		"%s: no packet is lost, but where we read too late (%ld)", what, drops);
}
