/* SPDX-License-Identifier: ISC
 *
 * What a configuration does with one packet: which rules match and which of them decide, what comes out, and if
 * nothing does, why.  The question of a person in front of one flow, so the rules are simply gone through.  No
 * interface of this machine is looked at: a wildcard stands for what it would match.
 */
#ifndef CONF_EXPLAIN_H
#define CONF_EXPLAIN_H

#include "conf/conf.h"

/* Appends the answer, lines of text, for a packet that comes in on the interface `iif` (no alias).  *comes_out becomes
 * true when at least one output gets the packet.  False with ENOMEM. */
bool explain_packet(struct buf *out, const struct conf *c, const char *iif, const struct flow *packet, bool *comes_out);

#endif
