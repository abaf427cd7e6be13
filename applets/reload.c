/* SPDX-License-Identifier: ISC
 *
 * The config file of the running daemon: read at the start, where lines with errors are skipped, and again later, where
 * an error changes nothing.  A reading goes on in slices, between which the loop does all else: until the new rules are
 * whole the old ones hold.
 */
#include "applets/reload.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "applets/pause.h"
#include "applets/diaglog.h"
#include "applets/events.h"
#include "applets/result.h"
#include "lib/clock.h"
#include "lib/notify.h"
#include "lib/status.h"
#include "lib/usock.h"

#define RELOAD_USEC 2000		/* of a slice, until others have their turn */
#define RELOAD_WAIT_MS 20		/* between two looks whether there is more of the file */
#define RELOAD_PATIENCE_MS 5000		/* for a file, until that is said */
#define RELOAD_LINES 64			/* parsed between two looks at the clock */
#define RELOAD_RULES 256		/* the same of those that are applied */

/* ---- the end ---- */

/* True for the reading that the daemon starts with. */
static bool reload_is_first(const struct daemon *d)
{
	return d->reload.begun == 1;
}

/* Forgets what a reading works with. */
static void reload_drop(struct reload *re)
{
	if (re->reader)
		conf_read_end(re->reader);
	conf_free(re->conf);
	diags_free(&re->diags);
	buf_free(&re->telling);
	re->reader = NULL;
	re->conf = NULL;
	re->stage = RELOAD_NONE;
}

/* Ends a reading: status 0, or that of a client, and re->result says why. */
static void reload_end(struct daemon *d, int status)
{
	struct reload *re = &d->reload;
	struct event ev = { .kind = EVENT_RELOAD };

	buf_free(&re->diag);
	re->diag = re->telling;
	re->is_private = re->conf && re->conf->is_private;
	re->telling = (struct buf){ 0 };
	reload_drop(re);
	re->status = status;
	re->ended = re->begun;
	if (re->ended == 1) {
		pause_end(d);
		return;
	}
	if (status) {
		if (re->by_signal)
			log_err("reload failed: %s", buf_cstr(&re->result));
		result_ready(d, buf_cstr(&re->result));
	} else {
		d->router.count.reloads++;
		result_log(d, "reloaded");
		pidfile_touch(&d->pidfile);
		events_reloaded(d);
		state_event(&d->router, &ev);
		result_ready(d, "");
	}
	server_resume(d->control);
	reload_follow(d);
}

/* Ends it as it failed, for a reason that is one line. */
static void __attribute__((format(printf, 3, 4))) reload_fail(struct daemon *d, int status, const char *fmt, ...)
{
	struct buf *b = &d->reload.result;
	va_list ap;

	buf_free(b);
	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
	reload_end(d, status);
}

/* The same when there is no room for what is in the file. */
static void reload_no_memory(struct daemon *d, const char *why)
{
	if (reload_is_first(d))
		log_err("%s", why);
	reload_fail(d, EXIT_SYSTEM, "%s, nothing was changed", why);
}

void reload_count(struct daemon *d)
{
	struct reload *re = &d->reload;

	if (re->stage != RELOAD_SETTLE || re->is_counted || router_is_busy(&d->router))
		return;
	re->changes = d->router.changes;
	re->is_counted = true;
}

void reload_settle(struct daemon *d)
{
	if (d->reload.stage != RELOAD_SETTLE || !router_is_done(&d->router, &d->reload.ticket))
		return;
	result_put(d);
	reload_end(d, 0);
}

/* ---- step by step: each of these does a little, and changes the stage when that is done ---- */

/* Opens the file. */
static void reload_open(struct daemon *d)
{
	struct reload *re = &d->reload;

	re->told = 0;
	re->conf = conf_new();
	re->reader = re->conf ? conf_read_begin(re->conf, &re->diags, d->set->conf, true) : NULL;
	if (!re->reader)
		reload_no_memory(d, "out of memory");
}

static void reload_read(struct daemon *d)
{
	struct reload *re = &d->reload;
	int err;

	if (conf_read_step(re->reader, RELOAD_LINES))
		return;
	err = conf_read_end(re->reader);
	re->reader = NULL;
	re->is_whole = !err;
	re->stage = RELOAD_TELL;
	if (err == ENOENT && !d->set->conf_given && reload_is_first(d)) {
		log_notice("no config file %s, waiting for commands", d->set->conf);
		re->told = re->diags.n;
	}
}

/* Decides whether what has been read comes into force. */
static void reload_judge(struct daemon *d)
{
	struct reload *re = &d->reload;
	uint32_t errors = re->diags.errors;

	re->stage = RELOAD_APPLY;
	if (reload_is_first(d)) {
		/* Whoever names a file wants what is in it, not a router without rules. */
		if (!re->is_whole && d->set->conf_given)
			reload_fail(d, EXIT_CONFIG, "no config");
	} else if (errors) {
		reload_fail(d, EXIT_CONFIG, "%s: %u error%s, nothing was changed", d->set->conf, errors,
			    errors == 1 ? "" : "s");
	}
}

/* Logs and notes what is wrong with the file. */
static void reload_tell(struct daemon *d)
{
	struct reload *re = &d->reload;
	const struct diags *diags = &re->diags;

	if (re->told < diags->n) {
		diaglog_put(re->conf, &diags->v[re->told], reload_is_first(d) ? NULL : &d->lim_diag, loop_now(d->loop));
		diag_print(&re->telling, re->conf, &diags->v[re->told++], false);
		return;
	}
	if (diags->errors + diags->warnings > diags->n) {
		log_at(diags->errors > DIAG_MAX ? LOG_LVL_ERR : LOG_LVL_INFO, "%s: %u errors and %u warnings in all",
		       re->conf->files[re->conf->nfiles > 1], diags->errors, diags->warnings);
		diags_print_rest(&re->telling, diags);
	}
	reload_judge(d);
}

static void reload_apply(struct daemon *d)
{
	struct router *r = &d->router;
	struct reload *re = &d->reload;
	int res = r->apply ? router_apply_step(r, RELOAD_RULES, loop_touch(d->loop)) : router_apply_begin(r, re->conf);

	if (r->apply)
		return;
	if (res < 0) {
		reload_no_memory(d, errno == ENOSPC ? "more than 65536 interface names" : "out of memory");
		return;
	}
	re->stage = RELOAD_SETTLE;
	re->ticket = ROUTER_PASS;
	re->is_counted = false;
	reload_count(d);
	loop_hold(d->loop, false);
	reload_settle(d);
}

static void (*const reload_steps[])(struct daemon *d) = {
	[RELOAD_READ] = reload_read, [RELOAD_TELL] = reload_tell, [RELOAD_APPLY] = reload_apply,
};

/* Waits ms for the child that reads, if more is to come from it.  True when it did not come. */
static bool reload_await(const struct reload *re, int ms)
{
	struct pollfd p = { .fd = re->reader ? conf_read_waits(re->reader) : -1, .events = POLLIN };

	return p.fd >= 0 && poll(&p, 1, ms) <= 0;
}

/* The timer of a reading: a slice of it.  It may be left from one that is over: that opens no file for the next. */
static void reload_slice(void *ctx)
{
	struct daemon *d = ctx;
	struct reload *re = &d->reload;
	int64_t end = clock_usec(CLOCK_MONOTONIC) + RELOAD_USEC;
	uint64_t which = re->begun;

	if (!re->conf && re->stage == RELOAD_READ)
		reload_open(d);
	while (re->begun == which && re->stage >= RELOAD_READ && re->stage <= RELOAD_APPLY) {
		reload_steps[re->stage](d);
		/* The next bytes are there at once, or after a long time. */
		bool waits = reload_await(re, RELOAD_USEC / 1000);

		if (waits && re->patience && loop_now(d->loop) > re->patience) {
			log_notice("%s: a file does not come, its file system may not answer; routing goes on",
				   d->set->conf);
			re->patience = 0;
		}
		if (waits || clock_usec(CLOCK_MONOTONIC) >= end) {
			timer_set(d->loop, &re->slice, waits ? RELOAD_WAIT_MS : 0);
			break;
		}
	}
}

/* ---- the beginning ---- */

static void reload_begin(struct daemon *d, bool by_signal)
{
	struct reload *re = &d->reload;

	re->begun++;
	re->by_signal = by_signal;
	re->stage = RELOAD_READ;
	re->patience = loop_now(d->loop) + RELOAD_PATIENCE_MS;
	re->slice.fn = reload_slice;
	re->slice.ctx = d;
	timer_set(d->loop, &re->slice, 0);
	if (!reload_is_first(d))
		notify_reloading();
}

void reload_follow(struct daemon *d)
{
	struct reload *re = &d->reload;

	if (!re->is_asked || re->stage != RELOAD_NONE)
		return;
	re->is_asked = false;
	reload_begin(d, re->is_signalled);
	re->is_signalled = false;
}

/* Has the file read from its beginning: at once, or when the reading that goes on has ended.  The number of that. */
static uint64_t reload_ask(struct daemon *d, bool by_signal)
{
	struct reload *re = &d->reload;
	uint64_t which = re->begun + 1;

	re->is_asked = true;
	re->is_signalled |= by_signal;
	if (re->ended)
		reload_follow(d);
	return which;
}

static const char reload_no_file[] = "the configuration came from standard input and cannot be read again";

void reload_by_signal(struct daemon *d)
{
	if (!d->reload.begun)
		return;
	if (strcmp(d->set->conf, "-"))
		reload_ask(d, true);
	else
		log_err("reload failed: %s", reload_no_file);
}

int reload_by_client(void *ctx, struct call *call)
{
	struct daemon *d = ctx;
	struct reload *re = &d->reload;
	bool is_kept;

	if (!strcmp(d->set->conf, "-"))
		return call_fail(call, EXIT_CONFIG, "%s", reload_no_file);
	if (!call->is_again) {
		call->later = reload_ask(d, false);
		call->for_daemon = true;
		return 0;
	}
	/* Who may have a file read that is not his to read is not to learn by errors what is in it. */
	is_kept = re->is_private && !usock_peer_may(call->fd, geteuid());
	if (!is_kept)
		buf_add(&call->diag, re->diag.p, re->diag.len);
	if (re->status)
		return call_fail(call, re->status, "%s%s", buf_cstr(&re->result), is_kept && re->diag.len ?
				 "; the log has the lines, as not everybody may read the configuration" : "");
	call_note(call, "reloaded: %s", buf_cstr(&re->result));
	return 0;
}

bool reload_has_ended(void *ctx, uint64_t which)
{
	return ((struct daemon *)ctx)->reload.ended >= which;
}

int reload_prepare(struct daemon *d)
{
	struct reload *re = &d->reload;

	reload_begin(d, false);
	timer_stop(d->loop, &re->slice);
	for (reload_open(d); re->stage == RELOAD_READ || re->stage == RELOAD_TELL;) {
		if (loop_is_told_to_end(d->loop))
			return -1;
		if (!reload_await(re, RELOAD_WAIT_MS))
			reload_steps[re->stage](d);
	}
	if (re->ended)
		return re->status;
	if (!re->diags.errors)
		return 0;
	log_err("%s has errors (%u): the daemon that runs goes on", d->set->conf, re->diags.errors);
	return EXIT_CONFIG;
}

void reload_first(struct daemon *d)
{
	loop_hold(d->loop, true);
	if (d->reload.stage == RELOAD_APPLY)
		timer_set(d->loop, &d->reload.slice, 0);
	else
		reload_begin(d, false);
}

void reload_stop(struct daemon *d)
{
	if (d->reload.slice.due)
		timer_stop(d->loop, &d->reload.slice);
	reload_drop(&d->reload);
	buf_free(&d->reload.result);
	buf_free(&d->reload.diag);
}
