/* SPDX-License-Identifier: ISC
 *
 * The state of the daemon and what can happen to it.  Everything that happens
 * edits the wanted state (conf, interfaces) and marks what it concerns; one
 * router_sync() makes the kernel match.  No socket, no clock, no option in
 * here: time and events come in as parameters, so that all of it runs on a
 * kernel made of tables.
 */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "kernel/kernel.h"
#include "lib/log.h"
#include "router/group.h"
#include "router/iface.h"
#include "router/mfc.h"
#include "router/mrdisc.h"
#include "router/rule.h"

enum event_kind {
	EVENT_LEARNED, EVENT_MOVED, EVENT_EXPIRED, EVENT_BLOCKED, EVENT_EVICTED,
	EVENT_LINK, EVENT_PENDING, EVENT_ACTIVE, EVENT_RELOAD,
};

/* Something that people, hooks and monitors may want to hear of. */
struct event {
	enum event_kind kind;
	enum fam fam;
	const struct flow *flow;		/* of a flow event, else NULL */
	const struct conf_rule *rule;		/* that is pending or active, else NULL */
	const char *iif;			/* interface of a flow or link event, or waited for; else NULL */
	uint32_t oifs;				/* VIF bits of a flow event */
	const char *text;			/* what else there is to say, or NULL */
};

/* What the applet does for the router; each may be NULL. */
struct router_ops {
	void (*event)(void *ctx, const struct event *ev);
	/* router_due() may have come nearer: called by router_sync(). */
	void (*wake)(void *ctx);
};

/* Templates that were touched since the last sync. */
struct touched {
	unsigned n;			/* how many */
	struct conf_rule first;		/* as it was */
};

struct router_counters {
	uint64_t upcalls[FAM_N], wrong_vif;
	uint64_t learned, moved, blocked, expired, evicted, refused;
	uint64_t reloads, errors;	/* errors: refusals by the kernel */
};

/* What was done to the kernel's entries. */
struct router_changes {
	uint32_t added, changed, removed, failed;
	int err;			/* errno of the last failure */
};

/* What was told of rules, see pending.h. */
struct told {
	bool *waits;			/* by rule */
	uint32_t n;
};

struct router {
	/* What most functions use stands first and what is large last: the code is smaller for it. */
	struct conf *conf;		/* the wanted state, owned */
	int64_t now;			/* ms, as of the last entry point that got the time */
	bool up[FAM_N];			/* the routing socket of the family is open */
	bool vifs_stale;		/* references or interfaces changed */
	bool adopted;			/* a new conf: all entries are to be looked at */
	uint32_t table;			/* -t, 0 = the default one */
	unsigned expire_sec;		/* -c; 0 = never */
	uint32_t max_dynamic;		/* -M: learned plus blocked entries */
	int64_t pass_start;		/* of the expiry pass, 0 = none begun */
	int64_t pass_due;		/* when its next slice is due, 0 = nothing can expire */
	uint32_t cursor;		/* next place that the pass looks at */
	struct router_changes changes;	/* since the conf came; those that failed: since the last edit */
	const struct router_ops *ops;
	void *ops_ctx;
	struct ifaces ifs;
	struct mfcs mfc;
	struct rules rules;
	struct groups groups;
	struct mrdisc mrdisc;
	struct told told;
	struct router_counters count;
	struct touched touched;		/* templates that changed: look at the entries they match */
	uint8_t ttl[KERNEL_VIFS];	/* IPv4 threshold of each VIF */
	struct log_limit lim_refused, lim_kernel, lim_blocked, lim_moved, lim_join;
	void (*settle)(void *ctx);	/* rules are about to get other numbers, or NULL */
	void *settle_ctx;
};

/* Makes an empty state.  0, or -1 with ENOMEM. */
int router_init(struct router *r, const struct router_ops *ops, void *ctx);

/* Tells that the routing socket of a family is open, or closed. */
void router_family(struct router *r, enum fam fam, bool up);

/* Removes all entries, VIFs and memberships from the kernel and frees everything. */
void router_shutdown(struct router *r);

/* Takes a configuration, owned from now on, in the place of the present one and applies what
 * differs.  r->changes tells what that was.  0, or -1 with ENOMEM and nothing changed. */
int router_apply_conf(struct router *r, struct conf *c, int64_t now);

/* Takes in what rtnetlink says; router_sync() must follow at the end of the batch. */
void router_link_event(struct router *r, const struct link_event *ev);

/* Answers a report of the kernel at once. */
void router_upcall(struct router *r, const struct upcall *up, int64_t now);

/* When router_tick() is to be called next, in ms; 0 = no need. */
int64_t router_due(const struct router *r);

/* Does what is due: a slice of the expiry pass and of the memberships, advertisements. */
void router_tick(struct router *r, int64_t now);

/* Makes the kernel match what is wanted. */
void router_sync(struct router *r);

/* ---- edits, for command.c; router_sync() must follow ---- */

/* A rule as a client names it: interfaces are numbers in r->conf. */
struct router_rule {
	struct conf_rule key;	/* iif, source, group and their lengths */
	const uint16_t *oifs;
	uint32_t noifs;
};

/* Adds the rule, or its outputs to the one with the same iif, source and group; with replace that
 * one gets exactly these.  *id is its number.  0, or -1 with ENOMEM. */
int router_rule_add(struct router *r, const struct router_rule *rule, bool replace, uint32_t *id);

/* Removes the rule, which is number id, or with outputs named just those of them that it has; the last one
 * leaves a stop filter.  0, or -1 with ENOMEM. */
int router_rule_remove(struct router *r, const struct router_rule *rule, uint32_t id);

/* Removes all learned and blocked entries; their number. */
uint32_t router_flush(struct router *r);

/* Rebuilds the conf without what is no longer used when that is much, or with force at all, and syncs;
 * numbers of names and rules change.  0, or -1 with ENOMEM and nothing changed. */
int router_compact(struct router *r, bool force);

/* ---- questions, for show.c ---- */

/* Why a line of memberships has none now: NULL when it has. */
const char *router_group_reason(const struct router *r, const struct conf_rule *g);

/* Why a name of a rule is of no use now, *which the first such name; NULL when all work. */
const char *router_rule_reason(const struct router *r, const struct conf_rule *m, uint16_t *which);

/* Hands an event to the applet. */
void router_event(struct router *r, const struct event *ev);

#endif
