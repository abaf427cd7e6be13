/* SPDX-License-Identifier: ISC
 *
 * What rules and memberships wait for, by interface: told in the log when it begins and ends, and for whoever sums up a
 * reload.
 */
#ifndef ROUTER_WAIT_H
#define ROUTER_WAIT_H

#include "lib/buf.h"
#include "router/state.h"

#define WAIT_LINES 50		/* in the log a minute */

/* An interface that is waited for, or a wildcard that means none. */
struct wait {
	char name[IFNAME_SIZE];
	uint32_t why;			/* hash of the reason */
	const char *reason;		/* while it is collected and compared */
	uint32_t rules, groups;		/* that wait for it */
	bool was_there;			/* what is missing did exist */
};

void waits_free(struct waits *t);

/* True when it is time for wait_report(): where much is waited for that is put off for a second at most. */
bool wait_is_due(struct router *r);

/* Finds out what is waited for now, and logs what is news, a line an interface.  For use when all names are bound. */
void wait_report(struct router *r);

/* Has the next wait_report() log all that is waited for. */
void wait_tell_all(struct router *r);

/* Appends "; 6 wait for wan9, 1 for wg0", of many interfaces only the number, and who else has a family; or nothing. */
void wait_sum_up(struct buf *b, const struct router *r);

#endif
