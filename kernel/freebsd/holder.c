/* SPDX-License-Identifier: ISC
 *
 * Who else holds a routing socket: of the processes with raw sockets only those that are routers by name are told, as
 * to see whose socket is whose takes the memory of the kernel (fstat(1)).
 */
#include "kernel/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/sysctl.h>
#include <sys/user.h>
#include <unistd.h>

/* All processes, to be freed, and their number. */
static struct kinfo_proc *holder_processes(size_t *n)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PROC };
	struct kinfo_proc *v;
	size_t len = 0;

	*n = 0;
	if (sysctl(mib, 3, NULL, &len, NULL, 0) < 0)
		return NULL;
	len += len / 8 + sizeof *v;
	v = malloc(len);
	if (v && sysctl(mib, 3, v, &len, NULL, 0) == 0) {
		*n = len / sizeof *v;
		return v;
	}
	free(v);
	return NULL;
}

static bool holder_is_router(const char *comm)
{
	static const char *const names[] = { "smcroute", "pimd", "pim6sd", "mrouted", "igmpproxy", "pimdd", "xorp" };

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (!strncmp(comm, names[i], strlen(names[i])) && strcmp(comm, "smcroutectl"))
			return true;
	return false;
}

bool kernel_mroute_holder(enum fam fam, int but, int *pid, char *comm, size_t len)
{
	struct kinfo_proc *v;
	bool found = false;
	size_t n;

	(void)fam;
	v = holder_processes(&n);
	for (size_t i = 0; i < n && !found; i++) {
		/* One that has ended, and was not waited for yet, has its name still. */
		if (v[i].ki_pid == getpid() || v[i].ki_pid == but || v[i].ki_stat == SZOMB ||
		    !holder_is_router(v[i].ki_comm))
			continue;
		*pid = v[i].ki_pid;
		snprintf(comm, len, "%s", v[i].ki_comm);
		found = true;
	}
	free(v);
	return found;
}

/* P_WEXIT: it is on its way out (sys/sys/proc.h). */
bool kernel_mroute_is_closing(void)
{
	enum { WEXIT = 0x2000 };
	bool is_closing = false;
	struct kinfo_proc *v;
	size_t n;

	v = holder_processes(&n);
	for (size_t i = 0; i < n && !is_closing; i++)
		is_closing = !strncmp(v[i].ki_comm, "smcroute", 8) && (v[i].ki_flag & WEXIT) && v[i].ki_stat != SZOMB;
	free(v);
	return is_closing;
}
