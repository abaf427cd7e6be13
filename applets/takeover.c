/* SPDX-License-Identifier: ISC */
#include "applets/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "applets/applet.h"
#include "applets/handover.h"
#include "applets/reload.h"
#include "applets/store.h"
#include "applets/successor.h"
#include "lib/fd.h"
#include "lib/notify.h"
#include "lib/number.h"
#include "lib/proc.h"
#include "lib/usock.h"
#include "lib/wire.h"

#define TAKEOVER_SILENCE_MS 10000	/* of the old one, before it is given up */
#define TAKEOVER_DEATH_MS 10000		/* for one that has closed to be gone: routing sockets take a while */
#define TAKEOVER_WORD_MS 1000		/* between two words of ours */

bool takeover_is_child(void)
{
	return getenv(SUCCESSOR_CONNECTION) || getenv(SUCCESSOR_FDS);
}

/* The descriptor of a number in the environment, which is taken out of it; -1 when there is none. */
static int takeover_fd_of(const char *text)
{
	int64_t fd = text ? number_parse(text, INT32_MAX) : -1;

	return fd > STDERR_FILENO && fcntl((int)fd, F_SETFD, FD_CLOEXEC) == 0 ? (int)fd : -1;
}

/* Takes what a program that ran in this process has left. */
static void takeover_take_environment(struct daemon *d)
{
	char *text = getenv(SUCCESSOR_FDS), *copy = text ? strdup(text) : NULL, *rest = NULL;

	for (char *s = copy ? strtok_r(copy, " ", &rest) : NULL; s; s = strtok_r(NULL, " ", &rest)) {
		char *number = strchr(s, '=');
		int fd = number ? takeover_fd_of(number + 1) : -1;

		if (fd < 0)
			continue;
		*number = '\0';
		handover_add(&d->handed, s, fd);
	}
	free(copy);
	unsetenv(SUCCESSOR_FDS);
	d->hands_over = d->takeover.is_in_place = text;
}

/* ---- asking ---- */

/* Waits for a word of the old one: 0, or an exit status.  Once "done" is said it may be gone already, so that SIGTERM
 * is for the daemon that we are then. */
static int takeover_wait(struct daemon *d)
{
	struct takeover *t = &d->takeover;
	int ready = talk_wait(&t->talk, t->is_done ? NULL : d->loop, POLLIN, TAKEOVER_SILENCE_MS);

	if (ready < 0) {
		d->stopping = true;
		return -1;
	}
	if (!ready) {
		log_err("takeover: the running daemon has said nothing for %d s", TAKEOVER_SILENCE_MS / 1000);
		return EXIT_BUSY;
	}
	talk_receive(&t->talk);
	return 0;
}

/* Whether the daemon that closed without a word has ended, and not just no use for us; one that ends closes what it has
 * one by one. */
static bool takeover_has_died(const struct daemon *d)
{
	/* Less and less often: SMCRoute, which lives on, serves one client at a time. */
	for (int ms = 10, left = TAKEOVER_DEATH_MS; left > 0; left -= ms, ms += ms / 2) {
		int fd = usock_connect(d->set->socket);

		if (fd < 0)
			return errno == ECONNREFUSED || errno == ENOENT;
		close(fd);
		poll(NULL, 0, ms);
	}
	return false;
}

/* Reads the reply to our request, that of a command: 0 when we may go on, or an exit status. */
static int takeover_hear_reply(struct daemon *d)
{
	struct talk *t = &d->takeover.talk;
	struct wire_record rec;
	enum wire_result res;
	int status;

	for (;;) {
		res = t->in.p ? wire_record(t->in.p + t->at, t->in.len - t->at, &rec) : WIRE_MORE;
		if (res == WIRE_OK) {
			t->at += rec.size;
			if (rec.type == WIRE_ERROR)
				log_err("takeover: %.*s", (int)rec.len, rec.text);
			if (rec.type == WIRE_END)
				return (unsigned char)*rec.text;
			continue;
		}
		if (res == WIRE_BAD || t->is_eof)
			break;
		if ((status = takeover_wait(d)))
			return status;
	}
	/* What comes next sees the end of the conversation, too. */
	if (t->is_eof && !t->in.len && takeover_has_died(d))
		return 0;
	log_err("takeover: the daemon at %s (pid %d) knows no takeover, as it is SMCRoute or an older one; nothing was "
		"changed.  Stop it, and start this one without -T", d->set->socket, (int)usock_peer_pid(t->fd));
	return EXIT_BUSY;
}

static int takeover_ask(struct daemon *d)
{
	const char *version = applet_number();
	struct buf req = { 0 };
	ssize_t sent = -1;

	if (wire_put_request(&req, WIRE_TAKEOVER, 1, &version))
		sent = send(d->takeover.talk.fd, req.p, req.len, MSG_NOSIGNAL);
	buf_free(&req);
	if (sent > 0)
		return takeover_hear_reply(d);
	log_errno("takeover: %s", d->set->socket);
	return EXIT_BUSY;
}

/* Keeps what a line brings: 1 at "go", 0 to read on, or an exit status. */
static int takeover_take_line(struct daemon *d, const char *line)
{
	struct takeover *t = &d->takeover;
	int fd;

	if (!strncmp(line, "no ", 3)) {
		log_err("takeover: called off by the running daemon: %s", line + 3);
		return EXIT_BUSY;
	}
	if (!strcmp(line, "go"))
		return 1;
	if (strncmp(line, "fd ", 3) || (fd = talk_take_fd(&t->talk)) < 0)
		return 0;
	if (handover_add(&d->handed, line + 3, fd) == 0)
		return 0;
	log_err("takeover: out of memory");
	return EXIT_SYSTEM;
}

/* The old one has ended without a word: we are the daemon now. */
static void takeover_be_alone(struct daemon *d)
{
	log_notice("takeover: the running daemon has ended, this one goes on alone");
	d->takeover.is_open = false;
	notify_mute(false);
}

/* Takes what is sent until "go": 0, or an exit status.  0 too when the old one has ended: then we are alone, with what
 * came. */
static int takeover_hear_bundle(struct daemon *d)
{
	struct takeover *t = &d->takeover;
	const char *line;
	int res;

	t->is_open = d->hands_over = true;
	/* It is the other one that is meant. */
	notify_mute(true);
	for (;;) {
		if (t->talk.is_cut) {
			log_err("takeover: not all sockets of the running daemon came over, for want of memory or of "
				"descriptors: raise the limit of open files (ulimit -n)");
			return EXIT_SYSTEM;
		}
		while ((line = talk_line(&t->talk)))
			if ((res = takeover_take_line(d, line)))
				return res == 1 ? handover_check_table(&d->handed, d->set->table) : res;
		if (t->talk.is_eof) {
			takeover_be_alone(d);
			return 0;
		}
		if ((res = takeover_wait(d)))
			return res;
	}
}

/* Sorts out what is no socket of the kernel room, which only a running daemon hands over. */
static void takeover_sort(struct daemon *d)
{
	static const char *const others[] = { SERVER_CLIENT, SERVER_MONITOR, SERVER_MONITOR_JSON };
	struct takeover *t = &d->takeover;
	int fd;

	t->control = handover_take(&d->handed, "control");
	t->pidfile = handover_take(&d->handed, "pidfile");
	t->err = handover_take(&d->handed, "stderr");
	t->upgrade = handover_take(&d->handed, SERVER_UPGRADE);
	for (unsigned i = 0; i < sizeof others / sizeof *others; i++)
		while ((fd = handover_take(&d->handed, others[i])) >= 0)
			handover_add(&t->clients, others[i], fd);
	for (uint32_t i = 0; i < d->handed.n; i++)
		buf_add(&t->names, d->handed.v[i].name, strlen(d->handed.v[i].name) + 1);
}

/* Connects to the running daemon: 0, also when there is none and talk.fd stays -1; or an exit status. */
static int takeover_connect(struct daemon *d)
{
	struct takeover *t = &d->takeover;

	t->talk.fd = takeover_fd_of(getenv(SUCCESSOR_CONNECTION));
	unsetenv(SUCCESSOR_CONNECTION);
	if (t->talk.fd >= 0)
		return 0;
	t->talk.fd = usock_connect(d->set->socket);
	if (t->talk.fd >= 0 && usock_peer_is_elsewhere(t->talk.fd)) {
		log_err("takeover: the daemon at %s is in another network namespace; give this one a name by -i",
			d->set->socket);
		return EXIT_BUSY;
	}
	t->is_reached = t->talk.fd >= 0;
	if (t->is_reached)
		return 0;
	if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) {
		log_notice("takeover: nobody runs at %s, this is a start as always", d->set->socket);
		return 0;
	}
	if (errno == EACCES || errno == EPERM) {
		log_err("takeover: %s: not permitted: run it as root or as the user of the daemon", d->set->socket);
		return EXIT_DENIED;
	}
	log_errno("takeover: %s", d->set->socket);
	return EXIT_BUSY;
}

static void takeover_on_word(void *ctx)
{
	struct daemon *d = ctx;

	if (takeover_step(d, "it waits for memberships to be joined"))
		loop_stop(d->loop, 0);
	else if (d->takeover.is_open)
		timer_set(d->loop, &d->takeover.word, TAKEOVER_WORD_MS);
}

int takeover_begin(struct daemon *d)
{
	struct takeover *t = &d->takeover;
	int status;

	*t = (struct takeover){ .talk.fd = -1, .control = -1, .pidfile = -1, .err = -1, .upgrade = -1 };
	t->word = (struct timer){ .fn = takeover_on_word, .ctx = d };
	takeover_take_environment(d);
	if (d->set->takes_over) {
		if ((status = takeover_connect(d)))
			return status;
		if (t->talk.fd >= 0) {
			proc_raise_descriptors();
			if ((status = reload_prepare(d)) || (status = takeover_ask(d)) ||
			    (status = takeover_hear_bundle(d)))
				return status;
			timer_set(d->loop, &t->word, TAKEOVER_WORD_MS);
		}
	}
	if (d->hands_over)
		takeover_sort(d);
	return 0;
}

/* ---- at work ---- */

int takeover_step(struct daemon *d, const char *what)
{
	struct takeover *t = &d->takeover;
	const char *line;
	char text[64];

	if (!t->is_open || t->status)
		return t->status;
	if (loop_is_told_to_end(d->loop)) {
		d->stopping = true;
		return t->status = -1;
	}
	snprintf(text, sizeof text, "step %s\n", what);
	talk_send(&t->talk, text, NULL, 0);
	talk_receive(&t->talk);
	while ((line = talk_line(&t->talk)) && !t->status)
		if (takeover_take_line(d, line) > 1)
			t->status = EXIT_BUSY;
	if (!t->status && t->talk.is_eof)
		takeover_be_alone(d);
	return t->status;
}

void takeover_adopting(void *ctx)
{
	takeover_step(ctx, "it read the routes");
}

/* ---- at the end ---- */

/* Says that we are ready, and waits until the old one knows: 0, or an exit status. */
static int takeover_say_done(struct daemon *d)
{
	struct takeover *t = &d->takeover;
	const char *line;
	char text[64];
	int status = takeover_step(d, "it is ready");

	if (status || !t->is_open)
		return status;
	snprintf(text, sizeof text, "done%s%s\n", t->has_control ? " control" : "", t->has_pidfile ? " pidfile" : "");
	talk_send(&t->talk, text, NULL, 0);
	t->is_done = true;
	while (t->is_open) {
		while (t->is_open && (line = talk_line(&t->talk))) {
			if (!strncmp(line, "no ", 3))
				return takeover_take_line(d, line);
			if (!strcmp(line, "bye"))
				t->is_open = false;
		}
		if (t->talk.is_eof)
			t->is_open = false;
		if (t->is_open && (status = takeover_wait(d)))
			return status;
	}
	return 0;
}

/* Answers the client that had the program before this one run it in its place. */
static void takeover_answer(struct daemon *d)
{
	struct takeover *t = &d->takeover;
	char text[128], status = 0;
	struct buf b = { 0 };

	snprintf(text, sizeof text, "upgraded to %s, pid %d as before\n", applet_number(), (int)getpid());
	wire_put_record(&b, WIRE_ROW, text, strlen(text));
	wire_put_record(&b, WIRE_END, &status, 1);
	if (t->upgrade >= 0 && !b.failed)
		(void)!send(t->upgrade, b.p, b.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&b);
}

int takeover_finish(struct daemon *d)
{
	struct takeover *t = &d->takeover;
	bool is_taken = t->is_open;
	int status = takeover_say_done(d);

	if (status)
		return status;
	pidfile_settle(&d->pidfile);
	notify_mute(false);
	if (t->names.len)
		store_all(d);
	for (const char *s = t->names.p; s && s < t->names.p + t->names.len; s += strlen(s) + 1)
		store_forget(d, s);
	if (is_taken)
		log_notice("took over from the daemon that ran before");
	if (t->err >= 0)
		dup2(t->err, STDERR_FILENO);
	for (uint32_t i = 0; i < t->clients.n; i++) {
		server_adopt_as(d->control, t->clients.v[i].name, t->clients.v[i].fd);
		t->clients.v[i].fd = -1;
	}
	takeover_answer(d);
	server_hold(d->control, false);
	takeover_end(d);
	return 0;
}

void takeover_end(struct daemon *d)
{
	struct takeover *t = &d->takeover;
	int *const fds[] = { &t->control, &t->pidfile, &t->err, &t->upgrade };

	for (unsigned i = 0; i < sizeof fds / sizeof *fds; i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
	timer_stop(d->loop, &t->word);
	handover_free(&t->clients);
	buf_free(&t->names);
	talk_end(&t->talk);
}
