/* SPDX-License-Identifier: ISC
 *
 * FreeBSD has no capabilities: root may all, and IPv4 asks at each call for the right to route (sys/netinet/raw_ip.c,
 * PRIV_NETINET_MROUTE).  The MAC module mac_pimd grants that one right to one uid (sys/security/mac_pimd).
 */
#include "lib/priv.h"

#include <errno.h>
#include <grp.h>
#include <stdint.h>
#include <sys/procctl.h>
#include <sys/sysctl.h>
#include <unistd.h>

bool priv_has(enum priv_cap cap)
{
	(void)cap;
	return geteuid() == 0;
}

bool priv_set(enum priv_cap cap, bool on)
{
	(void)on;
	return priv_has(cap);
}

bool priv_may_route(uid_t uid)
{
	int enabled = 0, granted = -1;
	size_t len = sizeof enabled;

	if (!uid)
		return true;
	if (sysctlbyname("security.mac.pimd.enabled", &enabled, &len, NULL, 0) < 0 || !enabled)
		return false;
	len = sizeof granted;
	return sysctlbyname("security.mac.pimd.uid", &granted, &len, NULL, 0) == 0 && (uid_t)granted == uid;
}

/* Programs that are started gain nothing by their set-user-ID bit: procctl(2), FreeBSD 13.2. */
static void priv_bound(void)
{
#ifdef PROC_NO_NEW_PRIVS_CTL
	int on = PROC_NO_NEW_PRIVS_ENABLE;

	procctl(P_PID, 0, PROC_NO_NEW_PRIVS_CTL, &on);
#endif
}

int priv_shed(bool for_hook)
{
	(void)for_hook;
	priv_bound();
	return 0;
}

/* What root may is not parted: there is nothing to rest. */
int priv_rest(void)
{
	return 0;
}

void priv_raise(void)
{
}

void priv_lower(void)
{
}

int priv_drop(const struct priv_id *id, bool for_hook)
{
	priv_shed(for_hook);
	/* Up to FreeBSD 14 the first of the groups is the effective one (setgroups(2)). */
	if ((!geteuid() && setgroups(1, &id->gid) < 0) || setresgid(id->gid, id->gid, id->gid) < 0 ||
	    setresuid(id->uid, id->uid, id->uid) < 0)
		return -1;
	if (!priv_is_id(id) || (id->uid && !setuid(0))) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
