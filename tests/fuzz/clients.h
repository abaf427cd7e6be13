/* SPDX-License-Identifier: ISC
 *
 * Clients of the control server, for its fuzzer: what they say, and what they have to hear.
 */
#ifndef TESTS_FUZZ_CLIENTS_H
#define TESTS_FUZZ_CLIENTS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/usock.h"
#include "lib/wire.h"
#include "tests/fuzz/control.h"

#define CLIENTS 6
#define WORDS 48

#define FUZZ_TEN(x) " " x "0 " x "1 " x "2 " x "3 " x "4 " x "5 " x "6 " x "7 " x "8 " x "9"

/* Seeds have their numbers: new ones go to the end. */
static const char *const fuzz_commands[] = {
	"add a1 10.0.0.1 225.1.1.1 a2", "add a1 225.1.1.0/24 a2 a3", "add a+ fd00::1 ff05::1 a2",
	"add wan0 225.2.2.2 a1", "replace a1 225.1.1.0/24", "replace a1 10.0.0.1 225.1.1.1 a3",
	"remove a1 10.0.0.1 225.1.1.1", "remove a1 225.1.1.0/24 a2", "remove a+ fd00::1 ff05::1", "join a1 225.1.1.1",
	"join a+ 10.0.0.0/30 232.1.1.0/29", "join a2 ff05::1", "leave a1 225.1.1.1",
	"leave a+ 10.0.0.0/30 232.1.1.0/29", "disown", "flush", "reload", "ping", "show", "show groups",
	"show interfaces", "show pending", "show metrics", "show graph", "upgrade", "help", "s", "add a1 1.2.3.4",
	"add a1 225.1.1.1 a1", "sh", "shw", "re", "show nonsense", "add", "add a1 x 225.1.1.1", "join a1 224.0.0.0/4",
	"add a1 225.1.1.1/99", "add aninterfacethatislong 225.1.1.1", "add a1 10.0.0.1 ff05::1", "leave a1 225.7.7.7",
	"remove a2 225.9.9.9", "remove a1 225.1.1.0/24", "leave a3 225.3.3.3", "show config", "monitor", "kill",
	/* In the grammar of the file, or nearly. */
	"add from a1 source 10.0.0.1 group 225.1.1.1 to a2", "add group 225.1.1.1 a1 to a2 a3",
	"join from a1 group 225.1.1.1", "add 225.1.1.1 a1 a2", "add a1 225.1.1.1 to a2", "add a1 225.1.1.1 kernel",
	"add a1 10.0.0.1 a2", "add a1 225.1.1.1 a2,a3", "add a1 225.1.1.1 a2:", "add a1 225.1.1.1 -o",
	"add a1 225.1.1.1 all", "add a1 225.1.1.1 a*", "add a1 225.1.1.1 225.1.1.2", "add a1 225.1.1.1 \xc3\xa4\x01",
	"join a1 10.0.0.1", "join a1 225.1.1.1 a2", "join a1 10.0.0.1 232.1.1.1 225.1.1.1", "leave a1 225.1.1.1 a2",
	/* What may surprise. */
	"add a1 224.0.0.1 a2", "add a1 127.0.0.1 225.1.1.1 a2", "add a1 225.4.4.4", "add a1 225.4.4.4 a1 a2",
	"add b1 225.4.4.4 b2", "add a4 225.4.4.4 a1", "join a4 225.4.4.4", "join b1 225.4.4.4", "add a+ 225.1.1.1 a+",
	"remove a1 225.4.4.4 a3", "remove a1 225.4.4.4 a2", "replace a1 225.4.4.4 a2", "join a1 225.0.0.0/22",
	"leave a1 225.0.0.0/22", "join a1 10.0.0.0/12 232.0.0.0/12", "join a1 2001:db8::/64 ff3e::1",
	"add a3 225.1.1.1 a2", "add a1 225.6.0.1" FUZZ_TEN("c") FUZZ_TEN("d") FUZZ_TEN("e") " a2 a3 b1",
	"version", "top", "help add", "ping pong",
	"show routes", "show interfaces groups", "status", "restart", "",
};
#define COMMANDS (sizeof fuzz_commands / sizeof *fuzz_commands)
enum { SHOW_CONFIG = 43, MONITOR, KILL };		/* the last two have an answer without end */
static const char *const fuzz_options[16] = {
	"", "-d", "-j", "-dd", "-oone", "-otwo", "-dj", "-x", "-oconfiguration", "-o", "-ofile", "-otwo\x01", "-djjd",
	"-othree", "-jd", "--",
};
static const uint16_t fuzz_letters[] = { 'a', 'r', 'j', 'l', 'F', 'H', 's', 'S', 'J', 'x' };

static struct fuzz_client {
	int fd;				/* -1: it is not there */
	bool is_pure;			/* whole requests of ours are all that it sent */
	unsigned asked;
	struct buf to_send, got;
} fuzz_clients[CLIENTS];

static char fuzz_dir[] = "/tmp/fuzz-control-XXXXXX", fuzz_path[64];

static void fuzz_leave(struct fuzz_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	buf_free(&c->to_send);
	buf_free(&c->got);
	*c = (struct fuzz_client){ .fd = -1 };
}

/* A pair of sockets of which the client has one; the other one, or -1. */
static int fuzz_pair(struct fuzz_client *c)
{
	int fd[2];

	fuzz_leave(c);
	fuzz_look_for_places();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) < 0)
		fuzz_wrong(strerror(errno));
	*c = (struct fuzz_client){ .fd = fd[0], .is_pure = true };
	return fd[1];
}

/* By the path, or by a pair of sockets. */
static void fuzz_join(struct fuzz_client *c, bool by_path)
{
	if (by_path) {
		fuzz_leave(c);
		*c = (struct fuzz_client){ .fd = usock_connect(fuzz_path), .is_pure = true };
		if (c->fd >= 0)
			fcntl(c->fd, F_SETFL, O_NONBLOCK);
	} else if (server_adopt(fuzz_server, fuzz_pair(c)) < 0) {
		fuzz_leave(c);
	}
}

/* As one of another process, which is between two requests or follows. */
static void fuzz_join_as(struct fuzz_client *c, unsigned kind)
{
	static const char *const names[] = { SERVER_CLIENT, SERVER_MONITOR, SERVER_MONITOR_JSON, SERVER_UPGRADE };
	int fd = fuzz_pair(c), res;

	res = server_adopt_as(fuzz_server, names[kind % 4], fd);
	if (res < 0 && (kind % 4 != 3 || close(fd) < 0))
		fuzz_wrong("a client is not taken, or closed though it is not");
	c->is_pure = kind % 4 == 0;
	if (res < 0)
		fuzz_leave(c);
}

/* Queues a request of the words of a line, with options of a number, or in the old protocol with a letter. */
static void fuzz_ask_line(struct fuzz_client *c, const char *words, unsigned option, bool is_legacy)
{
	char line[256], *word, *rest = line;
	const char *argv[WORDS + 1] = { fuzz_options[option % 16] };
	int argc = 1;

	snprintf(line, sizeof line, "%s", words);
	while ((word = strsep(&rest, " ")) && argc <= WORDS)
		argv[argc++] = word;
	if (is_legacy)
		wire_put_request(&c->to_send, fuzz_letters[option % 10], argc - 2, argv + 2);
	else
		wire_put_request(&c->to_send, WIRE_WORDS, argc, argv);
	c->is_pure &= !is_legacy;
	c->asked++;
}

/* The same with the command of a number. */
static void fuzz_ask(struct fuzz_client *c, unsigned command, unsigned option, bool is_legacy)
{
	fuzz_ask_line(c, fuzz_commands[command % COMMANDS], option, is_legacy);
	c->is_pure &= command % COMMANDS != MONITOR && command % COMMANDS != KILL;
}

/* One of many things to ask for that are alike, or to take back. */
static void fuzz_line_of(struct fuzz_client *c, unsigned kind, unsigned i, unsigned option)
{
	const char *verb = kind & 1 ? "remove" : "add";
	char line[128];

	switch (kind / 2 % 6) {
	case 0: snprintf(line, sizeof line, "%s a1 225.8.0.%u b%u", verb, i, i); break;
	case 1: snprintf(line, sizeof line, "%s a1 10.%u.0.1 225.8.8.8 a2 b%u", verb, i, i); break;
	case 2: snprintf(line, sizeof line, "%s x%u 225.8.9.9 a2", verb, i); break;
	case 3: snprintf(line, sizeof line, "%s a2 10.0.0.%u 225.8.0.0/16 a1", verb, i); break;
	case 4: snprintf(line, sizeof line, "%s a1 10.0.0.0/%u 225.0.0.0/%u a2", verb, i % 33, 4 + i / 33 * 3); break;
	default: snprintf(line, sizeof line, "%s a1 225.10.%u.0/28", kind & 1 ? "leave" : "join", i);
	}
	fuzz_ask_line(c, line, option, false);
}

/* Sends so many bytes of what is queued; false when nothing could be. */
static bool fuzz_send(struct fuzz_client *c, size_t most)
{
	size_t n = c->to_send.len < most ? c->to_send.len : most;
	ssize_t sent = n ? send(c->fd, c->to_send.p, n, MSG_NOSIGNAL) : 0;

	if (sent > 0)
		buf_consume(&c->to_send, (size_t)sent);
	return sent > 0;
}

/* Reads so many bytes; false when there were none.  Whoever was closed without a reason is wrong. */
static bool fuzz_read(struct fuzz_client *c, size_t most)
{
	char bytes[4096];
	ssize_t n = recv(c->fd, bytes, most < sizeof bytes ? most : sizeof bytes, 0);

	if (n > 0)
		buf_add(&c->got, bytes, (size_t)n);
	if (n > 0 || (n < 0 && errno == EAGAIN))
		return n > 0;
	if (c->is_pure && !fuzz_may_close)
		fuzz_wrong("a client was closed");
	fuzz_leave(c);
	return false;
}

/* Each of our own requests has had its answer. */
static void fuzz_check(const struct fuzz_client *c)
{
	struct wire_record rec;
	unsigned ends = 0;
	size_t at = 0;

	if (c->fd < 0 || !c->is_pure)
		return;
	for (; wire_record(c->got.p + at, c->got.len - at, &rec) == WIRE_OK; at += rec.size)
		ends += rec.type == WIRE_END;
	if (at != c->got.len)
		fuzz_wrong("an answer is no record");
	if (ends != c->asked) {
		fprintf(stderr, "%u answers to %u requests, %zu bytes to send\n", ends, c->asked, c->to_send.len);
		fuzz_wrong("an answer is missing");
	}
}

/* ---- until it rests ---- */

/* True while somebody is in the queue of the socket, of whom the server takes one a turn. */
static bool fuzz_is_queued(void)
{
	struct pollfd queue = { .fd = server_listener(fuzz_server), .events = POLLIN };

	return poll(&queue, 1, 0) > 0;
}

/* Until nothing more happens.  Where a turn is over with the first client others wait for the next one, and those who
 * have left are clients too until the server has seen it. */
static void fuzz_settle(void)
{
	uint32_t clients = 0;

	for (unsigned idle = 0, turns = 0; idle < 4 + fuzz_server->n; turns++) {
		bool moved = router_ticket(&fuzz_router) || fuzz_is_queued() || clients != fuzz_server->n ||
			     fuzz_reload.ended != fuzz_reload.asked;

		clients = fuzz_server->n;
		for (struct fuzz_client *c = fuzz_clients; c < fuzz_clients + CLIENTS; c++) {
			moved |= c->fd >= 0 && fuzz_send(c, SIZE_MAX);
			moved |= c->fd >= 0 && fuzz_read(c, SIZE_MAX);
		}
		fuzz_turns(2);
		idle = moved ? 0 : idle + 1;
		if (turns > 50000)
			fuzz_wrong("it never rests");
	}
}

/* ---- the configuration in force ---- */

static int fuzz_by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Appends a line for each owner of a line of show config: they stand there as they came, and so do the outputs of all
 * of them, which are left out where each has its own in parentheses. */
static void fuzz_owners(struct buf *out, char *line)
{
	static const char mark[] = "  # owner: ";
	char *owners = strstr(line, mark), *to = strstr(line, " to "), *owner;

	if (owners) {
		*owners = '\0';
		owners += strlen(mark);
		if (to && strchr(owners, '('))
			*to = '\0';
	}
	do {
		owner = strsep(&owners, ",");
		buf_printf(out, "%s # %s\n", line, owner ? owner + strspn(owner, " ") : "");
	} while (owners);
}

/* The configuration in force, its lines sorted. */
static void fuzz_config(struct buf *out)
{
	struct fuzz_client *c = &fuzz_clients[0];
	struct wire_record rec;
	struct buf text = { 0 }, claims = { 0 };
	char *lines[4096], *rest, *line;
	size_t n = 0;

	fuzz_join(c, false);
	fuzz_ask(c, SHOW_CONFIG, 1, false);
	fuzz_settle();
	fuzz_check(c);
	for (size_t at = 0; wire_record(c->got.p + at, c->got.len - at, &rec) == WIRE_OK; at += rec.size)
		if (rec.type != WIRE_END)
			buf_add(&text, rec.text, rec.len);
	buf_chr(&text, '\0');
	rest = text.p;
	while ((line = strsep(&rest, "\n")))
		fuzz_owners(&claims, line);
	buf_chr(&claims, '\0');
	rest = claims.p;
	while ((line = strsep(&rest, "\n")) && n < 4096)
		lines[n++] = line;
	qsort(lines, n, sizeof *lines, fuzz_by_text);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s\n", lines[i]);
	buf_free(&text);
	buf_free(&claims);
	fuzz_leave(c);
}

#endif
