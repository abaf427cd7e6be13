/* SPDX-License-Identifier: ISC
 *
 * Packet filters by name: which chain, by which rule, and the command that has it let a flow pass.
 */
#ifndef APPLETS_DOCTOR_ADVISE_FILTER_H
#define APPLETS_DOCTOR_ADVISE_FILTER_H

#include "applets/doctor/advice.h"

/* Where chains are looked for: hooks from and to, for one output or, with NULL, for none. */
struct advise_hooks {
	const struct evidence_out *o;
	enum probe_hook from, to;
	bool is_gone;		/* of those that were there when the watch began */
};

/* Appends to a text ": CHAIN drops them by RULE; CHAIN..." for chains with one of a set of fates, bits; nothing where
 * there are none.  Returns their number. */
unsigned advise_filter_names(struct advice *r, const struct advise_hooks *at, unsigned fates, struct buf *text);

/* Appends to the last finding the commands that have these chains let the flow pass, or with is_sure = false those that
 * show them. */
void advise_filter_fix(struct advice *r, const struct advise_hooks *at, unsigned fates, bool is_sure);

/* Appends the finding that chains surely drop packets of the flow, or with VERDICT_LIMIT some of them, and what mends
 * it. */
void advise_filter_dropped(struct advice *r, const struct advise_hooks *at, const struct loss *l);

/* Of packets that were lost in a way that is not known: appends the finding that chains dropped them which are gone by
 * now; false when there were none. */
bool advise_filter_gone(struct advice *r, const struct advise_hooks *at, const struct loss *l);

/* Appends how many packets filters of tc dropped meanwhile on an interface, where they did. */
void advise_filter_counted(const struct advice *r, int ifindex, struct buf *text);

/* The bit of a fate. */
#define ADVISE_FATE(fate) (1u << (fate))

#endif
