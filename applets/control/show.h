/* SPDX-License-Identifier: ISC
 *
 * What `show` prints: walks the state once and writes a table or JSON.  Only
 * reads, but for counters that it asks the kernel for.  A long table is written
 * in several turns of the loop, so that routing never waits for it.
 */
#ifndef APPLETS_CONTROL_SHOW_H
#define APPLETS_CONTROL_SHOW_H

#include "applets/control/output.h"
#include "router/router.h"

struct show;

/* What the lines of a part are of. */
enum show_of {
	SHOW_ONCE,		/* nothing: it is called once */
	SHOW_PHYINTS, SHOW_MGROUPS, SHOW_MROUTES,	/* of the conf */
	SHOW_ENTRIES,		/* places in the mirror */
	SHOW_COUNTED,		/* those whose counters are asked for */
	SHOW_MEMBERS,
	SHOW_IFACES,
};

/* What comes after a part: in JSON, the next list or the end. */
enum show_after { SHOW_NEXT, SHOW_SSM, SHOW_KERNEL, SHOW_END, SHOW_END_LIST, SHOW_END_LISTS };

/* A part of a table. */
struct show_part {
	void (*line)(struct show *s);	/* writes line s->at, if there is one */
	uint8_t of;			/* enum show_of */
	uint8_t after;			/* enum show_after: from SHOW_END on it is the last of its table */
	uint8_t arg;			/* what line() makes of it */
	bool detail;			/* with -d or -j only */
};

/* A table that is being written. */
struct show {
	struct router *r;
	const struct show_part *part;	/* the one at work */
	uint32_t at;			/* its next line */
	unsigned left;			/* lines that may be looked at in this turn */
	unsigned width, flags_width;	/* of the columns of interfaces and of their flags */
	uint32_t pending;		/* rules and groups that wait, so far */
	struct output o;
	struct tail {			/* of the line before, where it has no counters: mostly the next has the same */
		const char *iif;
		const struct conf_set *set;
		uint32_t bits;
		enum fam fam;
		struct buf text;	/* what is behind (S,G); empty when a turn begins */
	} tail;
	const char *title;		/* the last one; NULL = none yet */
	struct mfc_stats *rules;	/* sums over their entries, NULL when not wanted */
	struct mfc_stats *entries;	/* by place in the mirror, NULL when not wanted */
	int *allmulti;			/* by place: ifindex of an interface that takes in all multicast frames, its
					 * negative where it does not, 0 = not seen; NULL when not wanted */
	uint32_t nrules, nentries, nallmulti;
	uint64_t removals;		/* r->mfc.removals when the entries were counted */
	const struct mfc_stats *counts;	/* the last answer of show_counts() */
	struct mfc_stats now;		/* where it is of now */
};

/* A flow as the lines of several tables have it. */
struct show_flow {
	struct flow_range range;
	const char *iif;		/* NULL is left out */
	const struct conf_set *set;	/* outputs; NULL: they are bits */
	uint32_t bits;
};

/* `show` with its words: exit status, as struct command's run.  When the table is long, *c->show is set and
 * the call is to be repeated until it is NULL. */
int show_run(struct router *r, struct cmd *c);

/* Gives a table up.  NULL is fine. */
void show_free(struct show *s);

/* Bytes that a table holds while it is written. */
size_t show_size(const struct show *s);

/* Has a line that takes as long as n others count for more of the turn. */
void show_charge(struct show *s, unsigned n);

/* Writes the title, unless the last one was the same: true when headings are due. */
bool show_title(struct show *s, const char *title);

/* Ends the line. */
void show_end(struct show *s);

/* Parts of tables with counters: begins to count entries, with arg rules too; asks the kernel for those of all
 * entries. */
void show_count_begin(struct show *s);
void show_count(struct show *s);

/* Parts that write pending lines; with arg they only count them, as s->pending. */
void show_pending_group(struct show *s);
void show_pending_rule(struct show *s);

/* The tables, each its parts in order. */
extern const struct show_part show_routes[], show_groups[], show_interfaces[], show_pending[], show_metrics[];

/* Counters of the entry s->at as they were counted, or of now when entries went since.  Valid until the next call. */
const struct mfc_stats *show_counts(struct show *s);

/* The entry s->at, or NULL when the kernel has none of that place; *iif is the name of its inbound interface. */
const struct mfc *show_entry(const struct show *s, const char **iif);

/* The flow of a line of the conf. */
void show_mroute_flow(struct show_flow *f, const struct conf *c, const struct conf_rule *m);
void show_mgroup_flow(struct show_flow *f, const struct conf *c, const struct conf_rule *g);

/* Appends "kind", "source", "group" and "iif", kind only unless it is NULL. */
void show_json_flow(struct buf *b, const char *kind, const struct show_flow *f);

/* Appends "(S,G)", padded to its column. */
void show_text_flow(struct buf *b, const struct show_flow *f);

/* Appends the names of the outputs: each after a blank, or with json as "oifs". */
void show_oifs(struct router *r, struct buf *b, const struct show_flow *f, bool json);

/* Width of the widest interface name that any table can hold, at least min. */
unsigned show_name_width(const struct router *r, unsigned min);

#endif
