/* SPDX-License-Identifier: ISC */
#include "applets/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/applet.h"
#include "kernel/kernel.h"
#include "lib/buf.h"
#include "lib/fd.h"
#include "lib/grow.h"
#include "lib/log.h"
#include "lib/number.h"

/* SD_LISTEN_FDS_START: sd_listen_fds(3). */
#define HANDOVER_FIRST 3
#define HANDOVER_MAX 65536	/* that may come at once */

int handover_add(struct handover *h, const char *name, int fd)
{
	struct handed *v = grow(h->v, &h->cap, h->n + 1, sizeof *v);
	char *copy = v ? strndup(name, HANDOVER_NAME - 1) : NULL;

	if (v)
		h->v = v;
	if (!copy)
		return fd_fail(fd);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	v[h->n++] = (struct handed){ fd, copy };
	return 0;
}

/* Adds n descriptors, the names parted by colons; those without a name are "unknown", as with sd_listen_fds(3).  A
 * number of which there is no descriptor is passed over. */
static int handover_add_all(struct handover *h, int64_t n, const char *names)
{
	int res = 0;

	for (int fd = HANDOVER_FIRST; !res && fd < HANDOVER_FIRST + n; fd++) {
		char name[HANDOVER_NAME] = "unknown";
		size_t len = strcspn(names, ":");

		if (*names)
			snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1), names);
		names += len + (names[len] == ':');
		if (fcntl(fd, F_GETFD) >= 0)
			res = handover_add(h, name, fd);
	}
	return res;
}

int handover_take_environment(struct handover *h)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS"), *names = getenv("LISTEN_FDNAMES");
	int64_t n = fds ? number_parse(fds, HANDOVER_MAX) : 0;
	int res = 0;

	if (pid && fds && number_parse(pid, INT32_MAX) == getpid()) {
		if (n >= 0)
			res = handover_add_all(h, n, names ? names : "");
		else
			snprintf(h->error, sizeof h->error, "LISTEN_FDS is \"%.40s\": no number of descriptors", fds);
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return res;
}

int handover_pass(struct handover *h)
{
	char number[16];
	struct buf names = { 0 };

	/* First all of them out of the way. */
	for (uint32_t i = 0; i < h->n; i++) {
		h->v[i].fd = fcntl(h->v[i].fd, F_DUPFD_CLOEXEC, HANDOVER_FIRST + (int)h->n);
		if (h->v[i].fd < 0)
			return -1;
		buf_printf(&names, "%s%s", i ? ":" : "", h->v[i].name);
	}
	for (uint32_t i = 0; i < h->n; i++)
		if (dup2(h->v[i].fd, HANDOVER_FIRST + (int)i) < 0)
			return -1;
	if (!h->n)
		return 0;
	snprintf(number, sizeof number, "%u", (unsigned)h->n);
	setenv("LISTEN_FDS", number, 1);
	setenv("LISTEN_FDNAMES", buf_cstr(&names), 1);
	snprintf(number, sizeof number, "%d", (int)getpid());
	return setenv("LISTEN_PID", number, 1);
}

bool handover_has_routes(const struct handover *h)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (!strncmp(h->v[i].name, "mroute", 6))
			return true;
	return false;
}

int handover_check_table(const struct handover *h, uint32_t table)
{
	for (uint32_t i = 0; i < h->n; i++) {
		const char *number = strchr(h->v[i].name, '.');
		int64_t theirs = number ? number_parse(number + 1, UINT32_MAX) : 0;

		if (strncmp(h->v[i].name, "mroute", 6) != 0 || theirs == table)
			continue;
		log_err("takeover: the running daemon routes in table %u, this one is to in table %u (-t): start it "
			"beside that one (-i NAME), add the ip mrule lines that it logs, then end the other one",
			(unsigned)theirs, (unsigned)table);
		return EXIT_BUSY;
	}
	return 0;
}

/* Takes a descriptor out of the list. */
static int handover_pull(struct handover *h, uint32_t i)
{
	int fd = h->v[i].fd;

	free(h->v[i].name);
	memmove(h->v + i, h->v + i + 1, (--h->n - i) * sizeof *h->v);
	return fd;
}

int handover_take(struct handover *h, const char *name)
{
	for (uint32_t i = 0; i < h->n; i++)
		if (!strcmp(h->v[i].name, name))
			return handover_pull(h, i);
	return -1;
}

/* Why a socket was not taken, by errno. */
static const char *handover_reason(void)
{
	switch (errno) {
	case EINVAL:
		return "no name of a socket that this program has";
	case ENOTSOCK:
		return "it is no socket";
	case EPROTOTYPE:
		return "it is a socket of another kind";
	case EXDEV:
		return "it is of another network namespace";
	case EEXIST:
		return "there is one of this name already";
	case ESTALE:
		return "it holds no routing table any more";
	case ESRCH:
		return "it holds another routing table than that of option -t";
	default:
		return strerror(errno);
	}
}

void handover_adopt(struct handover *h, uint32_t table)
{
	unsigned members = 0;

	if (*h->error)
		log_err("%s", h->error);
	for (uint32_t i = 0; i < h->n; i++) {
		if (kernel_adopt(h->v[i].name, h->v[i].fd, table) == 0) {
			h->v[i].fd = -1;
			members += !strncmp(h->v[i].name, "member", 6);
			continue;
		}
		log_err("descriptor %d \"%s\" that was handed over is not used: %s", h->v[i].fd, h->v[i].name,
			handover_reason());
	}
	handover_free(h);
	h->members = members;
}

void handover_settle(struct handover *h)
{
	if (!kernel_join_settled() && h->members)
		log_notice("too few descriptors (%s) to join all groups before those that were handed over were left: "
			   "hosts and switches may have seen that", kernel_join_limit(EMFILE, FAM_4));
	h->members = 0;
}

void handover_free(struct handover *h)
{
	for (uint32_t i = 0; i < h->n; i++) {
		fd_fail(h->v[i].fd);
		free(h->v[i].name);
	}
	free(h->v);
	*h = (struct handover){ 0 };
}
