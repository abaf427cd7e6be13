/* SPDX-License-Identifier: ISC
 *
 * Privileges: which capabilities we have, and how to be rid of them.  Linux capabilities by their system calls
 * (capabilities(7)), no library.
 */
#ifndef LIB_PRIV_H
#define LIB_PRIV_H

#include <stdbool.h>
#include <sys/types.h>

/* Numbers as in include/uapi/linux/capability.h. */
enum priv_cap { PRIV_NET_ADMIN = 12, PRIV_NET_RAW = 13 };

struct priv_id {
	uid_t uid;
	gid_t gid;
};

/* True when the capability is in effect now, whatever the uid. */
bool priv_has(enum priv_cap cap);

/* Looks up "USER[:GROUP]", names or numbers; without GROUP the user's own, and for a number nobody knows the group of
 * the same number.  0, or -1 with ENOENT. */
int priv_lookup(const char *spec, struct priv_id *id);

/* Becomes id with no other group and no capability, or with CAP_NET_ADMIN alone, which programs we start then have too.
 * The result is checked: -1 with errno when anything else is left, and then the process should end. */
int priv_drop(const struct priv_id *id, bool keep_net_admin);

/* Gives up all capabilities but CAP_NET_ADMIN, if that is to be kept and was there, and stays the user it is.  A
 * program that root starts has root's rights again (capabilities(7)).  0 or -1 as priv_drop(). */
int priv_shed(bool keep_net_admin);

#endif
