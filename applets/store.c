/* SPDX-License-Identifier: ISC
 *
 * Whether the init system has a store cannot be known: before version 254 systemd does not say.  Where there is none it
 * passes over these messages, and nothing is lost by them.
 */
#include "applets/store.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "applets/control/journal.h"
#include "kernel/kernel.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/memfile.h"
#include "lib/notify.h"
#include "lib/proc.h"
#include "lib/status.h"

#define STORE_AGAIN_MS 1000

static const char store_journal[] = "journal";

/* Tries it again later; the first time it says what cannot be done with a name now, and what comes of it. */
static void store_later(struct daemon *d, const char *verb, const char *name, const char *outcome)
{
	if (!d->store_failed)
		log_errno("cannot %s %s, %s", verb, name, outcome);
	d->store_failed = true;
	timer_set(d->loop, &d->store_again, STORE_AGAIN_MS);
}

/* Has a descriptor stored.  An error that waits on a socket, as of a network that is down, is no reason to let go of
 * it: FDPOLL=0. */
static void store_put(void *ctx, const char *name, int fd)
{
	if (notify_send_fd(fd, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name) < 0)
		store_later(ctx, "store", name, "a restart may lose packets");
}

/* Has those of a name let go of.  What is not heard is said again: a socket that stayed there would stay a member. */
static void store_remove(struct daemon *d, const char *name)
{
	if (notify_send_fd(-1, "FDSTOREREMOVE=1\nFDNAME=%s", name) == 0)
		return;
	store_later(d, "take back", name, "the init system keeps it until it listens again");
	buf_add(&d->store_removed, name, strlen(name) + 1);
}

static void store_remove_again(struct daemon *d)
{
	struct buf names = d->store_removed;

	d->store_removed = (struct buf){ 0 };
	for (size_t at = 0; at < names.len; at += strlen(names.p + at) + 1)
		store_remove(d, names.p + at);
	buf_free(&names);
}

static void store_on_fd(void *ctx, const char *name, int fd, bool is_open)
{
	if (is_open)
		store_put(ctx, name, fd);
	else
		store_remove(ctx, name);
}

/* The keeper has ended, which only a signal makes it do as long as we live: routing goes on all the same. */
static void store_on_keeper(void *ctx, int fd, short revents)
{
	struct daemon *d = ctx;

	(void)revents;
	loop_del(d->loop, fd);
	close(fd);
	notify_leave();
	d->stored = false;
	log_err("the keeper (pid %d) has ended: routing goes on, but if this daemon dies now its routes are lost and "
		"nobody starts it again; a new smcrouted with options -T -k, and the others, keeps them again",
		(int)d->set->keeper);
}

static void store_watch_keeper(struct daemon *d)
{
	int fd = proc_watch(d->set->keeper);

	if (fd >= 0 && loop_add(d->loop, fd, POLLIN, store_on_keeper, d) < 0)
		close(fd);
	else if (fd < 0 && errno == ESRCH)
		store_on_keeper(d, fd, 0);
}

void store_init(struct daemon *d)
{
	if (d->set->keeper)
		store_watch_keeper(d);
	d->journal_handed = handover_take(&d->handed, store_journal);
	d->was_handed = handover_has_routes(&d->handed);
	if (notify_is_heard())
		kernel_fds_follow(store_on_fd, d);
}

/* Keeps the journal from here on: in the file that was handed over, if it is one, or in a new one. */
static void store_begin_journal(struct daemon *d)
{
	int fd = d->journal_handed;

	d->journal_handed = -1;
	if (fd >= 0 && memfile_is(fd) && journal_begin_in(&d->journal, fd) == 0)
		return;
	if (fd >= 0)
		store_remove(d, store_journal);
	fd_fail(fd);
	if (journal_begin(&d->journal) == 0)
		store_put(d, store_journal, d->journal.fd);
	else
		log_errno("no journal: a restart forgets what clients ask for");
}

void store_applied(void *ctx)
{
	struct daemon *d = ctx;

	if (d->reload.begun > 1) {
		journal_reloaded(&d->journal);
		if (journal_flush(&d->journal) < 0)
			log_errno("journal");
		return;
	}
	if (d->journal_handed >= 0 && journal_replay(&d->router, d->journal_handed) < 0)
		log_err("the journal that was handed over is damaged or of another version: what clients asked for is "
			"lost; smcroutectl -d show config has what is in force");
	if (notify_is_heard())
		store_begin_journal(d);
	d->journal_handed = fd_fail(d->journal_handed);
}

/* Clears the name when there is a socket of that name. */
static void store_find(void *ctx, const char *name, int fd)
{
	const char **wanted = ctx;

	(void)fd;
	if (*wanted && !strcmp(*wanted, name))
		*wanted = NULL;
}

void store_forget(struct daemon *d, const char *name)
{
	/* It goes on in the same file. */
	if (d->journal.fd >= 0 && !strcmp(name, store_journal))
		return;
	kernel_fds(store_find, &name);
	if (name)
		store_remove(d, name);
}

void store_all(struct daemon *d)
{
	if (!notify_is_heard())
		return;
	d->stored = true;
	kernel_fds(store_put, d);
	if (d->journal.fd >= 0)
		store_put(d, store_journal, d->journal.fd);
}

void store_again(void *ctx)
{
	struct daemon *d = ctx;

	/* When we are ready all is stored in any case. */
	if (!d->stored && !d->store_removed.len)
		return;
	/* First, as a new one may have that name by now. */
	store_remove_again(d);
	if (d->stored)
		store_all(d);
	if (d->store_again.due)
		return;
	d->store_failed = false;
	log_notice("all is stored now");
}

bool store_end(struct daemon *d, int status)
{
	bool is_crash = status == EXIT_INTERNAL || status == EXIT_SYSTEM;

	kernel_fds_follow(NULL, NULL);
	fd_fail(d->journal_handed);
	buf_free(&d->store_removed);
	if (!d->stored)
		return false;
	/* A keeper ends with us, but where we failed. */
	if (d->set->keeper)
		return is_crash;
	/* Whoever may have a store, but does not say so, may be asked to start us again: the network learns that this
	 * router leaves, and the kernel keeps all if there is a store. */
	if (!notify_has_store() && !d->was_handed)
		mrdisc_end(&d->router);
	return true;
}
