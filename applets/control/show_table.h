/* SPDX-License-Identifier: ISC
 *
 * How a table is written in turns.  A table is one function that is called again and again until it says that it is
 * done.  It is a list of stages in order, each of which is either done once or a loop that ends for this turn when
 * enough is written:
 *
 *	if (show_once(s, FIRST)) ...
 *	while ((rule = show_next_rule(s, SECOND))) ...
 *	return s->stage == THIRD;
 *
 * A stage that has its turns already, or not yet, is passed over.  Rows are of the state as it is when they are
 * reached.
 */
#ifndef APPLETS_CONTROL_SHOW_TABLE_H
#define APPLETS_CONTROL_SHOW_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "applets/control/output.h"
#include "router/router.h"

struct show;

/* A kind of table. */
struct show_kind {
	const char *name;
	const char *tried;		/* see struct word_names */
	char letter;			/* in SMCRoute's protocol, 0 = it is not there */
	bool (*write)(struct show *s);	/* writes what is due in a turn: true when that was all */
};

/* All of them, each in the file of its name. */
extern const struct show_kind show_routes, show_groups, show_interfaces, show_pending, show_config, show_metrics,
	show_graph;

/* Counters of a rule, sums over its entries; and its serial, as the number may be another's later. */
struct show_count_of_rule {
	uint32_t serial;
	uint32_t heard;			/* 1 + tick of its last packet (struct mfc_use), 0: none is known of */
	struct mfc_stats counts;
};

struct show {
	struct router *router;
	struct output out;
	const struct show_kind *kind;
	int stage;			/* the one that is at work, from 0 */
	uint32_t at;			/* things of it that were looked at */
	unsigned left;			/* things that may be looked at in this turn */
	uint32_t pending;		/* rules and groups that wait, so far */
	struct buf reason;		/* the last one that is no constant text */
	struct rules *rules_walked;	/* by the stage that is at work, with `walk`; or NULL */
	struct rule_walk walk;
	/* Counters as they were when the table began, by show_count(). */
	struct mfc_stats *entries;	/* by place in the mirror; NULL = not asked for */
	struct show_count_of_rule *rules;	/* by number */
	uint32_t nentries, nrules;
	uint64_t removals;		/* router->mfc.removals then */
};

/* Has what was just done take as much of the turn as n things otherwise do. */
void show_charge(struct show *s, unsigned n);

/* True once, when the stage is reached. */
bool show_once(struct show *s, int stage);

/* Writes a piece of JSON that begins or ends lists of rows, once.  Nothing in a text. */
void show_json(struct show *s, int stage, const char *piece);

/* Steps through n things: true for each of them, whose number is show_number() then. */
bool show_step(struct show *s, int stage, uint32_t n);

static inline uint32_t show_number(const struct show *s)
{
	return s->at - 1;
}

/* The next rule of a kind, or entry that the kernel has; NULL when there is none or the turn is over.  Valid until the
 * next edit. */
const struct rule *show_next_rule(struct show *s, int stage, struct rules *t);
const struct mfc *show_next_entry(struct show *s, int stage);

/* Ends a stage that walks over rules before its time.  For one who gives the table up. */
void show_end_walk(struct show *s);

/* True when columns are to fit what is in them: not in JSON, nor for programs that know those of SMCRoute. */
bool show_fits(const struct show *s);

/* Takes the width of OUTPUT_NAMES from the names that any table can hold. */
void show_fit_names(struct show *s);

/* Takes the width of OUTPUT_FLOWS from a flow; stages that do so for all rules of a kind, and for all entries. */
void show_fit_flow(struct show *s, const struct flow_range *range);
void show_fit_rules(struct show *s, int stage, struct rules *t);
void show_fit_entries(struct show *s, int stage);

/* Returns why a rule of a kind waits, and counts it in s->pending; NULL when it does not wait.  *name is the interface
 * that it waits for, or NULL when it is something else. */
const char *show_reason(struct show *s, const struct rules *t, const struct rule *rule, const char **name);

/* ---- a flow or a range of flows with its interfaces, also for `monitor` ---- */

#define SHOW_FLOW_WIDTH 42		/* of its column at least: any flow of IPv4 fits */

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

/* Begins a row with a flow: its first two columns of n, "(S, G)" and the interface, or the same in JSON.  Before the
 * first row of a title that and the headings. */
void show_flow_row(struct output *o, const char *title, const struct output_column *columns, int n,
		   const struct show_flow *f);

/* True when there are outputs, even if they have no name. */
bool show_flow_has_oifs(const struct show_flow *f);

/* Appends the name of an interface: behind a blank, or as an element of a JSON list. */
void show_name(struct buf *b, const char *name, bool json);

/* Appends the names of the outputs: each behind a blank, or as "oifs" of JSON. */
void show_flow_oifs(const struct router *r, struct buf *b, const struct show_flow *f, bool json);

#endif
