/* SPDX-License-Identifier: ISC
 *
 * Linux: capget(2), capset(2), the ambient set and the ids.  The structures of the two calls are spelled out: libc has
 * no wrapper, and not every libc comes with the kernel's headers.
 */
#include "lib/priv.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Version 3 and its layout: include/uapi/linux/capability.h. */
#define CAP_VERSION_3 0x20080522

struct cap_header {
	uint32_t version;
	int pid;
};

struct cap_data {
	uint32_t effective, permitted, inheritable;
};

static bool priv_rests;		/* priv_rest() was called */
static unsigned priv_raised;	/* calls of priv_raise() that priv_lower() has not answered */

/* capget(2) or capset(2) of this process; the second element is for capabilities from 32 on. */
static int priv_call(long call, struct cap_data d[2])
{
	struct cap_header h = { .version = CAP_VERSION_3 };

	return (int)syscall(call, &h, d);
}

bool priv_has(enum priv_cap cap)
{
	struct cap_data d[2];

	return !priv_call(SYS_capget, d) && d->effective >> cap & 1;
}

/* Capabilities stay over the change of uid, or the sockets need none. */
bool priv_may_route(uid_t uid)
{
	(void)uid;
	return true;
}

bool priv_set(enum priv_cap cap, bool on)
{
	struct cap_data d[2];
	uint32_t bit = 1u << cap;
	bool was_on;

	if (priv_call(SYS_capget, d) < 0)
		return false;
	was_on = d->effective & bit;
	d->effective = on ? d->effective | (d->permitted & bit) : d->effective & ~bit;
	priv_call(SYS_capset, d);
	return was_on;
}

/* No more is permitted, and so in effect, than wanted. */
static bool priv_is_within(const struct cap_data d[2], const struct cap_data wanted[2])
{
	return !(d[0].permitted & ~wanted[0].permitted) && !(d[1].permitted & ~wanted[1].permitted);
}

int priv_shed(bool for_hook)
{
	struct cap_data wanted[2] = { { 0 } }, left[2] = { { 0 } };

	if (priv_call(SYS_capget, left) < 0)
		return -1;
	if (for_hook)
		wanted->permitted = left->permitted & (1u << PRIV_NET_ADMIN | 1u << PRIV_NET_RAW);
	wanted->effective = wanted->inheritable = wanted->permitted;
	/* What we start has the capabilities of the ambient set.  Before Linux 4.3 there is none, so nothing in it
	 * either. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	/* A filter of system calls may refuse it, which is no harm where there is nothing to give up: what can be
	 * inherited is nothing without an ambient set. */
	if (priv_call(SYS_capset, wanted) < 0 && !priv_is_within(left, wanted))
		return -1;
	for (unsigned cap = 0; cap < 32; cap++)
		if (wanted->permitted >> cap & 1)
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
	if (priv_call(SYS_capget, left) < 0)
		return -1;
	if (!priv_is_within(left, wanted)) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

/* Makes the effective set the permitted one, or empty: 0, or -1 with errno. */
static int priv_effect(bool all)
{
	struct cap_data d[2];

	if (priv_call(SYS_capget, d) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		d[i].effective = all ? d[i].permitted : 0;
	return priv_call(SYS_capset, d);
}

int priv_rest(void)
{
	priv_rests = priv_effect(false) == 0;
	return priv_rests ? 0 : -1;
}

void priv_raise(void)
{
	int err = errno;

	if (priv_rests && !priv_raised++)
		priv_effect(true);
	errno = err;
}

void priv_lower(void)
{
	int err = errno;

	if (priv_rests && !--priv_raised)
		priv_effect(false);
	errno = err;
}

/* Takes from the bounding set what no program that is started shall ever have again.  Who lacks CAP_SETPCAP cannot,
 * and nor can programs of his gain anything, once no_new_privs is set. */
static void priv_bound(bool for_hook)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!for_hook || (cap != PRIV_NET_ADMIN && cap != PRIV_NET_RAW))
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

int priv_drop(const struct priv_id *id, bool for_hook)
{
	priv_bound(for_hook);
	/* Capabilities outlive the change of uid only when asked to (capabilities(7)).  Whoever has no groups may lack
	 * the right to say so again; ids that one has already may always be set. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    (for_hook && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) ||
	    (getgroups(0, NULL) && setgroups(0, NULL) < 0) || setresgid(id->gid, id->gid, id->gid) < 0 ||
	    setresuid(id->uid, id->uid, id->uid) < 0 || priv_shed(for_hook) < 0)
		return -1;
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	if (!priv_is_id(id) || getgroups(0, NULL) || (id->uid && !setuid(0))) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
