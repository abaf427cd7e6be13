/* SPDX-License-Identifier: ISC
 *
 * What `show` prints: walks the state once and writes a table or JSON.  Only
 * reads, but for counters that it asks the kernel for.  A long table is written
 * in several turns of the loop, so that routing never waits for it.
 */
#ifndef ROUTER_SHOW_H
#define ROUTER_SHOW_H

#include "router/output.h"
#include "router/router.h"

/* Counters of one entry, or of one rule: the sums over its entries. */
struct show_counts {
	uint64_t packets, bytes, wrong_if;
};

struct show;

/* Writes a part of a table, from s->at on: false when it is not all there yet. */
typedef bool show_part(struct show *s);

/* A table that is being written. */
struct show {
	struct router *r;
	struct output o;
	show_part *const *part;		/* the one at work; NULL after the last */
	uint32_t at;			/* next line of the part */
	unsigned left;			/* that may be looked at in this turn */
	bool any;			/* something was written */
	uint64_t sum;			/* of a part that counts */
	show_part *titled;		/* the part that has its title */
	unsigned width;			/* of the column of interfaces */
	struct tail {			/* of the line before, where it has no counters: mostly the next has the same */
		struct buf text;	/* what is behind (S,G); empty when a turn begins */
		const char *iif;
		const struct conf_set *set;
		uint32_t bits;
		enum fam fam;
	} tail;
	struct show_counts *rules;	/* by rule, NULL when not wanted */
	struct show_counts *entries;	/* by place in the mirror, NULL when not wanted */
	uint32_t nrules, nentries;
	uint64_t removals;		/* r->mfc.removals when the entries were counted */
};

/* `show` with its words: exit status, as struct command's run.  When c->show is given and the table is
 * long, *c->show is set and the call is to be repeated until it is NULL. */
int show_run(struct router *r, struct cmd *c);

/* Gives a table up.  NULL is fine. */
void show_free(struct show *s);

/* Bytes that a table holds while it is written. */
size_t show_size(const struct show *s);

/* True when there is a line to look at, of n; then s->at is to be stepped. */
static inline bool show_more(struct show *s, uint32_t n)
{
	return s->at < n && s->left && !out_full(&s->o) && s->left--;
}

/* Has a line that takes as long as n others count for more of the turn. */
static inline void show_charge(struct show *s, unsigned n)
{
	s->left -= n < s->left ? n : s->left;
}

/* True, once a part, when its title is due. */
bool show_untitled(struct show *s);

/* Writes what stands between tables in JSON, as a part: true. */
bool show_json_text(struct show *s, const char *text);

/* A part of tables with counters: asks the kernel for those of all entries. */
show_part show_count_entries;

/* The tables: parts in order, NULL at the end. */
extern show_part *const show_routes[], *const show_groups[], *const show_interfaces[], *const show_pending[],
	*const show_metrics[];

/* Counters of an entry as they were counted, or of now when entries went since. */
struct show_counts show_counts_of(struct show *s, uint32_t at);

/* Appends "kind", "source", "group" and "iif" of a line, kind only unless it is NULL. */
void show_json_flow(struct buf *b, const char *kind, const struct addr *source, uint8_t slen,
		    const struct addr *group, uint8_t glen, const char *iif);

/* Appends "(S,G)" padded to its column. */
void show_text_flow(struct buf *b, const struct addr *source, uint8_t slen, const struct addr *group,
		    uint8_t glen);

/* Appends the names of the interfaces behind VIF bits, sep between them. */
void show_vif_names(struct router *r, struct buf *b, enum fam fam, uint32_t bits, const char *sep, bool json);

/* The same for a list of outputs as written. */
void show_set_names(const struct router *r, struct buf *b, const struct conf_set *s, const char *sep,
		    bool json);

/* Width of the widest interface name that any table can hold, at least min. */
unsigned show_name_width(const struct router *r, unsigned min);

#endif
