/* SPDX-License-Identifier: ISC
 *
 * The control server with several clients at once, who send whole requests of both protocols, parts of them and any
 * bytes, read or do not, and leave in the middle, while links come and go, packets come, files are read again, the
 * kernel refuses, time goes by, and memory, descriptors and places run out.  Each byte is a step: the client, and what
 * it does, with bytes behind it that the step wants.
 *
 * Whoever sent nothing but whole requests has one answer for each, what the journal has restores all that is in force,
 * and no descriptor is left open.
 */
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tests/fuzz/clients.h"

#define STEPS 42		/* kinds of them */
#define LONG_MS 25000		/* a client may be waited for no longer */

static int fuzz_crowd[SERVE_MAX];	/* connections that say nothing */
static unsigned fuzz_crowded;
static int64_t fuzz_skipped;		/* ms */

/* ---- the socket ---- */

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

/* As one process hands the socket to the next one, which may lack memory. */
static void fuzz_listen_on(unsigned lacks)
{
	int fd = dup(server_listener(fuzz_server)), wrong = dup(fuzz_crowded ? fuzz_crowd[0] : STDIN_FILENO), res;

	server_release(fuzz_server);
	server_unlisten(fuzz_server);
	if (server_listen_on(fuzz_server, fuzz_path, wrong, true) == 0 || close(wrong) < 0)
		fuzz_wrong("it listens on something else");
	memory_scarce(lacks, 1);
	res = server_listen_on(fuzz_server, fuzz_path, fd, true);
	if (!memory_plenty() && res < 0)
		fuzz_wrong("it does not listen on what it was handed");
	if (res < 0 && (access(fuzz_path, F_OK) < 0 || server_listen_on(fuzz_server, fuzz_path, fd, true) < 0))
		fuzz_wrong("a socket that was handed over is gone");
}

/* Something happens to the socket's file. */
static void fuzz_touch_socket(unsigned what)
{
	if (what & 1) {
		fuzz_listen_on(what >> 1);
		return;
	}
	/* Who is in the queue goes with it. */
	fuzz_may_close |= fuzz_is_queued();
	if (server_is_lost(fuzz_server) || unlink(fuzz_path) < 0)
		fuzz_wrong("the socket is lost");
	if (what & 2 && mknod(fuzz_path, S_IFREG | 0600, 0) < 0)
		fuzz_wrong(strerror(errno));
	if (!(what & 2) && !server_is_lost(fuzz_server))
		fuzz_wrong("nobody knows that the socket is lost");
	server_unlisten(fuzz_server);
	if (what & 2 && (server_listen(fuzz_server, fuzz_path, 0600, (uid_t)-1, (gid_t)-1) == 0 || errno != EEXIST ||
			 unlink(fuzz_path) < 0))
		fuzz_wrong("a file is not left alone");
	fuzz_listen();
}

/* ---- many clients, few descriptors ---- */

static void fuzz_disperse(void)
{
	while (fuzz_crowded)
		close(fuzz_crowd[--fuzz_crowded]);
}

static void fuzz_come(unsigned n)
{
	int fd[2];

	if (!n)
		fuzz_disperse();
	while (n-- && fuzz_crowded < SERVE_MAX) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) < 0)
			return;
		fuzz_look_for_places();
		fuzz_crowd[fuzz_crowded++] = fd[0];
		if (server_adopt(fuzz_server, fd[1]) < 0 || fuzz_server->n > SERVE_MAX)
			fuzz_wrong("a client is not taken, or one too many");
	}
}

/* A client comes when the last descriptor is gone: silent ones make room, or it is let in later. */
static void fuzz_lack_descriptors(struct fuzz_client *c)
{
	struct rlimit was, few;

	fuzz_join(c, true);
	getrlimit(RLIMIT_NOFILE, &was);
	few = was;
	few.rlim_cur = (rlim_t)dup(STDIN_FILENO);
	close((int)few.rlim_cur);
	setrlimit(RLIMIT_NOFILE, &few);
	fuzz_turns(2);
	setrlimit(RLIMIT_NOFILE, &was);
	fuzz_may_close = true;
}

/* ---- the end ---- */

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
	fuzz_start(&fuzz_router, NULL, fuzz_reload.in_force);
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

/* ---- steps ---- */

/* What neighbours and other programs do. */
static void fuzz_neighbour(unsigned k)
{
	struct link_event ev = { .kind = k & 1 ? LINK_MEMBERS : LINK_ADDR, .ifindex = 1 + (int)(k >> 3) % 3 };
	struct addr group;

	if (k & 2) {
		refresh_queried(&fuzz_router, k & 4 ? FAM_6 : FAM_4, ev.ifindex, 1 + k % 3);
	} else if (k & 4) {
		mrdisc_solicited(&fuzz_router, FAM_4, ev.ifindex);
	} else {
		addr_parse("225.1.1.1", 9, &group);
		fake_member(ev.ifindex, &group, k >> 6 & 1);
		router_link_event(&fuzz_router, &ev);
	}
	router_sync(&fuzz_router);
}

static void fuzz_fail(unsigned verb, unsigned error)
{
	static const char *const verbs[] = {
		"vif_add", "vif_del", "mfc_add", "mfc_del", "mfc_stats", "counts_any", "vif_stats", "join", "leave",
		"members_read", "mrdisc_send", "report_send",
	};
	static const int errors[] = { ENOMEM, ENOBUFS, EINVAL, EPERM };

	fake_fail(verbs[verb % 12], errors[error % 4], 1 + (int)(error >> 2) % 8);
}

/* As in a handover that comes to nothing. */
static void fuzz_hold(unsigned k)
{
	server_fds(fuzz_server, fuzz_see, NULL);
	if (k & 2)
		server_finish(fuzz_server, true);
	for (unsigned turns = 0; k & 4 && server_is_busy(fuzz_server) && turns < 20; turns++)
		fuzz_turns(1);
	server_hold(fuzz_server, true);
	fuzz_turns(2);
	server_hold(fuzz_server, false);
	server_finish(fuzz_server, false);
	server_end_upgrade(fuzz_server);
}

/* A packet comes in, and the kernel reports one that has no entry; or it reports what it likes. */
static void fuzz_packet(unsigned k, bool is_true)
{
	static const char *const sources[] = { "10.0.0.2", "10.0.0.1", "169.254.0.1", "0.0.0.0" };
	static const char *const groups[] = { "225.1.1.2", "225.1.1.1", "225.9.9.9", "225.2.2.2" };
	struct upcall up = { .kind = k & 128 ? UPCALL_WRONGVIF : UPCALL_NOCACHE, .vif = (int)k & 3, .fam = FAM_4 };
	const char *source = sources[(k >> 2 & 1) | (k >> 4 & 2)], *group = groups[(k >> 3 & 1) | (k >> 3 & 2)];

	addr_parse(source, strlen(source), &up.flow.source);
	addr_parse(group, strlen(group), &up.flow.group);
	if (is_true)
		fake_packet(&up.flow, up.vif);
	else
		fake_push_upcall(&up);
}

/* Lines of events, more than somebody reads. */
static void fuzz_tell(unsigned n)
{
	char text[512];

	memset(text, 'x', sizeof text);
	text[sizeof text - 2] = '\n';
	text[sizeof text - 1] = '\0';
	while (n-- && server_is_followed(fuzz_server))
		server_event(fuzz_server, text, text);
}

/* The kinds of steps that are not about what a client sends and reads. */
static void fuzz_step_daemon(struct fuzz_client *c, unsigned what, unsigned k)
{
	switch (what) {
	case 25:
		fuzz_link(&fuzz_router, 1 + (int)k % 4, k & 4);
		router_sync(&fuzz_router);
		break;
	case 26: case 27:
		fuzz_packet(k, what == 27);
		break;
	case 28:
		memory_scarce(k & 31, 1 + (k >> 5));
		fuzz_turns(1);
		fuzz_may_close |= memory_plenty();
		break;
	case 29:
		fuzz_hold(k);
		break;
	case 30:
		fuzz_reload.next = k % FUZZ_FILES;
		break;
	case 31:
		time_skip((int64_t)k * k);
		fuzz_skipped += (int64_t)k * k;
		fuzz_may_close |= fuzz_skipped > LONG_MS;
		break;
	case 32:
		fuzz_fail(k, fuzz_byte());
		break;
	case 33:
		fuzz_come(k);
		break;
	case 34:
		fuzz_lack_descriptors(c);
		break;
	case 35:
		fuzz_touch_socket(k);
		break;
	case 36:
		fuzz_neighbour(k);
		break;
	case 37:
		fuzz_tell(k * 4);
		break;
	default:
		fuzz_journal.limit = JOURNAL_PAGE + (int64_t)k * 64;
	}
}

static void fuzz_step(struct fuzz_client *c, unsigned what)
{
	unsigned k = fuzz_byte();

	if (what >= 30 && what < 39) {
		fuzz_step_daemon(c, what, k);
	} else if (what == 40) {
		fuzz_join_as(c, k);
	} else if (what < 2 || c->fd < 0) {
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
	} else if (what == 39) {
		unsigned option = fuzz_byte();

		for (unsigned i = fuzz_byte(); i-- > 0;)
			fuzz_line_of(c, k, i, option);
	} else if (what == 41) {
		wire_put_request(&c->to_send, WIRE_TAKEOVER, k & 1, (const char *const []){ "1.0" });
		c->is_pure = false;
	} else {
		fuzz_step_daemon(c, what, k);
	}
	fuzz_turns(k & 1);
}

static void fuzz_begin(void)
{
	fuzz_may_close = false;
	fuzz_skipped = 0;
	fuzz_reload = (struct fuzz_reload){ 0 };
	log_set_level(LOG_LVL_NONE);
	time_begin(LOOK_USEC);
	fake_reset();
	fake_journal_on(false);
	fuzz_loop = loop_new();
	fuzz_server = NULL;
	journal_init(&fuzz_journal, &fuzz_router);
	fuzz_start(&fuzz_router, &fuzz_ops, fuzz_reload.in_force);
	journal_begin(&fuzz_journal);
	fuzz_server = server_new(fuzz_loop, &fuzz_daemon);
	fuzz_listen();
	for (unsigned i = 0; i < CLIENTS; i++)
		fuzz_clients[i] = (struct fuzz_client){ .fd = -1 };
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint64_t open = fuzz_descriptors();

	fuzz_at = p;
	fuzz_end = p + n;
	fuzz_begin();
	while (fuzz_at < fuzz_end) {
		unsigned step = fuzz_byte();

		fuzz_step(&fuzz_clients[step % CLIENTS], step / CLIENTS % STEPS);
	}
	fuzz_disperse();
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
	if (fuzz_descriptors() != open)
		fuzz_wrong("a descriptor is left open");
	return 0;
}
