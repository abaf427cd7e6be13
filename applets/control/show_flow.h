/* SPDX-License-Identifier: ISC
 *
 * A flow or a range of flows with its interfaces, as the lines of several tables and of `monitor` have it.
 */
#ifndef APPLETS_CONTROL_SHOW_FLOW_H
#define APPLETS_CONTROL_SHOW_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "applets/control/output.h"
#include "router/router.h"

#define SHOW_FLOW_WIDTH 42		/* of its column */

struct show_flow {
	struct flow_range range;
	const char *iif;		/* NULL is left out */
	const struct oif_list *list;	/* the outputs of a rule; NULL: they are bits */
	uint32_t bits;			/* the outputs of an entry: VIF bits */
};

/* The flow of a rule, and of an entry.  Valid until the next edit. */
struct show_flow show_flow_of_rule(const struct router *r, const struct rule *rule);
struct show_flow show_flow_of_entry(const struct router *r, const struct mfc *entry);

/* Appends "source", "group" and "iif", and before them "kind" unless that is NULL. */
void show_flow_json(struct buf *b, const char *kind, const struct show_flow *f);

/* Begins a row with a flow: its first two columns, "(S, G)" and the interface, or the same in JSON. */
void show_flow_row(struct output *o, const struct output_column *columns, const struct show_flow *f);

/* True when there are outputs, even if they have no name. */
bool show_flow_has_oifs(const struct show_flow *f);

/* Appends the names of the outputs: each behind a blank, or as "oifs" of JSON. */
void show_flow_oifs(const struct router *r, struct buf *b, const struct show_flow *f, bool json);

#endif
