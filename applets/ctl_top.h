/* SPDX-License-Identifier: ISC
 *
 * `smcroutectl top`: the busiest flows, again and again.
 */
#ifndef APPLETS_CTL_TOP_H
#define APPLETS_CTL_TOP_H

#include "applets/ctl_connection.h"
#include "applets/ctl_conversation.h"

/* Connects to the daemon and shows its flows every `interval` seconds, a number as text, NULL = 2: on a terminal until
 * `q`, in JSON until its reader leaves, otherwise one table after one interval.  The exit status; 69 when the daemon
 * leaves. */
int ctl_top_run(const struct ctl_place *place, const struct ctl_options *options, struct ctl_printer *printer,
		const char *interval);

#endif
