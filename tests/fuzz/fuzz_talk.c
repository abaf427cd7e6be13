/* SPDX-License-Identifier: ISC
 *
 * What goes to other processes: the conversation of two daemons, lines that bring descriptors, cut anywhere, ended at
 * any time, and read without memory or without room for descriptors; and messages to the init system, whose socket is
 * any word of the environment, does not read, or goes.  Each byte is a step, with bytes behind it that the step wants.
 *
 * A naive reader knows which lines and descriptors are to come: as they were sent, each once and in order, or none any
 * more.  No descriptor is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/memfile.h"
#include "tests/fake/memory.h"
#include "tests/fuzz/input.h"

static int fuzz_poll(struct pollfd *p, int ms);
static int fuzz_hurry(int fd, const void *patience);
static int64_t fuzz_clock;

#define setsockopt(fd, level, name, value, size) fuzz_hurry(fd, value)
#include "lib/notify.c"
#undef setsockopt
#define poll(p, n, ms) fuzz_poll(p, ms)
#define clock_ms() fuzz_clock
#include "lib/talk.c"
#undef poll
#undef clock_ms

#define FILES 3
#define STEPS 200
#define WAITING 600		/* descriptors on their way */

/* One direction of the conversation, and who is at its end. */
static struct way {
	struct talk to;
	struct buf lines;	/* sent, and not read yet */
	unsigned first, n;	/* descriptors that go with them, a ring */
	uint8_t files[WAITING];
	bool is_lost;		/* what comes now cannot be known */
	bool is_closed;		/* by the one that sends */
} fuzz_ways[2];

static int fuzz_files[FILES], fuzz_inbox;
static char fuzz_inbox_name[64];
static bool fuzz_is_heard, fuzz_is_mute;

static int fuzz_poll(struct pollfd *p, int ms)
{
	int ready = poll(p, 1, 0);

	fuzz_clock += ready ? 0 : ms;
	return ready;
}

/* Nobody waits here. */
static int fuzz_hurry(int fd, const void *patience)
{
	struct timeval most;

	memcpy(&most, patience, sizeof most);
	if (most.tv_sec > 2 || (!most.tv_sec && !most.tv_usec))
		fuzz_wrong("it waits for too long");
	return fcntl(fd, F_SETFL, O_NONBLOCK);
}

static ino_t fuzz_ino(int fd)
{
	struct stat st = { 0 };

	return fstat(fd, &st) < 0 ? 0 : st.st_ino;
}

/* ---- the conversation ---- */

/* Appends a line; those that begin with F bring a descriptor. */
static void fuzz_add_line(struct buf *text, bool brings, unsigned k)
{
	size_t n = k % 16, left = (size_t)(fuzz_end - fuzz_at);

	n = n < left ? n : left;
	buf_chr(text, brings ? 'F' : 'L');
	for (size_t i = 0; i < n; i++)
		buf_chr(text, fuzz_at[i] == '\n' || !fuzz_at[i] ? '.' : (char)fuzz_at[i]);
	/* One that is too long. */
	if (k >= 250)
		buf_fill(text, 'x', 1024);
	buf_chr(text, '\n');
	fuzz_at += n;
}

static void fuzz_send_text(struct way *w, const char *text, size_t n)
{
	ssize_t sent = send(fuzz_ways[w == fuzz_ways].to.fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (sent > 0)
		buf_add(&w->lines, text, (size_t)sent);
	w->is_lost |= sent < (ssize_t)n;
}

static void fuzz_send(struct way *w, unsigned k)
{
	struct talk from = { .fd = fuzz_ways[w == fuzz_ways].to.fd };
	unsigned lines = k >= 248 ? TALK_FDS : 1 + k % 4, fds = 0, r;
	struct buf text = { 0 };
	int fd[TALK_FDS];
	uint8_t files[TALK_FDS];

	/* What a stranger has begun is a line of its own. */
	if (w->lines.len && w->lines.p[w->lines.len - 1] != '\n')
		fuzz_send_text(w, "\n", 1);
	for (unsigned i = 0; i < lines; i++) {
		bool brings = k >= 248 || k >> i & 8;

		if (brings) {
			files[fds] = (uint8_t)((k + i) % FILES);
			fd[fds] = fuzz_files[files[fds]];
			fds++;
		}
		fuzz_add_line(&text, brings, k >= 248 ? 0 : fuzz_byte());
	}
	r = talk_send(&from, buf_cstr(&text), fd, fds) == 0;
	if (!r && errno != EAGAIN && errno != EPIPE && errno != EBADF && errno != EMSGSIZE && errno != ETOOMANYREFS)
		fuzz_wrong(strerror(errno));
	w->is_lost |= !r && errno == EMSGSIZE;
	if (r && w->n + fds > WAITING)
		w->is_lost = true;
	for (unsigned i = 0; r && i < fds && !w->is_lost; i++)
		w->files[(w->first + w->n++) % WAITING] = files[i];
	if (r)
		buf_add(&w->lines, text.p, text.len);
	buf_free(&text);
}

/* Bytes of a stranger, or a part of a line. */
static void fuzz_send_bytes(struct way *w, unsigned k)
{
	size_t left = (size_t)(fuzz_end - fuzz_at), n = k % 32 < left ? k % 32 : left;
	char bytes[32];

	for (size_t i = 0; i < n; i++)
		/* Without what would bring a descriptor, or a NUL, which no line has. */
		bytes[i] = fuzz_at[i] == 'F' || !fuzz_at[i] ? '\n' : (char)fuzz_at[i];
	fuzz_send_text(w, bytes, n);
	fuzz_at += n;
}

/* What the next line that brings a descriptor brings. */
static int fuzz_next_file(const struct way *w)
{
	return fuzz_files[w->files[w->first % WAITING]];
}

/* Each line is the next one that was sent, with its descriptor. */
static void fuzz_read_lines(struct way *w)
{
	const char *line;

	while ((line = talk_line(&w->to))) {
		size_t n = strlen(line);
		int fd = *line == 'F' ? talk_take_fd(&w->to) : -1;

		if (!w->is_lost) {
			if (w->lines.len <= n || memcmp(w->lines.p, line, n) || w->lines.p[n] != '\n')
				fuzz_wrong("another line was sent");
			buf_consume(&w->lines, n + 1);
			if (*line == 'F' && (!w->n || fuzz_ino(fd) != fuzz_ino(fuzz_next_file(w))))
				fuzz_wrong("another descriptor was sent");
			if (fd >= 0 && !(fcntl(fd, F_GETFD) & FD_CLOEXEC))
				fuzz_wrong("programs get it");
			w->first += fd >= 0;
			w->n -= fd >= 0;
		}
		if (fd >= 0)
			close(fd);
	}
}

static void fuzz_receive(struct way *w, unsigned k)
{
	struct rlimit limit, none;
	bool is_scarce = k % 16 == 1, has_no_room = k % 16 == 2, was_eof = w->to.is_eof;
	bool is_something;

	getrlimit(RLIMIT_NOFILE, &limit);
	none = limit;
	none.rlim_cur = 0;
	memory_scarce(k / 16 % 2, is_scarce ? 1 : 0);
	if (has_no_room)
		setrlimit(RLIMIT_NOFILE, &none);
	is_something = talk_receive(&w->to);
	setrlimit(RLIMIT_NOFILE, &limit);
	is_scarce = memory_plenty();
	if (w->to.is_cut && !was_eof && !is_scarce && !has_no_room)
		fuzz_wrong("it is said to be cut");
	if (!is_something && w->is_closed && !w->to.is_eof)
		fuzz_wrong("the end is not seen");
	w->is_lost |= is_scarce || w->to.is_cut;
	fuzz_read_lines(w);
	/* A line that is too long ends it, and so does he who sends. */
	if (!was_eof && w->to.is_eof && !w->is_lost && !w->is_closed && w->to.in.len - w->to.at <= TALK_LINE)
		fuzz_wrong("it is at an end");
	if (w->to.is_eof && !w->is_lost && w->is_closed && w->lines.len != w->to.in.len - w->to.at)
		fuzz_wrong("something is left when it is at an end");
}

/* ---- the init system ---- */

/* A word of the environment, and the number that is read in it. */
static int64_t fuzz_number(const char *name, unsigned k)
{
	static const struct {
		const char *word;
		int64_t value;
	} words[] = {
		{ NULL, 0 }, { "0", 0 }, { "15", 15 }, { "-1", -1 }, { "x", -1 }, { "", -1 }, { "7 ", -1 },
		{ "99999999999999999999", -1 },
	};

	if (words[k % 8].word)
		setenv(name, words[k % 8].word, 1);
	else
		unsetenv(name);
	return words[k % 8].value;
}

static void fuzz_init(unsigned k)
{
	static char longest[200];
	static const char *const names[] = { "", "x", "@", "/", "vsock:2:1", longest, NULL };
	const char *name = k % 16 < 7 ? names[k % 16] : fuzz_inbox_name;
	unsigned numbers = fuzz_byte();
	int64_t store = fuzz_number("FDSTORE", k / 16), usec = fuzz_number("WATCHDOG_USEC", numbers);
	int64_t pid = fuzz_number("WATCHDOG_PID", numbers / 8);

	memset(longest, '/', sizeof longest - 1);
	if (name)
		setenv("NOTIFY_SOCKET", name, 1);
	else
		unsetenv("NOTIFY_SOCKET");
	notify_init();
	fuzz_is_heard = name == fuzz_inbox_name;
	if (getenv("NOTIFY_SOCKET") || getenv("FDSTORE") || getenv("WATCHDOG_USEC") || getenv("WATCHDOG_PID"))
		fuzz_wrong("it stays in the environment");
	if (notify_is_heard() != fuzz_is_heard || !notify_socket() != !fuzz_is_heard ||
	    (fuzz_is_heard && strcmp(notify_socket(), name)))
		fuzz_wrong("an address that is none is taken, or a good one is not");
	if (notify_store_size() != store || notify_has_store() != (fuzz_is_heard && store > 0))
		fuzz_wrong("it has another store");
	if (notify_watchdog_usec() != (uint64_t)(usec < 0 || (pid && pid != getpid()) ? 0 : usec))
		fuzz_wrong("it has another watchdog");
}

/* What is in the socket, which has room for some messages: the last one must be this. */
static unsigned fuzz_read_inbox(const char *want, int fd)
{
	struct usock_beside beside;
	char text[2048];
	unsigned got = 0;
	ssize_t n;

	for (; (n = usock_receive(fuzz_inbox, text, sizeof text - 1, &beside)) >= 0; got++) {
		text[n] = '\0';
		if (beside.pid != getpid() || beside.n != (fd >= 0))
			fuzz_wrong("somebody else has sent it, or something else");
		if (want && (strncmp(text, want, 1023) || (size_t)n != strnlen(want, 1023)))
			fuzz_wrong("it says something else");
		if (beside.n && fuzz_ino(beside.fds[0]) != fuzz_ino(fd))
			fuzz_wrong("another descriptor came");
		while (beside.n)
			close(beside.fds[--beside.n]);
	}
	return got;
}

static void fuzz_wait(struct way *w, unsigned k)
{
	int64_t begin = fuzz_clock;
	int r = talk_wait(&w->to, NULL, k & 1 ? POLLIN : POLLOUT, (int)k * 4);

	if (r < 0 || (r == 0 && fuzz_clock < begin + (int)k * 4) || fuzz_clock > begin + (int)k * 4 + TALK_POLL_MS)
		fuzz_wrong("it waits too long, or not long enough");
	if ((fuzz_read_inbox("WATCHDOG=1", -1) != 0) != (fuzz_is_heard && !fuzz_is_mute && notify_watchdog_usec()))
		fuzz_wrong("the watchdog is not kept quiet");
}

static void fuzz_notify(unsigned k)
{
	static const char *const words[] = { "READY=1", "MAINPID=%d", "STATUS=x", "" };
	unsigned times = k & 8 ? 30 : 1, got, fills = k / 32 * 200;
	int fd = k & 4 ? fuzz_files[k / 8 % FILES] : -1, r = 0;
	char text[2048];
	size_t n = (size_t)snprintf(text, sizeof text, "%s", words[k % 4]);

	memset(text + n, 'y', fills);
	text[n + fills] = '\0';
	for (unsigned i = 0; i < times; i++) {
		if (fd >= 0)
			r |= notify_send_fd(fd, "%s", text);
		else
			notify_send("%s", text);
	}
	got = fuzz_read_inbox(text, fd);
	if (got > times || (got != 0) != (fuzz_is_heard && !fuzz_is_mute) || (r && got == times))
		fuzz_wrong("a message was sent to nobody, or lost");
	/* Who was behind is told again, now that there is room. */
	notify_send("READY=1");
	if (fuzz_read_inbox("READY=1", -1) != (fuzz_is_heard && !fuzz_is_mute))
		fuzz_wrong("nobody says that we are ready");
}

static void fuzz_reload(void)
{
	notify_reloading();
	if (fuzz_read_inbox(NULL, -1) != (fuzz_is_heard && !fuzz_is_mute))
		fuzz_wrong("nobody says that we reload");
}

static void fuzz_do_notify(unsigned k)
{
	if (k % 8 == 7)
		fuzz_init(fuzz_byte());
	else if (k == 6)
		notify_mute(fuzz_is_mute = k & 64);
	else if (k == 70)
		notify_mute(fuzz_is_mute = !fuzz_is_mute);
	else if (k % 8 == 5)
		fuzz_reload();
	else if (k != 14)
		fuzz_notify(fuzz_byte());
	if (k != 14)
		return;
	notify_leave();
	fuzz_is_heard = false;
}

/* ---- beginning and end ---- */

static void fuzz_close(struct way *w)
{
	struct way *other = &fuzz_ways[w == fuzz_ways];

	/* Who closes neither sends nor reads any more. */
	talk_end(&w->to);
	other->is_closed = true;
	w->is_lost = true;
	if (talk_line(&w->to) || talk_take_fd(&w->to) >= 0)
		fuzz_wrong("something comes after the end");
}

static void fuzz_step(void)
{
	unsigned step = fuzz_byte(), k = fuzz_byte();
	struct way *w = &fuzz_ways[step & 1];

	switch (step / 2 % 16) {
	case 0: case 1: case 2: fuzz_send(w, k); break;
	case 3: fuzz_send_bytes(w, k); break;
	case 4: case 5: case 6: case 7: fuzz_receive(w, k); break;
	case 8: fuzz_wait(w, k); break;
	case 9: if (k % 4 == 0) fuzz_close(w); break;
	default: fuzz_do_notify(k);
	}
}

static void fuzz_begin(void)
{
	if (*fuzz_inbox_name)
		return;
	for (int k = 0; k < FILES; k++)
		fuzz_files[k] = memfile_new("fuzz");
	fuzz_inbox = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (usock_name(fuzz_inbox, fuzz_inbox_name, sizeof fuzz_inbox_name) < 0 || usock_ask_sender(fuzz_inbox) < 0)
		fuzz_wrong(strerror(errno));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint64_t open;
	int fd[2];

	fuzz_begin();
	open = fuzz_descriptors();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) < 0)
		fuzz_wrong(strerror(errno));
	fuzz_at = p;
	fuzz_end = p + n;
	fuzz_clock = 1000;
	for (int k = 0; k < 2; k++)
		fuzz_ways[k] = (struct way){ .to = { .fd = fd[k] } };
	fuzz_is_mute = fuzz_is_heard = false;
	notify_mute(false);
	unsetenv("NOTIFY_SOCKET");
	notify_init();
	notify_in_vain = 0;
	for (unsigned steps = 0; fuzz_at < fuzz_end && steps < STEPS; steps++)
		fuzz_step();
	for (struct way *w = fuzz_ways; w < fuzz_ways + 2; w++) {
		talk_end(&w->to);
		buf_free(&w->lines);
	}
	if (fuzz_descriptors() != open)
		fuzz_wrong("a descriptor stays open");
	return 0;
}
