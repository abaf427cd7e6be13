/* SPDX-License-Identifier: ISC
 *
 * One entry of the mirror: what the rules want of it, and the call that makes the kernel match.
 */
#ifndef ROUTER_ENTRY_H
#define ROUTER_ENTRY_H

#include "router/state.h"

/* Brings an entry in line with the rules; prefer: VIF that shall be the iif when a rule covers it, -1 = as it is.
 * Returns true when the kernel has the entry afterwards; otherwise it may be gone from the mirror. */
bool entry_sync(struct router *r, uint32_t at, int prefer);

/* The same for all that go out where they come in: for who is about to join a group. */
void entry_sync_reflecting(struct router *r);

/* Gives an entry to the kernel where that has it otherwise; what it refuses is counted and logged, but not that it
 * knows no entries of any source.  True when it has it then; otherwise it is as it was. */
bool entry_put(struct router *r, uint32_t at, int iif, uint32_t oifs);

/* Takes an entry out of the kernel, if it is there, but not out of the mirror.  False when the kernel refuses: it stays
 * as it is and is tried again. */
bool entry_take_out(struct router *r, uint32_t at);

/* True when it was refused because the system has no entries of its kind. */
bool entry_is_unknown(const struct mfc *e);

/* Takes an entry out of the kernel and out of the mirror; false as above. */
bool entry_drop(struct router *r, uint32_t at);

/* Packets that came in by an entry so far, low 32 bits.  False, and 0, with ENOENT when the kernel has no such entry,
 * with another errno when it does not tell. */
bool entry_read_packets(const struct mfc *e, uint32_t *packets);

/* Reports an event of an entry. */
void entry_report(struct router *r, enum event_kind kind, const struct mfc *e);

#endif
