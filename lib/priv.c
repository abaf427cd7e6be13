/* SPDX-License-Identifier: ISC
 *
 * capget(2), capset(2), the ambient set and the ids.  The structures of the two
 * calls are spelled out: libc has no wrapper, and not every libc comes with the
 * kernel's headers.
 */
#include "lib/priv.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
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

struct caps {
	uint64_t effective, permitted, inheritable;
};

static int caps_get(struct caps *c)
{
	struct cap_header h = { .version = CAP_VERSION_3 };
	struct cap_data d[2] = { { 0 }, { 0 } };

	if (syscall(SYS_capget, &h, d) < 0)
		return -1;
	c->effective = d[0].effective | (uint64_t)d[1].effective << 32;
	c->permitted = d[0].permitted | (uint64_t)d[1].permitted << 32;
	c->inheritable = d[0].inheritable | (uint64_t)d[1].inheritable << 32;
	return 0;
}

/* All three sets to mask, which holds low capabilities only. */
static int caps_set(uint32_t mask)
{
	struct cap_header h = { .version = CAP_VERSION_3 };
	struct cap_data d[2] = { { mask, mask, mask } };

	return (int)syscall(SYS_capset, &h, d);
}

bool priv_has(enum priv_cap cap)
{
	struct caps c;

	return !caps_get(&c) && c.effective >> cap & 1;
}

/* A whole decimal number that can be an id; the highest one means "none". */
static bool number(const char *s, size_t n, uint32_t *out)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9' || v > UINT32_MAX)
			return false;
		v = v * 10 + (uint64_t)(s[i] - '0');
	}
	*out = (uint32_t)v;
	return n && v < UINT32_MAX;
}

int priv_lookup(const char *spec, struct priv_id *id)
{
	const char *colon = strchr(spec, ':');
	size_t n = colon ? (size_t)(colon - spec) : strlen(spec);
	const struct passwd *pw;
	const struct group *gr;
	char user[256];
	uint32_t v;

	if (!n || n >= sizeof user || (colon && !colon[1]))
		goto unknown;
	memcpy(user, spec, n);
	user[n] = '\0';
	pw = getpwnam(user);
	if (!pw && number(user, n, &v))
		pw = getpwuid(v);
	if (pw)
		*id = (struct priv_id){ pw->pw_uid, pw->pw_gid };
	else if (number(user, n, &v))
		*id = (struct priv_id){ v, v };
	else
		goto unknown;
	if (!colon)
		return 0;
	gr = getgrnam(colon + 1);
	if (gr)
		id->gid = gr->gr_gid;
	else if (number(colon + 1, strlen(colon + 1), &v))
		id->gid = v;
	else
		goto unknown;
	return 0;
unknown:
	errno = ENOENT;
	return -1;
}

/* Leaves exactly the capabilities of mask, in the ambient set as well. */
static int caps_reduce(uint32_t mask)
{
	struct caps c;

	if (caps_set(mask) < 0)
		return -1;
	/* Before Linux 4.3 there is no ambient set, so nothing in it either. */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (mask >> PRIV_NET_ADMIN & 1)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, PRIV_NET_ADMIN, 0, 0);
	if (caps_get(&c) < 0)
		return -1;
	if (c.effective != mask || c.permitted != mask || c.inheritable != mask) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

static int wanted_caps(bool keep_net_admin, uint32_t *mask)
{
	struct caps c;

	if (caps_get(&c) < 0)
		return -1;
	*mask = keep_net_admin ? (uint32_t)c.permitted & 1u << PRIV_NET_ADMIN : 0;
	return 0;
}

static bool is_id(const struct priv_id *id)
{
	uid_t u[3];
	gid_t g[3];

	return !getresuid(u, u + 1, u + 2) && !getresgid(g, g + 1, g + 2) &&
	       u[0] == id->uid && u[1] == id->uid && u[2] == id->uid &&
	       g[0] == id->gid && g[1] == id->gid && g[2] == id->gid;
}

int priv_drop(const struct priv_id *id, bool keep_net_admin)
{
	uint32_t mask;

	if (wanted_caps(keep_net_admin, &mask) < 0)
		return -1;
	/* Capabilities outlive the change of uid only when asked to (capabilities(7)). */
	if (mask && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -1;
	/* Whoever is that user already may lack the right to say so again. */
	if (getgroups(0, NULL) && setgroups(0, NULL) < 0)
		return -1;
	if (!is_id(id) && (setresgid(id->gid, id->gid, id->gid) < 0 ||
			   setresuid(id->uid, id->uid, id->uid) < 0))
		return -1;
	if (caps_reduce(mask) < 0)
		return -1;
	prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
	if (!is_id(id) || getgroups(0, NULL) || (id->uid && !setuid(0))) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

int priv_shed(bool keep_net_admin)
{
	uint32_t mask;

	return wanted_caps(keep_net_admin, &mask) < 0 ? -1 : caps_reduce(mask);
}
