/* SPDX-License-Identifier: ISC */
#include "applets/rights.h"

#include <errno.h>
#include <unistd.h>

#include "applets/handover.h"
#include "applets/successor.h"
#include "lib/log.h"
#include "lib/priv.h"
#include "lib/status.h"

int rights_check(const struct daemon *d)
{
	/* It takes a capability, not a user.  Sockets that are handed over take none. */
	if (priv_has(PRIV_NET_RAW) || handover_has_routes(&d->handed))
		return 0;
	log_err("not permitted: the capability CAP_NET_RAW is missing, which root has");
	return EXIT_DENIED;
}

static int rights_refused(void)
{
	log_errno("cannot give up privileges");
	return EXIT_DENIED;
}

int rights_drop(struct daemon *d)
{
	bool for_hook = d->hook != NULL;

	/* Root's files and hooks may be where only a root with rights gets to. */
	if ((d->set->user ? priv_drop(&d->id, for_hook) : geteuid() ? priv_shed(for_hook) : priv_rest()) == 0)
		return 0;
	/* A filter of system calls may forbid it, and exec(2) does it as well. */
	d->sheds_by_exec = errno == EPERM && geteuid() && !d->set->user && !for_hook && !d->takeover.is_in_place;
	return d->sheds_by_exec ? 0 : rights_refused();
}

int rights_shed_by_exec(struct daemon *d)
{
	successor_in_place(d, "give up capabilities");
	return rights_refused();
}
