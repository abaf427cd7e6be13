/* SPDX-License-Identifier: ISC
 *
 * The config file of the running daemon: read at the start, where lines with errors are skipped, and again later, where
 * an error changes nothing.
 */
#include "applets/reload.h"

#include <errno.h>
#include <string.h>

#include "conf/read.h"
#include "lib/notify.h"
#include "lib/status.h"
#include "lib/text.h"
#include "router/wait.h"

void reload_hook(struct daemon *d)
{
	if (d->hook)
		hook_run(d->hook, "reload", "");
}

static void reload_log_diag(const struct conf *c, const struct diag *d)
{
	struct buf b = { 0 };

	diag_print(&b, c, d, log_shows(LOG_LVL_DEBUG));
	buf_chr(&b, '\0');
	for (char *p = b.failed ? NULL : b.p, *end; p && (end = strchr(p, '\n')); p = end + 1) {
		*end = '\0';
		log_at(d->error ? LOG_LVL_ERR : d->is_line_lost ? LOG_LVL_NOTICE : LOG_LVL_INFO, "%s", p);
	}
	buf_free(&b);
}

/* Appends how many rules and groups there are and what they wait for. */
static void reload_put_rules(struct buf *b, const struct router *r)
{
	unsigned groups = r->rules.joins.live;

	buf_printf(b, "%u rule%s", r->rules.routes.live, r->rules.routes.live == 1 ? "" : "s");
	if (groups)
		buf_printf(b, ", %u group%s", groups, groups == 1 ? "" : "s");
	wait_sum_up(b, r);
}

/* Appends that, and what was changed in the kernel. */
static void reload_put_result(struct buf *b, const struct daemon *d)
{
	const struct router_changes *ch = &d->reloaded;

	reload_put_rules(b, &d->router);
	buf_printf(b, "; kernel entries: %u added, %u changed, %u removed%s", ch->added, ch->changed, ch->removed,
		   ch->failed || d->router.groups->failed ? ", some were refused" : "");
}

void reload_result(const struct daemon *d, const char *what)
{
	struct buf b = { 0 };

	reload_put_result(&b, d);
	log_notice("%s: %s", what, buf_cstr(&b));
	buf_free(&b);
}

/* Tells the init system how much there is to do. */
static void reload_notify(const struct daemon *d, const char *lines, const char *trouble)
{
	struct buf b = { 0 }, shown = { 0 };

	reload_put_rules(&b, &d->router);
	buf_escape(&shown, b.p, b.len, TEXT_KEEP_NONE);
	notify_send("%sSTATUS=%s%s%s", lines, buf_cstr(&shown), *trouble ? "; last reload failed: " : "", trouble);
	buf_free(&b);
	buf_free(&shown);
}

void reload_ready(struct daemon *d, const char *trouble)
{
	d->waits = d->router.waits.changes;
	reload_notify(d, "READY=1\n", trouble);
}

void reload_waits(struct daemon *d)
{
	if (d->waits == d->router.waits.changes)
		return;
	d->waits = d->router.waits.changes;
	reload_notify(d, "", "");
}

void reload_done(struct daemon *d)
{
	struct event ev = { .kind = EVENT_RELOAD };

	d->reloading = 0;
	d->router.count.reloads++;
	reload_result(d, "reloaded");
	pidfile_touch(&d->pidfile);
	reload_hook(d);
	state_event(&d->router, &ev);
	reload_ready(d, "");
}

static void reload_log_diags(const struct conf *c, const struct diags *d)
{
	for (uint32_t i = 0; i < d->n; i++)
		reload_log_diag(c, &d->v[i]);
	if (d->errors + d->warnings > d->n)
		log_at(d->errors > DIAG_MAX ? LOG_LVL_ERR : LOG_LVL_INFO, "%s: %u errors and %u warnings in all",
		       c->files[c->nfiles > 1], d->errors, d->warnings);
}

/* Reads the file and logs what is wrong with it; NULL with ENOMEM.  *is_whole: it could be read to its end. */
static struct conf *reload_read_file(const struct daemon *d, struct diags *diags, bool *is_whole)
{
	struct conf *c = conf_new();

	if (!c)
		return NULL;
	*is_whole = conf_parse_file(c, diags, d->set->conf);
	if (!*is_whole && errno == ENOENT && !d->set->conf_given && !d->running)
		log_notice("no config file %s, waiting for commands", d->set->conf);
	else
		reload_log_diags(c, diags);
	return c;
}

/* Puts a configuration in force and frees it.  0, or -1 with ENOMEM. */
static int reload_apply(struct daemon *d, struct conf *conf)
{
	int res = router_apply(&d->router, conf, loop_touch(d->loop));

	conf_free(conf);
	if (!res)
		d->reloaded = d->router.changes;
	return res;
}

static int reload_begin(struct daemon *d, struct call *call)
{
	struct diags diags = { 0 };
	struct conf *conf;
	bool is_whole;
	int status = 0;

	if (!strcmp(d->set->conf, "-"))
		return call_fail(call, EXIT_CONFIG,
				 "the configuration came from standard input and cannot be read again");
	notify_reloading();
	conf = reload_read_file(d, &diags, &is_whole);
	if (!conf) {
		status = call_fail(call, EXIT_SYSTEM, "out of memory");
		goto out;
	}
	diags_print(&call->diag, conf, &diags, false);
	if (diags.errors) {
		conf_free(conf);
		status = call_fail(call, EXIT_CONFIG, "%s: %u error%s, nothing was changed", d->set->conf, diags.errors,
				  diags.errors == 1 ? "" : "s");
	} else if (reload_apply(d, conf) < 0) {
		status = call_fail(call, EXIT_SYSTEM, "%s, nothing was changed",
				   errno == ENOSPC ? "more than 65536 interface names" : "out of memory");
	} else {
		call->later = d->reloading = groups_ticket(d->router.groups);
		if (!d->reloading)
			reload_done(d);
	}
out:
	if (status)
		reload_ready(d, call->error);
	diags_free(&diags);
	return status;
}

int reload_again(void *ctx, struct call *call)
{
	struct daemon *d = ctx;
	int status = call->is_again ? 0 : reload_begin(d, call);
	struct buf b = { 0 };

	if (!status) {
		reload_put_result(&b, d);
		call_note(call, "reloaded: %s", buf_cstr(&b));
		buf_free(&b);
	}
	return status;
}

int reload_first(struct daemon *d)
{
	struct diags diags = { 0 };
	bool is_whole;
	struct conf *conf = reload_read_file(d, &diags, &is_whole);

	diags_free(&diags);
	/* Whoever names a file wants what is in it, not a router without rules. */
	if (conf && !is_whole && d->set->conf_given) {
		conf_free(conf);
		return EXIT_CONFIG;
	}
	if (conf && reload_apply(d, conf) == 0)
		return 0;
	log_err("out of memory");
	return EXIT_SYSTEM;
}
