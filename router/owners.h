/* SPDX-License-Identifier: ISC
 *
 * Who asks for rules and memberships.  The configuration is one owner, whoever gives no name is another one; the others
 * have names, each kept once and as long as it asks for anything.
 */
#ifndef ROUTER_OWNERS_H
#define ROUTER_OWNERS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/hash.h"

#define OWNER_BITS 12
enum {
	OWNER_CONFIG,				/* what the file says; its claims are those of the last reload */
	OWNER_UNNAMED,				/* no name was given; its claims go with a reload */
	OWNER_NAMED,				/* from here on those with names, whose claims stay */
	OWNER_SEVERAL = (1 << OWNER_BITS) - 1,	/* no owner: more than one asks for the rule */
};

#define OWNER_NAME_MAX 64

struct owner {
	char name[OWNER_NAME_MAX + 1];
	uint32_t refs;			/* rules and memberships that it asks for, and callers that hold it; 0: this
					 * place is free */
};

struct owners {
	struct owner *v;		/* of OWNER_NAMED and those behind */
	uint32_t n, cap;
	struct hash by_name;
};

void owners_free(struct owners *t);

/* NULL when a text can be the name of an owner: 1 to OWNER_NAME_MAX letters, digits and any of "._-", the first no "-",
 * and none of the words that stand for the owners without a name.  Otherwise what is wrong with it. */
const char *owner_check(const char *name);

/* The number of a named owner, HASH_NONE when nothing is asked for in that name. */
uint32_t owner_find(const struct owners *t, const char *name);

/* The number of an owner, checked by owner_check(), which is added when it is new; HASH_NONE with ENOMEM, or with
 * ENOSPC when there are as many as there can be.  It stays at least until owner_drop(). */
uint32_t owner_hold(struct owners *t, const char *name);

/* Counts one who refers to an owner, or no longer; those without a name are not counted. */
void owner_refer(struct owners *t, uint32_t owner);
void owner_drop(struct owners *t, uint32_t owner);

/* Gives memory back when there are far fewer owners than there were, true then. */
bool owners_settle(struct owners *t);

/* The name of an owner; "config" and "unnamed" for those without one.  Valid until an owner is added. */
const char *owner_name(const struct owners *t, uint32_t owner);

#endif
