/* SPDX-License-Identifier: ISC
 *
 * Privileges: which capabilities we have, and how to be rid of them.  On Linux capabilities by their system
 * calls (capabilities(7)), no library; FreeBSD has none, there root may all.
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

/* True when a process of this user may route multicast with sockets that were opened before.  On Linux always. */
bool priv_may_route(uid_t uid);

/* Puts a permitted capability in effect, or out of it.  True when it was in effect before. */
bool priv_set(enum priv_cap cap, bool on);

/* Looks up "USER[:GROUP]", names or numbers; without GROUP the user's own, and for a number nobody knows the group of
 * the same number.  0, or -1 with ENOENT. */
int priv_lookup(const char *spec, struct priv_id *id);

/* True when the process is this user and group alone: real, effective and saved. */
bool priv_is_id(const struct priv_id *id);

/* Becomes id with no other group and no capability, or for a hook with CAP_NET_ADMIN and CAP_NET_RAW alone, as far as
 * they were there: programs we start then have them too, and can gain no other right (no_new_privs).  The result is
 * checked: -1 with errno when anything else is left, and then the process should end. */
int priv_drop(const struct priv_id *id, bool for_hook);

/* The same, and stays the user it is.  A program that root starts has root's rights again (capabilities(7)).  When it
 * fails with EPERM, as a filter of system calls forbids it, a program that another user runs in place of this one has
 * no capability (unless its file gives it some). */
int priv_shed(bool for_hook);

/* Goes on without a capability in effect, but keeps those that are permitted, for priv_raise() and for programs that
 * are started: those of root have them even where nobody may gain any (no_new_privs).  0, or -1 with errno. */
int priv_rest(void);

/* After priv_rest(): what is permitted is in effect until priv_lower().  They come in pairs, one pair inside another
 * too; without priv_rest() they do nothing.  errno stays. */
void priv_raise(void);
void priv_lower(void);

#endif
