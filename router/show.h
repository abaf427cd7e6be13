/* SPDX-License-Identifier: ISC
 *
 * What `show` prints: walks the state once and writes a table or JSON.  Only
 * reads, but for counters that it asks the kernel for.
 */
#ifndef ROUTER_SHOW_H
#define ROUTER_SHOW_H

#include "router/output.h"
#include "router/router.h"

/* `show` with its words: exit status, as struct command's run. */
int show_run(struct router *r, struct cmd *c);

/* Counters of one entry, or of one rule: the sums over its entries. */
struct show_counts {
	uint64_t packets, bytes, wrong_if;
};

/* Asks the kernel for the counters of all entries: an array by place in r->mfc, for the caller to
 * free, or NULL with ENOMEM. */
struct show_counts *show_entry_counts(struct router *r);

/* `show metrics`, of show_metrics.c. */
void show_metrics(struct router *r, struct output *o);

/* The tables of show_iface.c, show_route.c and show_group.c. */
void show_interfaces(struct router *r, struct output *o);
void show_routes(struct router *r, struct output *o);
void show_groups(struct router *r, struct output *o);
void show_pending(struct router *r, struct output *o);

/* Appends "kind", "source", "group" and "iif" of a line, kind only unless it is NULL. */
void show_json_flow(struct buf *b, const char *kind, const struct addr *source, uint8_t slen,
		    const struct addr *group, uint8_t glen, const char *iif);

/* Appends "(S,G)" padded to its column, then the interface. */
void show_text_flow(struct buf *b, const struct addr *source, uint8_t slen, const struct addr *group,
		    uint8_t glen, const char *iif);

/* Appends the names of the interfaces behind VIF bits, sep between them. */
void show_vif_names(struct router *r, struct buf *b, enum fam fam, uint32_t bits, const char *sep, bool json);

/* The same for a list of outputs as written. */
void show_set_names(const struct router *r, struct buf *b, const struct conf_set *s, const char *sep,
		    bool json);

/* Width of the widest interface name that any table can hold, at least min. */
unsigned show_name_width(const struct router *r, unsigned min);

#endif
