/* SPDX-License-Identifier: ISC
 *
 * Users and groups by name or number, and whose a process is; the rest of priv.h is in the folder of each system.
 */
#include "lib/priv.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/number.h"

/* A number that can be an id, or -1; the highest one means "none". */
static int64_t priv_id_number(const char *s)
{
	return number_parse(s, UINT32_MAX - 1);
}

/* The user of a name or a number. */
static bool priv_find_user(const char *name, struct priv_id *id)
{
	const struct passwd *pw = getpwnam(name);
	int64_t v = priv_id_number(name);

	if (!pw && v >= 0)
		pw = getpwuid((uid_t)v);
	*id = pw ? (struct priv_id){ pw->pw_uid, pw->pw_gid } : (struct priv_id){ (uid_t)v, (gid_t)v };
	return pw || v >= 0;
}

static bool priv_find_group(const char *name, gid_t *gid)
{
	const struct group *gr = getgrnam(name);
	int64_t v = gr ? gr->gr_gid : priv_id_number(name);

	*gid = (gid_t)v;
	return v >= 0;
}

int priv_lookup(const char *spec, struct priv_id *id)
{
	size_t n = strcspn(spec, ":");
	char user[256];

	snprintf(user, sizeof user, "%.*s", (int)n, spec);
	if (n < sizeof user && priv_find_user(user, id) && (!spec[n] || priv_find_group(spec + n + 1, &id->gid)))
		return 0;
	errno = ENOENT;
	return -1;
}

bool priv_is_id(const struct priv_id *id)
{
	uid_t u[3];
	gid_t g[3];

	return !getresuid(u, u + 1, u + 2) && !getresgid(g, g + 1, g + 2) &&
	       u[0] == id->uid && u[1] == id->uid && u[2] == id->uid &&
	       g[0] == id->gid && g[1] == id->gid && g[2] == id->gid;
}
