/* SPDX-License-Identifier: ISC */
#include "applets/doctor/running.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/doctor/started.h"
#include "conf/print.h"
#include "conf/read.h"
#include "kernel/probe.h"
#include "lib/clock.h"
#include "lib/usock.h"
#include "lib/wire.h"

#define ANSWER_MS 3000			/* for all of an answer */
#define ANSWER_MAX (64u << 20)		/* bytes */
#define RETRY_MS 20			/* between two tries where a listener is behind */
#define RUNNING_MOST 64			/* processes of the name that are asked */

/* ---- what it says ---- */

/* Takes in what is there of a reply: 1 at its end, 0 when more is to come, -1. */
static int running_take(struct buf *in, struct buf *rows)
{
	struct wire_record rec;
	enum wire_result res;

	while ((res = wire_record(in->p, in->len, &rec)) == WIRE_OK) {
		if (rec.type == WIRE_END)
			return 1;
		if (rec.type == WIRE_ROW)
			buf_add(rows, rec.text, rec.len);
		buf_consume(in, rec.size);
	}
	return res == WIRE_BAD || in->failed || rows->len > ANSWER_MAX ? -1 : 0;
}

/* Asks for a table and appends its rows: 1, 0 when there was no whole answer in time, -1 when it was none of our
 * daemon's. */
static int running_ask(int fd, const char *option, const char *table, struct buf *rows)
{
	const char *words[] = { option, "show", table };
	int64_t end = clock_ms() + ANSWER_MS, left;
	struct buf out = { 0 }, in = { 0 };
	int state = wire_put_request(&out, WIRE_WORDS, 3, words) &&
		    send(fd, out.p, out.len, MSG_NOSIGNAL) == (ssize_t)out.len ? 0 : -1;

	while (!state && (left = end - clock_ms()) > 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t n = -1;

		if (poll(&p, 1, (int)left) <= 0)
			continue;
		if (buf_reserve(&in, 65536) && (n = recv(fd, in.p + in.len, 65536, MSG_DONTWAIT)) > 0)
			in.len += (size_t)n;
		state = n > 0 ? running_take(&in, rows) : -1;
	}
	buf_free(&out);
	buf_free(&in);
	return state;
}

/* Takes in what the daemon at a socket tells, or what it is. */
static void running_listen(struct running *r, int fd)
{
	int pid = (int)usock_peer_pid(fd), answer;
	struct started line;
	struct buf text = { 0 };
	struct diags d = { 0 };

	answer = running_ask(fd, "", "config", &text);
	r->silent = answer ? 0 : pid;
	r->old = answer < 0 ? pid : 0;
	r->answers = answer > 0 && running_ask(fd, "-d", "pending", &r->pending) > 0 &&
		     running_ask(fd, "", "metrics", &r->metrics) > 0;
	if (r->answers) {
		started_read(&line, pid);
		r->pid = pid;
		r->table = line.table;
		r->conf = conf_new();
		r->answers = r->conf && conf_parse_text(r->conf, &d, "show config", text.p, text.len);
	}
	diags_free(&d);
	buf_free(&text);
}

/* ---- where it is ---- */

/* Which options its client needs: none, -i NAME, -u FILE. */
static void running_name(struct running *r, const char *path, const char *ident)
{
	const char *name = strrchr(path, '/');
	size_t len = name ? strlen(++name) : 0;

	r->ctl.len = 0;
	buf_str(&r->ctl, "smcroutectl");
	if (!*path && ident) {
		buf_str(&r->ctl, " -i ");
		buf_shell_word(&r->ctl, ident);
		return;
	}
	for (unsigned i = 0; i < STARTED_DIRS && len > 5; i++) {
		size_t n = strlen(started_dirs[i]);
		char word[PATH_MAX];

		if (strncmp(path, started_dirs[i], n) || path + n + 1 != name || strcmp(name + len - 5, ".sock"))
			continue;
		snprintf(word, sizeof word, "%.*s", (int)(len - 5), name);
		if (!strcmp(word, "smcroute"))
			return;
		buf_str(&r->ctl, " -i ");
		buf_shell_word(&r->ctl, word);
		return;
	}
	if (*path) {
		buf_str(&r->ctl, " -u ");
		buf_shell_word(&r->ctl, path);
	}
}

/* Connects.  A listener that is behind has time, once for all of them: that of SMCRoute has room for two who wait, and
 * when it does not run for a moment, that is soon taken. */
static int running_connect(struct running *r, const char *path)
{
	int fd;

	while ((fd = usock_connect(path)) < 0 && errno == EAGAIN && r->waited < ANSWER_MS) {
		poll(NULL, 0, RETRY_MS);
		r->waited += RETRY_MS;
	}
	r->is_behind |= fd < 0 && errno == EAGAIN;
	return fd;
}

/* Asks at a socket, when the daemon there is the one: pid, or with 0 any smcrouted. */
static bool running_try(struct running *r, const char *path, int pid)
{
	int fd = running_connect(r, path);
	bool is_elsewhere = fd >= 0 && usock_peer_is_elsewhere(fd), is_it;

	is_it = fd >= 0 && !is_elsewhere && (pid ? usock_peer_pid(fd) == pid : usock_peer_is(fd, "smcroute"));
	r->is_crowded |= is_elsewhere;
	if (is_it)
		running_listen(r, fd);
	if (r->answers || r->old)
		running_name(r, path, NULL);
	if (fd >= 0)
		close(fd);
	return r->answers || r->silent || r->old;
}

static const char *running_last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Tries the sockets in the usual places.  Most there are of others, who may be upset by a connection. */
static void running_look(struct running *r, const struct started *l, int pid)
{
	char its[PATH_MAX];
	bool is_found = false;

	started_socket(l, 0, its);
	for (unsigned i = 0; i < STARTED_DIRS && !is_found; i++) {
		char pattern[PATH_MAX];
		glob_t found = { .gl_pathc = 0 };

		snprintf(pattern, sizeof pattern, "%s/*.sock", started_dirs[i]);
		glob(pattern, 0, NULL, &found);
		for (size_t k = 0; k < found.gl_pathc && !is_found; k++)
			is_found = (usock_may_be(found.gl_pathv[k], "smcroute") ||
				    !strcmp(running_last_name(found.gl_pathv[k]), running_last_name(its))) &&
				   running_try(r, found.gl_pathv[k], pid);
		globfree(&found);
	}
}

/* Asks the daemon that is process pid, or with 0 any that has a socket in the usual places: true when there is one. */
static bool running_meet(struct running *r, struct started *l, int pid)
{
	started_read(l, pid);
	running_name(r, l->path ? l->path : "", l->ident);
	if (!l->path || !running_try(r, l->path, pid))
		running_look(r, l, pid);
	if (pid && r->is_behind && !r->answers && !r->old)
		r->silent = pid;
	return r->answers || r->silent || r->old;
}

/* True unless its socket is seen not to be of this network namespace.  One that was built elsewhere may have another
 * place for it than ours: SMCRoute has /run. */
static bool running_is_here(const struct started *l)
{
	char path[PATH_MAX];
	bool is_here = false;

	for (unsigned i = 0; i < STARTED_DIRS && !is_here; i++) {
		started_socket(l, i, path);
		is_here = usock_is_listed(path);
	}
	return is_here;
}

/* Asks each that may be the one: whose sockets they are root alone sees, names and command lines anybody. */
static void running_seek(struct running *r, struct started *l)
{
	unsigned asked = 0, here = 0;
	char comm[32];
	int last = 0;

	for (int pid = 0; asked < RUNNING_MOST && probe_router_after(pid, &pid, comm, sizeof comm);) {
		if (!probe_is_smcrouted(pid, comm))
			continue;
		if (running_meet(r, l, pid))
			return;
		asked++;
		if (running_is_here(l)) {
			here++;
			last = pid;
		}
	}
	/* Of one that cannot be asked it is known how it was started. */
	if (!running_meet(r, l, 0) && here == 1)
		running_meet(r, l, last);
}

bool running_find(struct running *r, int pid)
{
	struct started l;

	if (pid)
		running_meet(r, &l, pid);
	else
		running_seek(r, &l);
	if (r->is_crowded && !r->pid)
		l.file = l.ident = NULL;
	if (l.file)
		buf_str(&r->file, l.file);
	else
		buf_printf(&r->file, "%s/%s.conf", SYSCONFDIR, l.ident ? l.ident : "smcroute");
	return !r->ctl.failed && !r->file.failed;
}

void running_free(struct running *r)
{
	conf_free(r->conf);
	buf_free(&r->pending);
	buf_free(&r->metrics);
	buf_free(&r->ctl);
	buf_free(&r->file);
	*r = (struct running){ 0 };
}

const char *running_ctl(struct running *r)
{
	return r->ctl.len ? buf_cstr(&r->ctl) : "smcroutectl";
}

/* The only process with a router's name; a smcrouted has a socket in the network that it routes. */
static void running_guess(struct host_fam *k)
{
	struct started l;
	char comm[32];

	for (int pid = 0; probe_router_after(pid, &pid, comm, sizeof comm);) {
		bool is_foreign = !probe_is_smcrouted(pid, comm);

		started_read(&l, pid);
		if (!is_foreign && !running_is_here(&l))
			continue;
		k->holder = k->is_guess ? 0 : pid;
		k->is_foreign = k->holder && is_foreign;
		k->is_guess = true;
		snprintf(k->comm, sizeof k->comm, "%s", comm);
	}
}

void running_holders(struct running *r, struct host *h)
{
	static const char *const held[] = {
		"smcroute_routing{family=\"ipv4\"}", "smcroute_routing{family=\"ipv6\"}"
	};

	if (r->is_crowded && !r->pid && h->of[FAM_4].taken != 1 && h->of[FAM_6].taken != 1)
		running_name(r, "", RUNNING_OWN);
	for (struct host_fam *k = h->of; k < h->of + FAM_N; k++) {
		if (k->taken != 1)
			continue;
		if (r->answers && strstr(buf_cstr(&r->metrics), held[k->fam])) {
			k->is_foreign = !running_metric(r, held[k->fam]);
			k->holder = k->is_foreign ? 0 : r->pid;
			k->is_old = false;
		} else if (r->old && (!k->holder || k->holder == r->old)) {
			k->holder = r->old;
			k->is_old = true;
			snprintf(k->comm, sizeof k->comm, "smcrouted of SMCRoute 2.x");
		}
		if (k->is_foreign && !k->holder &&
		    !kernel_mroute_holder(k->fam, r->pid, &k->holder, k->comm, sizeof k->comm))
			k->holder = 0;
		if (!k->holder && !r->silent)
			running_guess(k);
	}
}

/* ---- what it waits for ---- */

bool running_pending(struct running *r, const struct conf_rule *m, struct buf *why)
{
	const char *line = buf_cstr(&r->pending), *end;
	struct buf rule = { 0 };
	bool waits = false;

	if (!r->conf)
		return false;
	print_rule(&rule, r->conf, "mroute", 7, m);
	for (; !waits && *line; line = *end ? end + 1 : end) {
		end = strchr(line, '\n');
		end = end ? end : line + strlen(line);
		if (rule.failed || strncmp(line, rule.p, rule.len) || strncmp(line + rule.len, "  #", 3))
			continue;
		waits = true;
		buf_add(why, line + rule.len + 4, (size_t)(end - line) - rule.len - 4);
	}
	buf_free(&rule);
	return waits;
}

uint64_t running_metric(struct running *r, const char *name)
{
	const char *line = buf_cstr(&r->metrics), *end;
	size_t n = strlen(name);
	uint64_t sum = 0;

	for (; *line; line = *end ? end + 1 : end) {
		const char *value;

		end = strchr(line, '\n');
		end = end ? end : line + strlen(line);
		if (strncmp(line, name, n) || (line[n] != ' ' && line[n] != '{'))
			continue;
		value = memrchr(line, ' ', (size_t)(end - line));
		sum += value ? strtoull(value + 1, NULL, 10) : 0;
	}
	return sum;
}
