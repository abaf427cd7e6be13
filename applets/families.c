/* SPDX-License-Identifier: ISC
 *
 * Only one program can have the multicast routing of a family.  When that is another one, we follow it by a descriptor
 * of its process, and try again now and then too, as it may give up the family and live on, or be out of sight.
 */
#include "applets/families.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "applets/predecessor.h"
#include "applets/watch.h"
#include "kernel/kernel.h"
#include "lib/fd.h"
#include "lib/notify.h"
#include "lib/priv.h"
#include "lib/proc.h"
#include "lib/status.h"
#include "lib/text.h"

#define FAMILIES_UPCALLS 128	/* taken from a socket before others get their turn */
#define FAMILIES_RETRY_MS 5000

/* ---- upcalls ---- */

static void families_on_upcall(void *ctx, const struct upcall *up)
{
	struct daemon *d = ctx;

	router_upcall(&d->router, up, loop_now(d->loop));
}

static void families_drain(struct daemon *d, enum fam f)
{
	int n = kernel_mroute_drain(f, FAMILIES_UPCALLS, families_on_upcall, d);

	if (n < 0)
		watch_failed(d, kernel_mroute_fd(f), fam_str(f), " routing socket");
	/* The rest has been read already, so the descriptor will not tell. */
	if (n == FAMILIES_UPCALLS)
		timer_set(d->loop, &d->upcalls, 0);
	watch_arm(d);
}

bool families_has_packets(void *ctx)
{
	struct daemon *d = ctx;
	struct pollfd p[FAM_N];

	for (enum fam f = 0; f < FAM_N; f++)
		p[f] = (struct pollfd){ .fd = kernel_mroute_fd(f), .events = POLLIN };
	return d->upcalls.due || poll(p, FAM_N, 0) > 0;
}

void families_packets(void *ctx)
{
	if (families_has_packets(ctx))
		families_upcalls(ctx);
}

void families_upcalls(void *ctx)
{
	for (enum fam f = 0; f < FAM_N; f++)
		if (kernel_mroute_fd(f) >= 0)
			families_drain(ctx, f);
}

static void families_on_mroute(void *ctx, int fd, short revents)
{
	(void)revents;
	families_drain(ctx, fd == kernel_mroute_fd(FAM_6) ? FAM_6 : FAM_4);
}

/* ---- who has a family ---- */

static void families_on_end(void *ctx, int fd, short revents);

/* Watches process pid, of which it is enough to hear when it ends; without pidfd_open(2) there is the timer. */
static void families_follow(struct daemon *d, enum fam fam, pid_t pid)
{
	int fd = proc_watch(pid);

	if (fd >= 0 && loop_add(d->loop, fd, POLLIN, families_on_end, d) == 0)
		d->holder_fd[fam] = fd;
	else
		fd_fail(fd);
}

static void families_unfollow(struct daemon *d, enum fam fam)
{
	if (!d->holder_fd[fam])
		return;
	loop_del(d->loop, d->holder_fd[fam]);
	close(d->holder_fd[fam]);
	d->holder_fd[fam] = 0;
}

/* Finds out who has a family and follows him; says so when that is news. */
static void families_find_holder(struct daemon *d, enum fam fam)
{
	char comm[20], shown[TEXT_ESCAPED_SIZE(sizeof comm)], text[ROUTER_LACKS];
	bool is_known;
	/* A keeper or init system has our own sockets as well; any other parent may be the holder. */
	int pid, but = notify_is_heard() ? getppid() : 0;

	/* /proc shows the descriptors of others to who has as many rights. */
	priv_raise();
	is_known = kernel_mroute_holder(fam, but, &pid, comm, sizeof comm);
	priv_lower();
	/* Without rights we do not see him again, but he is still there. */
	if (!is_known && d->holder_fd[fam])
		return;
	families_unfollow(d, fam);
	if (is_known) {
		families_follow(d, fam, pid);
		text_escape(shown, sizeof shown, comm, strlen(comm), TEXT_KEEP_NONE);
		snprintf(text, sizeof text, "%s multicast routing is taken by %s (pid %d)", fam_str(fam), shown, pid);
	} else {
		snprintf(text, sizeof text, "%s multicast routing is taken by another process", fam_str(fam));
	}
	if (!strcmp(text, d->router.lacks[fam]))
		return;
	router_family_lacks(&d->router, fam, text);
	log_err("%s%s", text, !is_known ? "; only one can have it in a routing table" :
		!strncmp(comm, "smcroute", 8) ? ": already running, use smcroutectl reload" : "");
}

/* ---- taking them ---- */

/* Why a family could not be had.  Of two reasons the last, which the user can mend most easily, is the verdict. */
enum family_reason { FAMILY_NO_KERNEL, FAMILY_SYSTEM, FAMILY_BUSY, FAMILY_DENIED };

/* The reason for an errno, after saying it in words. */
static enum family_reason families_log(struct daemon *d, enum fam fam, int err)
{
	const char *name = fam_str(fam);
	bool table = d->set->table;

	switch (err) {
	case EADDRINUSE:
		families_find_holder(d, fam);
		timer_set(d->loop, &d->families, FAMILIES_RETRY_MS);
		return FAMILY_BUSY;
	case EPERM:
	case EACCES:
		log_err("%s multicast routing: not permitted; %s is missing", name,
			table && !priv_has(PRIV_NET_ADMIN) ? "the capability CAP_NET_ADMIN (for -t)" :
			kernel_word(WORD_RIGHT, fam));
		return FAMILY_DENIED;
	case EAFNOSUPPORT:	/* as by ipv6.disable=1 on the kernel's command line */
		if (kernel_word(WORD_FAMILY, fam))
			log_notice("%s is not in this kernel; it needs %s", name, kernel_word(WORD_FAMILY, fam));
		else
			log_notice("%s is off", name);
		return FAMILY_NO_KERNEL;
	case ENOENT:
		log_err("%s multicast routing: -t needs %s", name, kernel_word(WORD_TABLES, fam));
		return FAMILY_NO_KERNEL;
	case ENOPROTOOPT:
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
	case EINVAL:
		log_err("%s multicast routing is not in this kernel; it needs %s%s%s", name,
			kernel_word(WORD_ROUTING, fam), table ? " and " : "",
			table ? kernel_word(WORD_TABLES, fam) : "");
		return FAMILY_NO_KERNEL;
	default:
		log_err("%s multicast routing: %s", name, strerror(err));
		return FAMILY_SYSTEM;
	}
}

/* Has a family that was opened routed: 0, or -1 with ENOMEM. */
static int families_begin(struct daemon *d, enum fam fam)
{
	if (loop_add(d->loop, kernel_mroute_fd(fam), POLLIN, families_on_mroute, d) < 0)
		return -1;
	if (!kernel_mroute_has_pim(fam))
		log_notice("%s: %s", fam_str(fam), kernel_word(WORD_PIM, fam));
	router_family(&d->router, fam, true);
	return 0;
}

int families_open(struct daemon *d)
{
	static const int status[] = {
		[FAMILY_NO_KERNEL] = EXIT_NOKERNEL, [FAMILY_SYSTEM] = EXIT_SYSTEM,
		[FAMILY_BUSY] = EXIT_BUSY, [FAMILY_DENIED] = EXIT_DENIED,
	};
	enum family_reason worst = FAMILY_NO_KERNEL;
	bool any = false;

	for (enum fam f = 0; f < FAM_N; f++) {
		int res, err;

		do
			res = kernel_mroute_open(f, d->set->table);
		while (res < 0 && (err = errno) == EADDRINUSE && predecessor_wait_closing(d));
		if (d->stopping)
			return -1;
		if (res < 0) {
			enum family_reason why = families_log(d, f, err);

			worst = why > worst ? why : worst;
			continue;
		}
		if (families_begin(d, f) < 0)
			return EXIT_SYSTEM;
		d->adopted[f] = res;
		d->hands_over |= res;
		any = true;
	}
	return any ? 0 : status[worst];
}

bool families_read(struct daemon *d, enum fam fam)
{
	int fd = kernel_mroute_fd(fam);
	char text[ROUTER_LACKS];

	if (router_adopt(&d->router, fam, loop_now(d->loop)) == 0)
		return true;
	log_errno("%s routes cannot be read, they are made anew", fam_str(fam));
	if (kernel_mroute_fd(fam) >= 0)
		return false;
	loop_del(d->loop, fd);
	snprintf(text, sizeof text, "%s multicast routing cannot be begun anew", fam_str(fam));
	router_family_lacks(&d->router, fam, text);
	log_err("%s", text);
	timer_set(d->loop, &d->families, FAMILIES_RETRY_MS);
	return false;
}

void families_adopt(struct daemon *d)
{
	for (enum fam f = 0; f < FAM_N; f++)
		if (d->adopted[f] && families_read(d, f))
			log_notice("%s routing goes on as it was handed over", fam_str(f));
}

/* Takes a family that somebody else had, if it is free: false when it is to be tried again. */
static bool families_take(struct daemon *d, enum fam fam)
{
	int res = kernel_mroute_open(fam, d->set->table);

	if (res >= 0 && families_begin(d, fam) < 0) {
		kernel_mroute_close(fam);
		errno = ENOMEM;
		res = -1;
	}
	if (res < 0 && (errno == EADDRINUSE || errno == ENOMEM))
		return false;
	families_unfollow(d, fam);
	router_family_lacks(&d->router, fam, "");
	if (res < 0) {
		log_errno("%s multicast routing", fam_str(fam));
		return true;
	}
	log_notice("%s multicast routing is free again and ours now", fam_str(fam));
	d->router.now = loop_now(d->loop);
	router_sync(&d->router);
	watch_arm(d);
	return true;
}

static void families_try(struct daemon *d, bool find_holder)
{
	bool any = false;

	for (enum fam f = 0; f < FAM_N; f++) {
		if (!*d->router.lacks[f] || families_take(d, f))
			continue;
		if (find_holder)
			families_find_holder(d, f);
		any = true;
	}
	timer_stop(d->loop, &d->families);
	if (any)
		timer_set(d->loop, &d->families, FAMILIES_RETRY_MS);
}

void families_again(struct daemon *d)
{
	families_try(d, true);
}

void families_retry(void *ctx)
{
	families_try(ctx, false);
}

/* Who had a family has ended, and the next one may have come already. */
static void families_on_end(void *ctx, int fd, short revents)
{
	struct daemon *d = ctx;

	(void)revents;
	for (enum fam f = 0; f < FAM_N; f++)
		if (d->holder_fd[f] == fd)
			families_unfollow(d, f);
	families_try(d, true);
}
