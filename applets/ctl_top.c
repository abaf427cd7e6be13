/* SPDX-License-Identifier: ISC
 *
 * The loop of `top`: ask for the routes, show what went through since the last answer, wait.  ctl_sample.c has the
 * numbers.  On a terminal keys are taken one by one and without an echo; however the loop ends, the terminal gets its
 * settings back.
 */
#include "applets/ctl_top.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/ctl_sample.h"
#include "lib/clock.h"
#include "lib/number.h"

#define INTERVAL_SEC 2
#define INTERVAL_MAX 86400
#define CTRL_C 3		/* as a byte, while the terminal makes no signal of it */

struct top {
	int fd;				/* of the daemon */
	bool json;
	int64_t interval;		/* ms */
	struct ctl_printer *printer;
	bool is_screen;			/* a terminal that is drawn anew */
	struct sample now, before;
	bool is_over;
};

static volatile sig_atomic_t top_was_ended;

static void top_on_signal(int sig)
{
	(void)sig;
	top_was_ended = 1;
}

/* Asks for the routes: 0 and t->now is the answer, or the exit status. */
static int top_ask(struct top *t)
{
	const struct ctl_options options = { .detail = 2 };
	struct buf records = { 0 };
	struct ctl_printer silent = { .records = &records };
	struct ctl_words words = { .n = 0 };
	struct sample earlier = t->before;
	int status;

	ctl_words_add(&words, "show");
	ctl_words_add(&words, "routes");
	ctl_words_check(&words);
	status = ctl_conversation_run(t->fd, &options, &silent, &words);
	if (status == CTL_NOT_OURS)
		status = applet_fail(EXIT_BUSY, "top: this is no smcrouted of ours, it has no such counters");
	t->before = t->now;
	t->now = earlier;
	if (!status && !ctl_sample_take(&t->now, &records, clock_ms()))
		status = applet_fail(EXIT_SYSTEM, "out of memory");
	buf_free(&records);
	if (!status)
		ctl_sample_compare(&t->now, &t->before);
	return status;
}

/* Prints a table as `show` does. */
static void top_print_table(struct top *t, const char *title, size_t title_len, const char *table)
{
	const char *end = strchr(table, '\n');
	struct wire_record records[] = {
		{ .type = WIRE_TITLE, .text = title, .len = title_len },
		{ .type = WIRE_HEAD, .text = table, .len = end ? (size_t)(end - table) : 0 },
		{ .type = WIRE_ROW, .text = end ? end + 1 : "", .len = end ? strlen(end + 1) : 0 },
	};

	for (unsigned i = 0; i < sizeof records / sizeof *records; i++)
		ctl_print_record(t->printer, &records[i], 0);
}

static void top_show(struct top *t)
{
	int64_t usec = clock_usec(CLOCK_REALTIME);
	char wall[CLOCK_WALL_SIZE];
	struct buf out = { 0 };

	if (t->json) {
		ctl_sample_json(&t->now, usec, &out);
		fwrite(out.p, 1, out.len, stdout);
		buf_free(&out);
		return;
	}
	buf_printf(&out, "%.19s  %" PRIu32 " flow%s  %" PRIu64 " packets/s  %" PRIu64 " bits/s",
		   clock_wall_text(usec, wall), t->now.n, t->now.n == 1 ? "" : "s", t->now.packet_rate,
		   t->now.bit_rate);

	size_t title = out.len;

	if (t->is_screen) {
		ctl_print_measure(t->printer);
		buf_chr(&out, '\n');
		ctl_sample_table(&t->now, (uint32_t)t->printer->height, &out);
		ctl_print_screen(t->printer, out.p, out.len);
	} else {
		struct buf table = { 0 };

		ctl_sample_table(&t->now, UINT32_MAX, &table);
		top_print_table(t, out.p, title, buf_cstr(&table));
		buf_free(&table);
	}
	buf_free(&out);
}

/* Takes keys: true when one of them ends it. */
static bool top_take_keys(void)
{
	char keys[64];
	ssize_t n = read(STDIN_FILENO, keys, sizeof keys);

	/* The terminal has gone. */
	if (n <= 0)
		return n == 0 || errno != EINTR;
	return memchr(keys, 'q', (size_t)n) || memchr(keys, 'Q', (size_t)n) || memchr(keys, CTRL_C, (size_t)n);
}

/* Waits until a time, in ms of clock_ms(), or until somebody leaves: 0, or the exit status. */
static int top_wait(struct top *t, int64_t until)
{
	struct pollfd p[3] = {
		{ .fd = t->fd, .events = POLLIN },
		{ .fd = t->is_screen ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = STDOUT_FILENO },	/* tells when its reader leaves */
	};

	while (!t->is_over && !top_was_ended) {
		int64_t left = until - clock_ms();
		int ready = left > 0 ? poll(p, 3, (int)left) : 0;

		if (!ready)
			return 0;
		if (ready < 0)
			continue;
		/* It has nothing to say by itself. */
		if (p[0].revents)
			return applet_fail(EXIT_BUSY, "the daemon has closed the connection");
		t->is_over = p[2].revents || (p[1].revents && top_take_keys());
	}
	return 0;
}

/* Shows flows until it is over: the exit status. */
static int top_loop(struct top *t)
{
	bool is_endless = t->is_screen || t->json;
	int status = top_ask(t);
	int64_t next = clock_ms();

	if (!status && t->is_screen) {
		fputs("\033[2J", stdout);
		top_show(t);
	}
	while (!status && !t->is_over && !top_was_ended) {
		status = ctl_print_flush(t->printer);
		next += t->interval;
		if (status || t->printer->is_deaf)
			break;
		status = top_wait(t, next);
		if (status || t->is_over || top_was_ended)
			break;
		status = top_ask(t);
		if (!status)
			top_show(t);
		t->is_over = !is_endless;
	}
	return status;
}

/* Has keys come one by one and without an echo, Ctrl-C too; false when that is no terminal. */
static bool top_take_terminal(struct termios *before)
{
	struct sigaction sa = { .sa_handler = top_on_signal };
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, before) < 0)
		return false;
	for (unsigned i = 0; i < 3; i++)
		sigaction((const int[]){ SIGINT, SIGTERM, SIGHUP }[i], &sa, NULL);
	raw = *before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

int ctl_top_run(const struct ctl_place *place, const struct ctl_options *options, struct ctl_printer *printer,
		const char *interval)
{
	struct top t = { .json = options->json, .printer = printer };
	int64_t sec = interval ? number_parse(interval, INTERVAL_MAX) : INTERVAL_SEC;
	struct termios before;
	int status;

	if (sec < 1)
		return applet_fail(EXIT_USAGE, "top %s: not a number of seconds from 1 to %d", interval, INTERVAL_MAX);
	t.interval = sec * 1000;
	t.fd = ctl_connection_open(place);
	if (t.fd < 0)
		return -t.fd;
	t.is_screen = !t.json && printer->is_terminal && !printer->is_dumb && top_take_terminal(&before);
	status = top_loop(&t);
	if (t.is_screen) {
		fflush(stdout);
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	}
	ctl_sample_free(&t.now);
	ctl_sample_free(&t.before);
	return status;
}
