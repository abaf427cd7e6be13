/* SPDX-License-Identifier: ISC
 *
 * The control server with several clients at once, who send whole requests of both protocols, parts of them and any
 * bytes, read or do not, and leave in the middle, while links come and go, packets come and memory runs out.  Each
 * byte is a step: the client, and what it does, with bytes behind it that the step wants.
 *
 * Whoever sent nothing but whole requests has one answer for each, and what the journal has restores all that is in
 * force.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "applets/control/call.h"
#include "applets/control/journal.h"
#include "applets/control/monitor.h"
#include "applets/control/serve.h"
#include "applets/control/server.h"
#include "conf/read.h"
#include "lib/usock.h"
#include "lib/wire.h"
#include "tests/fake/kernel.h"
#include "tests/fake/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define CLIENTS 6
#define WORDS 8

static const char *const fuzz_commands[] = {
	"add a1 10.0.0.1 225.1.1.1 a2", "add a1 225.1.1.0/24 a2 a3", "add a+ fd00::1 ff05::1 a2",
	"add wan0 225.2.2.2 a1", "replace a1 225.1.1.0/24", "replace a1 10.0.0.1 225.1.1.1 a3",
	"remove a1 10.0.0.1 225.1.1.1", "remove a1 225.1.1.0/24 a2", "remove a+ fd00::1 ff05::1", "join a1 225.1.1.1",
	"join a+ 10.0.0.0/30 232.1.1.0/29", "join a2 ff05::1", "leave a1 225.1.1.1",
	"leave a+ 10.0.0.0/30 232.1.1.0/29", "disown", "flush", "reload", "ping", "show", "show groups",
	"show interfaces", "show pending", "show metrics", "show graph", "upgrade", "help", "s", "add a1 1.2.3.4",
	"add a1 225.1.1.1 a1", "sh", "shw", "re", "show nonsense", "add", "add a1 x 225.1.1.1", "join a1 224.0.0.0/4",
	"add a1 225.1.1.1/99", "add aninterfacethatislong 225.1.1.1", "add a1 10.0.0.1 ff05::1", "leave a1 225.7.7.7",
	"remove a2 225.9.9.9", "remove a1 225.1.1.0/24", "leave a3 225.3.3.3", "show config",
	/* Their answer has no end. */
	"monitor", "kill",
};
#define COMMANDS (sizeof fuzz_commands / sizeof *fuzz_commands)
#define ENDLESS (COMMANDS - 2)
#define SHOW_CONFIG (COMMANDS - 3)
static const char *const fuzz_options[] = { "", "-d", "-j", "-dd", "-oone", "-otwo", "-dj", "-x" };
static const uint16_t fuzz_letters[] = { 'a', 'r', 'j', 'l', 'F', 'H', 's', 'S', 'J', 'x' };

static struct fuzz_client {
	int fd;				/* -1: it is not there */
	bool is_pure;			/* whole requests of ours are all that it sent */
	unsigned asked;
	struct buf to_send, got;
} fuzz_clients[CLIENTS];

static struct router fuzz_router;
static struct journal fuzz_journal;
static struct server *fuzz_server;
static struct loop *fuzz_loop;
static bool fuzz_was_scarce;
static const uint8_t *fuzz_at, *fuzz_end;
static char fuzz_dir[] = "/tmp/fuzz-control-XXXXXX", fuzz_path[64];

static unsigned fuzz_byte(void)
{
	return fuzz_at < fuzz_end ? *fuzz_at++ : 0;
}

static _Noreturn void fuzz_wrong(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

/* ---- the daemon around it ---- */

static int fuzz_reload(void *ctx, struct call *call)
{
	(void)ctx;
	call_note(call, "reloaded");
	return 0;
}

static int fuzz_upgrade(void *ctx, struct call *call)
{
	(void)ctx;
	if (call->is_again)
		return call_fail(call, 71, "not here");
	call->later = CALL_UPGRADE;
	call->for_daemon = true;
	return 0;
}

static bool fuzz_is_ended(void *ctx, uint64_t later)
{
	(void)ctx;
	(void)later;
	return true;
}

static void fuzz_on_upcall(void *ctx, const struct upcall *up)
{
	(void)ctx;
	router_upcall(&fuzz_router, up, fuzz_router.now);
}

static void fuzz_packets(void *ctx)
{
	(void)ctx;
	for (enum fam f = 0; f < FAM_N; f++)
		kernel_mroute_drain(f, 16, fuzz_on_upcall, NULL);
}

static void fuzz_stop(void *ctx)
{
	(void)ctx;
}

static struct call_daemon fuzz_daemon = {
	.router = &fuzz_router, .reload = fuzz_reload, .upgrade = fuzz_upgrade, .is_ended = fuzz_is_ended,
	.packets = fuzz_packets, .stop = fuzz_stop, .journal = &fuzz_journal,
};

static void fuzz_event(void *ctx, const struct event *ev)
{
	struct buf text = { 0 }, json = { 0 };

	(void)ctx;
	journal_event(&fuzz_journal, ev);
	monitor_event_lines(&fuzz_router, ev, 0, &text, &json);
	if (!text.failed && !json.failed && fuzz_server)
		server_event(fuzz_server, buf_cstr(&text), buf_cstr(&json));
	buf_free(&text);
	buf_free(&json);
}

static const struct router_ops fuzz_ops = { .event = fuzz_event };

static void fuzz_link(struct router *r, int ifindex, bool up)
{
	struct link_event ev = { .kind = up ? LINK_NEW : LINK_DEL, .ifindex = ifindex,
				 .flags = LINK_UP | LINK_MULTICAST };

	snprintf(ev.name, sizeof ev.name, "a%d", ifindex);
	if (up)
		fake_link_add(ifindex);
	else
		fake_link_del(ifindex);
	router_link_event(r, &ev);
}

static const char fuzz_file[] = "phyint a1 mrdisc ttl-threshold 3\nphyint a2 refresh 10\nphyint a3 disable\n"
				"mroute from a1 group 225.1.1.0/24 to a2\n"
				"mroute from a2 group 225.9.9.9 kernel to a1 a3\n"
				"mroute from a1 source 10.0.0.1 group 225.1.1.1 to a2 a3\n"
				"mgroup from a3 group 225.3.3.3\n";

static void fuzz_apply(struct router *r)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };

	conf_parse_text(c, &d, "fuzz", fuzz_file, sizeof fuzz_file - 1);
	if (d.errors || router_apply(r, c, r->now) < 0)
		abort();
	diags_free(&d);
	conf_free(c);
}

static void fuzz_start(struct router *r, const struct router_ops *ops)
{
	if (router_init(r, ops, NULL) < 0)
		abort();
	r->sync.slice = 200;
	r->now = 1000;
	for (enum fam f = 0; f < FAM_N; f++) {
		kernel_mroute_open(f, 0);
		router_family(r, f, true);
	}
	for (int i = 1; i <= 3; i++)
		fuzz_link(r, i, true);
	fuzz_apply(r);
}

static void fuzz_clean(void)
{
	rmdir(fuzz_dir);
}

static void fuzz_listen(void)
{
	if (!*fuzz_path && (!mkdtemp(fuzz_dir) || atexit(fuzz_clean)))
		fuzz_wrong(strerror(errno));
	snprintf(fuzz_path, sizeof fuzz_path, "%s/s", fuzz_dir);
	if (server_listen(fuzz_server, fuzz_path, 0600, (uid_t)-1, (gid_t)-1) < 0)
		fuzz_wrong(strerror(errno));
}

static void fuzz_turns(unsigned n)
{
	while (n--) {
		loop_turn(fuzz_loop, false);
		fuzz_router.now += 1;
		if (router_due(&fuzz_router) && router_due(&fuzz_router) <= fuzz_router.now)
			router_tick(&fuzz_router, fuzz_router.now);
		server_resume(fuzz_server);
	}
}

/* ---- clients ---- */

static void fuzz_leave(struct fuzz_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	buf_free(&c->to_send);
	buf_free(&c->got);
	*c = (struct fuzz_client){ .fd = -1 };
}

/* By the path, or by a pair of sockets. */
static void fuzz_join(struct fuzz_client *c, bool by_path)
{
	int fd[2];

	fuzz_leave(c);
	if (by_path) {
		*c = (struct fuzz_client){ .fd = usock_connect(fuzz_path), .is_pure = true };
		if (c->fd >= 0)
			fcntl(c->fd, F_SETFL, O_NONBLOCK);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) < 0)
		fuzz_wrong(strerror(errno));
	*c = (struct fuzz_client){ .fd = fd[0], .is_pure = true };
	if (server_adopt(fuzz_server, fd[1]) < 0)
		fuzz_leave(c);
}

/* Queues a request: the command of a number with options of another, or in the old protocol with a letter. */
static void fuzz_ask(struct fuzz_client *c, unsigned command, unsigned option, bool is_legacy)
{
	char line[128], *word, *rest = line;
	const char *argv[WORDS + 1] = { fuzz_options[option % 8] };
	int argc = 1;

	snprintf(line, sizeof line, "%s", fuzz_commands[command % COMMANDS]);
	while ((word = strsep(&rest, " ")) && argc <= WORDS)
		argv[argc++] = word;
	if (is_legacy)
		wire_put_request(&c->to_send, fuzz_letters[option % 10], argc - 2, argv + 2);
	else
		wire_put_request(&c->to_send, WIRE_WORDS, argc, argv);
	c->is_pure &= !is_legacy && command % COMMANDS < ENDLESS;
	c->asked++;
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
	if (c->is_pure && !fuzz_was_scarce)
		fuzz_wrong("a client was closed");
	fuzz_leave(c);
	return false;
}

/* True while somebody is in the queue of the socket, of whom the server takes one a turn. */
static bool fuzz_is_queued(void)
{
	struct pollfd queue = { .fd = server_listener(fuzz_server), .events = POLLIN };

	return poll(&queue, 1, 0) > 0;
}

/* Until nothing more happens.  Where others take the processor a turn may be over with the first client, and those who
 * have left are clients too until the server has seen it. */
static void fuzz_settle(void)
{
	uint32_t clients = 0;

	for (unsigned idle = 0, turns = 0; idle < 4 + fuzz_server->n; turns++) {
		bool moved = router_ticket(&fuzz_router) || fuzz_is_queued() || clients != fuzz_server->n;

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

/* ---- the end ---- */

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

/* What the journal restores in another router is what was in force. */
static void fuzz_check_journal(void)
{
	struct buf was = { 0 }, is = { 0 };

	if (fuzz_journal.fd < 0)
		return;
	fuzz_config(&was);
	if (journal_flush(&fuzz_journal) < 0)
		fuzz_wrong("the journal is not written");
	router_shutdown(&fuzz_router);
	router_free(&fuzz_router);
	fuzz_start(&fuzz_router, NULL);
	if (journal_replay(&fuzz_router, fuzz_journal.fd) < 0)
		fuzz_wrong("the journal cannot be read");
	router_sync(&fuzz_router);
	fuzz_config(&is);
	/* What was lost was told. */
	if (!fuzz_journal.lost && strcmp(buf_cstr(&was), buf_cstr(&is))) {
		fprintf(stderr, "%s\n-- and from the journal --\n%s\n", buf_cstr(&was), buf_cstr(&is));
		fuzz_wrong("the journal restores something else");
	}
	buf_free(&was);
	buf_free(&is);
}

static void fuzz_see(void *ctx, const char *name, int fd)
{
	(void)ctx;
	if (!*name || fd < 0)
		fuzz_wrong("a client without a name");
}

static void fuzz_step(struct fuzz_client *c, unsigned what)
{
	struct upcall up = { .kind = UPCALL_NOCACHE };
	unsigned k = fuzz_byte();

	if (what < 2 || c->fd < 0) {
		fuzz_join(c, k & 2);
	} else if (what < 12) {
		fuzz_ask(c, k, fuzz_byte(), what >= 10);
		fuzz_send(c, what & 1 ? SIZE_MAX : fuzz_byte());
	} else if (what < 16) {
		fuzz_send(c, k);
	} else if (what < 19) {
		/* Any bytes. */
		size_t n = (size_t)(fuzz_end - fuzz_at);

		n = k < n ? k : n;
		buf_add(&c->to_send, (const char *)fuzz_at, n);
		fuzz_at += n;
		c->is_pure &= !n;
	} else if (what < 23) {
		fuzz_read(c, k * 16 + 1);
	} else if (what < 25) {
		if (k & 1)
			fuzz_leave(c);
		else
			shutdown(c->fd, k & 2 ? SHUT_WR : SHUT_RD);
		c->is_pure = false;
	} else if (what < 26) {
		fuzz_link(&fuzz_router, 1 + (int)k % 4, k & 4);
		router_sync(&fuzz_router);
	} else if (what < 28) {
		up.vif = (int)k & 3;
		addr_parse(k & 4 ? "10.0.0.1" : "10.0.0.2", 8, &up.flow.source);
		addr_parse(k & 8 ? "225.1.1.1" : "225.1.1.2", 9, &up.flow.group);
		up.fam = FAM_4;
		fake_push_upcall(&up);
	} else if (what < 29) {
		memory_scarce(k & 31, 1 + (k >> 5));
		fuzz_turns(1);
		fuzz_was_scarce |= memory_plenty();
	} else {
		/* As in a handover that comes to nothing. */
		server_fds(fuzz_server, fuzz_see, NULL);
		if (k & 2)
			server_finish(fuzz_server, true);
		server_hold(fuzz_server, true);
		fuzz_turns(2);
		server_hold(fuzz_server, false);
		server_finish(fuzz_server, false);
		server_end_upgrade(fuzz_server);
	}
	fuzz_turns(k & 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	fuzz_at = p;
	fuzz_end = p + n;
	fuzz_was_scarce = false;
	log_set_level(LOG_LVL_NONE);
	fake_reset();
	fake_journal_on(false);
	fuzz_loop = loop_new();
	fuzz_server = NULL;
	journal_init(&fuzz_journal, &fuzz_router);
	fuzz_start(&fuzz_router, &fuzz_ops);
	journal_begin(&fuzz_journal);
	fuzz_server = server_new(fuzz_loop, &fuzz_daemon);
	fuzz_listen();
	for (unsigned i = 0; i < CLIENTS; i++)
		fuzz_clients[i] = (struct fuzz_client){ .fd = -1 };
	while (fuzz_at < fuzz_end) {
		unsigned step = fuzz_byte();

		fuzz_step(&fuzz_clients[step % CLIENTS], step / CLIENTS % 30);
	}
	fuzz_settle();
	for (unsigned i = 0; i < CLIENTS; i++) {
		fuzz_check(&fuzz_clients[i]);
		fuzz_leave(&fuzz_clients[i]);
	}
	fuzz_settle();
	fuzz_check_journal();
	server_free(fuzz_server);
	journal_free(&fuzz_journal);
	loop_free(fuzz_loop);
	router_shutdown(&fuzz_router);
	router_free(&fuzz_router);
	return 0;
}
