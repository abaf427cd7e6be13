/* SPDX-License-Identifier: ISC
 *
 * A list of descriptors with their names.  What was handed over waits in it until the file that opens such sockets asks
 * for it.
 */
#include "kernel/held.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/sock.h"
#include "lib/fd.h"
#include "lib/grow.h"
#include "lib/number.h"

static struct {
	struct held {
		int fd;
		bool is_offered;	/* handed over, and not asked for yet */
		char name[KERNEL_FDNAME];
	} *v;
	uint32_t n, cap;
	uint32_t last_member;		/* the highest number of a name that there was */
	kernel_fd_follow_fn *follow;
	void *ctx;
} held;

static struct held *held_find(const char *name)
{
	for (uint32_t i = 0; i < held.n; i++)
		if (!strcmp(held.v[i].name, name))
			return &held.v[i];
	return NULL;
}

static void held_tell(const struct held *h, bool is_open)
{
	if (held.follow)
		held.follow(held.ctx, h->name, h->fd, is_open);
}

/* 0, or -1 with ENOMEM. */
static int held_note(const char *name, int fd, bool is_offered)
{
	struct held *v = grow(held.v, &held.cap, held.n + 1, sizeof *v);

	if (!v)
		return -1;
	held.v = v;
	v += held.n++;
	*v = (struct held){ .fd = fd, .is_offered = is_offered };
	snprintf(v->name, sizeof v->name, "%s", name);
	return 0;
}

static int held_add_name(const char *name, int fd)
{
	if (fd < 0)
		return -1;
	if (held_note(name, fd, false) < 0)
		return fd_fail(fd);
	held_tell(&held.v[held.n - 1], true);
	return fd;
}

/* Writes a name. */
static void held_name(char name[KERNEL_FDNAME], const char *kind, enum fam fam, uint32_t table)
{
	snprintf(name, KERNEL_FDNAME, table ? "%s%c.%u" : "%s%c", kind, fam == FAM_4 ? '4' : '6', table);
}

int held_add(const char *kind, enum fam fam, uint32_t table, int fd)
{
	char name[KERNEL_FDNAME];

	held_name(name, kind, fam, table);
	return held_add_name(name, fd);
}

int held_add_member(int fd)
{
	char name[KERNEL_FDNAME];

	snprintf(name, sizeof name, "member.%u", held.last_member + 1);
	fd = held_add_name(name, fd);
	held.last_member += fd >= 0;
	return fd;
}

int held_take(const char *kind, enum fam fam, uint32_t table)
{
	char name[KERNEL_FDNAME];
	struct held *h;

	held_name(name, kind, fam, table);
	h = held_find(name);
	if (!h || !h->is_offered)
		return -1;
	h->is_offered = false;
	return h->fd;
}

int held_close(int fd)
{
	for (uint32_t i = 0; fd >= 0 && i < held.n; i++)
		if (held.v[i].fd == fd) {
			held_tell(&held.v[i], false);
			held.v[i] = held.v[--held.n];
			break;
		}
	if (!held.n) {
		free(held.v);
		held.v = NULL;
		held.cap = 0;
	}
	return fd_fail(fd);
}

void kernel_fds(kernel_fd_fn *fn, void *ctx)
{
	for (uint32_t i = 0; i < held.n; i++)
		fn(ctx, held.v[i].name, held.v[i].fd);
}

void kernel_fds_follow(kernel_fd_follow_fn *fn, void *ctx)
{
	held.follow = fn;
	held.ctx = ctx;
}

unsigned kernel_join_settled(void)
{
	unsigned n = 0;

	for (uint32_t i = held.n; i-- > 0;)
		if (held.v[i].is_offered && (!strncmp(held.v[i].name, "member", 6) ||
					     !strncmp(held.v[i].name, "advert", 6))) {
			held_close(held.v[i].fd);
			n++;
		}
	return n;
}

/* ---- what is handed over ---- */

static int held_option(int fd, int option)
{
	socklen_t len = sizeof(int);
	int v = -1;

	return getsockopt(fd, SOL_SOCKET, option, &v, &len) < 0 ? -1 : v;
}

/* 0 when a descriptor is a socket of a type and family, of this network stack; an errno otherwise.  A raw socket of
 * FreeBSD 14 and later tells no protocol, 0 (sys/netinet/raw_ip.c, rip_protosw); Linux opens none of that number. */
static int held_check(int fd, int type, enum fam fam)
{
	int domain = held_option(fd, SO_DOMAIN), protocol = held_option(fd, SO_PROTOCOL);

	if (domain < 0)
		return ENOTSOCK;
	if (domain != (fam == FAM_4 ? AF_INET : AF_INET6) || held_option(fd, SO_TYPE) != type ||
	    (type == SOCK_RAW && protocol != 0 && protocol != sock_protocol(fam)))
		return EPROTOTYPE;
	return held_check_stack(fd, fam);
}

/* Reads ".NUMBER", or nothing for 0; -1 for what is neither. */
static int64_t held_number(const char *s)
{
	return !*s ? 0 : *s == '.' ? number_parse(s + 1, UINT32_MAX) : -1;
}

/* An errno, or 0 when a socket is what the rest of its name, behind "member", says. */
static int held_check_member(const char *rest, int fd)
{
	int64_t number = held_number(rest);
	int err;

	if (number < 0)
		return EINVAL;
	err = held_check(fd, SOCK_DGRAM, held_option(fd, SO_DOMAIN) == AF_INET6 ? FAM_6 : FAM_4);
	if (!err && number > held.last_member)
		held.last_member = (uint32_t)number;
	return err;
}

/* The same of the others. */
static int held_check_other(const char *name, int fd, uint32_t table)
{
	enum { MROUTE, MRDISC, REPORT, ADVERT, LEDGER, KINDS };
	static const char kinds[KINDS][7] = { "mroute", "mrdisc", "report", "advert", "ledger" };
	unsigned kind = 0;
	enum fam fam;
	int64_t id;
	int err;

	while (kind < KINDS && strncmp(name, kinds[kind], 6))
		kind++;
	if (kind == KINDS || (name[6] != '4' && name[6] != '6'))
		return EINVAL;
	fam = name[6] == '4' ? FAM_4 : FAM_6;
	id = held_number(name + 7);
	if (id < 0 || (kind != MROUTE && !id == (kind == ADVERT)))
		return EINVAL;
	if (kind == LEDGER)
		return mroute_check_ledger(fd);
	err = held_check(fd, kind == ADVERT ? SOCK_DGRAM : SOCK_RAW, fam);
	if (err || kind != MROUTE)
		return err;
	return id != table ? ESRCH : mroute_check(fd, fam, table);
}

int kernel_adopt(const char *name, int fd, uint32_t table)
{
	bool is_member = !strncmp(name, "member", 6);
	int flags = fcntl(fd, F_GETFL), err;

	if (held_find(name) && strcmp(name, "member"))
		err = EEXIST;
	else
		err = is_member ? held_check_member(name + 6, fd) : held_check_other(name, fd, table);
	if (!err && strlen(name) >= KERNEL_FDNAME)
		err = EINVAL;
	if (err)
		return sock_fail(err);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	return held_note(name, fd, true);
}
