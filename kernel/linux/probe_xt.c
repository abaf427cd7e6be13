/* SPDX-License-Identifier: ISC */
#include "kernel/linux/probe_xt.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4/ip_tables.h>

#include "kernel/linux/sock.h"
#include "lib/lines.h"

#define TABLE_MAX (16u << 20)	/* bytes of a table */

static int probe_xt_table(int fd, enum fam fam, const char *name, struct xt_rules *t)
{
	/* Those of IPv6 have the same numbers and structs. */
	struct ipt_getinfo info = { .valid_hooks = 0 };
	struct ipt_get_entries *get;
	struct buf b = { 0 };
	socklen_t len = sizeof info;
	int level = sock_level(fam);

	strncpy(info.name, name, sizeof info.name - 1);
	if (getsockopt(fd, level, IPT_SO_GET_INFO, &info, &len) < 0)
		return errno;
	len = (socklen_t)(sizeof *get + info.size);
	if (info.size > TABLE_MAX)
		return EFBIG;
	buf_fill(&b, '\0', len);
	if (b.failed)
		return ENOMEM;
	get = (struct ipt_get_entries *)(void *)b.p;
	memcpy(get->name, info.name, sizeof info.name);
	get->size = info.size;
	if (getsockopt(fd, level, IPT_SO_GET_ENTRIES, get, &len) < 0) {
		buf_free(&b);
		return errno == EAGAIN ? EBUSY : errno;
	}
	*t = (struct xt_rules){ .fam = fam, .hooks = info.valid_hooks };
	memcpy(t->name, info.name, sizeof t->name);
	memcpy(t->entry, info.hook_entry, sizeof t->entry);
	memcpy(t->policy, info.underflow, sizeof t->policy);
	buf_add(&t->rules, b.p + offsetof(struct ipt_get_entries, entrytable), info.size);
	buf_free(&b);
	return t->rules.failed ? ENOMEM : 0;
}

int probe_xt_read(enum fam fam, struct xt_rules t[XT_TABLES])
{
	static const char *const names[XT_TABLES] = { "raw", "mangle", "nat", "filter", "security" };
	const char *path = fam == FAM_4 ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names";
	struct lines l;
	char *line;
	int fd, err = 0;

	/* To ask for a table that is not in use would make one. */
	if (lines_open(&l, path) < 0)
		return errno == ENOENT && access("/proc/net/dev", F_OK) == 0 ? 0 : errno;
	fd = socket(fam == FAM_4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err = errno;
	while (!err && (line = lines_next(&l)))
		for (unsigned i = 0; i < XT_TABLES; i++)
			if (!strcmp(line, names[i]))
				err = probe_xt_table(fd, fam, names[i], &t[i]);
	lines_close(&l);
	if (fd >= 0)
		close(fd);
	return err;
}
