/* SPDX-License-Identifier: ISC
 *
 * The messages of the process that is kept.
 */
#include "applets/keep.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/notify.h"
#include "lib/number.h"
#include "lib/usock.h"

/* Bytes of a message; a longer one is of no use. */
#define KEEP_TEXT 1024

#define KEEP_SICK_MS 100

/* One message. */
struct keep_message {
	char text[KEEP_TEXT + 1];
	struct usock_beside beside;
	bool is_whole;
};

int keep_open(struct keep *k)
{
	k->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return k->fd < 0 || usock_ask_sender(k->fd) < 0 ? -1 : usock_name(k->fd, k->address, sizeof k->address);
}

unsigned keep_drop(struct keep *k, const char *name)
{
	unsigned n = k->store.n;
	int fd;

	if (!name)
		handover_free(&k->store);
	while (name && (fd = handover_take(&k->store, name)) >= 0)
		close(fd);
	return n - k->store.n;
}

/* What stands behind "key=" in a message, up to a newline or the end; NULL when it has no such line. */
static char *keep_find(char *text, const char *key)
{
	size_t len = strlen(key);

	for (char *line = text; line;) {
		if (!strncmp(line, key, len) && line[len] == '=')
			return line + len + 1;
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return NULL;
}

/* True when a message has that line, its value being 1. */
static bool keep_says(char *text, const char *key)
{
	const char *value = keep_find(text, key);

	return value && *value == '1' && (!value[1] || value[1] == '\n');
}

/* Copies the name that a message gives its descriptors: false when it is none.  As systemd has it (fdname_is_valid). */
static bool keep_take_name(char *text, char name[HANDOVER_NAME])
{
	const char *value = keep_find(text, "FDNAME");
	size_t len = value ? strcspn(value, "\n") : 0;

	snprintf(name, HANDOVER_NAME, "%.*s", value ? (int)len : 6, value ? value : "stored");
	if (len >= HANDOVER_NAME)
		return false;
	for (const char *p = name; *p; p++)
		if (*p < ' ' || *p > '~' || *p == ':')
			return false;
	return *name;
}

/* True when the store has this very file or socket under this name. */
static bool keep_has(const struct keep *k, const char *name, const struct stat *st)
{
	struct stat old;

	for (uint32_t i = 0; i < k->store.n; i++)
		if (!strcmp(k->store.v[i].name, name) && !fstat(k->store.v[i].fd, &old) && old.st_ino == st->st_ino &&
		    old.st_dev == st->st_dev)
			return true;
	return false;
}

/* Says once that something could not be kept. */
static void keep_complain(struct keep *k, const char *what)
{
	if (!k->is_told)
		log_err("keeper: %s: a crash may lose packets", what);
	k->is_told = true;
}

/* Keeps the descriptors of a message; those that are not are left in it. */
static void keep_store(struct keep *k, struct keep_message *m)
{
	char name[HANDOVER_NAME];
	struct stat st;

	for (unsigned i = 0; i < m->beside.n && keep_take_name(m->text, name); i++) {
		int *fd = &m->beside.fds[i];

		if (fstat(*fd, &st) < 0 || keep_has(k, name, &st))
			continue;
		if (k->store.n >= KEEP_MAX || handover_add(&k->store, name, *fd) < 0)
			keep_complain(k, "no room for another descriptor");
		else
			*fd = -1;
	}
}

/* Follows the process to another one that goes on in its place; takes that line out of the message. */
static void keep_follow(struct keep *k, char *text)
{
	char *value = keep_find(text, "MAINPID"), *end = value ? strchr(value, '\n') : NULL;
	int64_t pid;

	if (!value)
		return;
	if (end)
		*end = '\0';
	pid = number_parse(value, INT32_MAX);
	value -= strlen("MAINPID=");
	if (end)
		memmove(value, end + 1, strlen(end + 1) + 1);
	else
		*value = '\0';
	if (pid <= 1 || pid == k->main || pid == getpid() || kill((pid_t)pid, 0) < 0)
		return;
	k->former = k->main;
	k->main = (pid_t)pid;
}

static void keep_take(struct keep *k, struct keep_message *m)
{
	char name[HANDOVER_NAME];

	if (keep_says(m->text, "FDSTOREREMOVE") && keep_take_name(m->text, name))
		keep_drop(k, name);
	/* Who watches us may keep it as well, for the case that this process ends; when that is, it will say itself. */
	keep_follow(k, m->text);
	if (keep_find(m->text, "STOPPING"))
		return;
	if (m->beside.n == 1)
		notify_send_fd(m->beside.fds[0], "%s", m->text);
	else if (*m->text)
		notify_send("%s", m->text);
	if (keep_says(m->text, "FDSTORE"))
		keep_store(k, m);
	k->is_ready |= keep_says(m->text, "READY");
}

/* Reads a message: false when there is none. */
static bool keep_read(struct keep *k, struct keep_message *m)
{
	ssize_t n = usock_receive(k->fd, m->text, KEEP_TEXT, &m->beside);

	if (n < 0) {
		/* An error that stays is no reason to be busy, and there is nothing else that could not wait. */
		if (errno != EAGAIN && errno != EINTR)
			poll(NULL, 0, KEEP_SICK_MS);
		return false;
	}
	m->text[n] = '\0';
	m->is_whole = !(m->beside.flags & MSG_TRUNC) && !memchr(m->text, '\0', (size_t)n);
	if (m->beside.flags & MSG_CTRUNC && m->beside.pid && m->beside.pid == k->main)
		keep_complain(k, "the limit of open descriptors is reached (ulimit -n)");
	return true;
}

bool keep_receive(struct keep *k, int max)
{
	struct keep_message m;

	for (; max > 0; max--) {
		if (!keep_read(k, &m))
			return true;
		pid_t pid = m.beside.pid;

		if (pid && (pid == k->main || pid == k->former) && m.is_whole)
			keep_take(k, &m);
		while (m.beside.n)
			fd_fail(m.beside.fds[--m.beside.n]);
	}
	return false;
}
