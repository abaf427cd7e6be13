/* SPDX-License-Identifier: ISC
 *
 * The state of the engine, and the events that it reports.  What happens edits the wanted state (rules, interfaces)
 * and marks what that concerns; router_sync() makes the kernel match.  No socket, no clock, no option in here: time
 * and news come in as parameters, so that all of it runs on a kernel made of tables.
 */
#ifndef ROUTER_STATE_H
#define ROUTER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/kernel.h"
#include "lib/log.h"
#include "router/iface.h"
#include "router/mfc.h"
#include "router/ruleset.h"

enum event_kind {
	EVENT_LEARNED, EVENT_MOVED, EVENT_EXPIRED, EVENT_BLOCKED, EVENT_EVICTED,
	EVENT_CHANGED, EVENT_GONE,	/* other outputs of an entry; it went with its interface or rule */
	EVENT_LINK, EVENT_PENDING, EVENT_ACTIVE, EVENT_RELOAD,
	/* What was asked for one by one, not by a configuration. */
	EVENT_ADDED, EVENT_REMOVED, EVENT_JOINED, EVENT_LEFT, EVENT_FLUSHED,
};

/* Something that people, hooks and monitors may want to hear of. */
struct event {
	enum event_kind kind;
	enum fam fam;
	const struct flow *flow;	/* of a flow event, else NULL */
	const struct rule *rule;	/* that is pending, active, added or removed, else NULL */
	const struct rule *join;	/* the same of a join: joined or left */
	const char *iif;		/* interface of a flow or link event, or waited for; else NULL */
	uint32_t oifs;			/* VIF bits of a flow event */
	const char *text;		/* what else there is to say, or NULL */
	uint32_t owner;			/* who had a rule or join changed */
	uint32_t before;		/* number of the list of outputs that a removed rule had */
	bool is_gone;			/* nobody asks for the rule or join any more: it is deleted next */
	bool of_config;			/* what the configuration asks for has changed too, until it is read again */
	uint32_t entries;		/* that were flushed */
};

/* What the applet does for the router; each may be NULL. */
struct router_ops {
	void (*event)(void *ctx, const struct event *ev);
	/* True when packets wait for an answer, so that others are to be short. */
	bool (*has_packets)(void *ctx);
	/* router_due() may have come nearer: called by router_sync(). */
	void (*wake)(void *ctx);
	/* A configuration has been applied to the rules, and the kernel does not know yet: more may be changed. */
	void (*applied)(void *ctx);
	/* Entries that were taken over are read, which takes long when there are many. */
	void (*adopting)(void *ctx);
};

/* They outlive the daemon in the order in which they stand here (applets/control/journal.h): new ones go to the end. */
struct router_counters {
	uint64_t upcalls[FAM_N], wrong_vif;
	uint64_t learned, moved, blocked, expired, evicted, refused;
	uint64_t multiplied;		/* entries that did, each time they were looked at */
	uint64_t reloads, errors;	/* errors: refusals by the kernel */
};

/* What was done to the kernel's entries. */
struct router_changes {
	uint32_t added, changed, removed;
	uint32_t failed;
	uint32_t refused;		/* of these: for flows that not only others than the configuration decide on */
};

/* A rule that an edit concerns. */
struct edited {
	struct flow_range range;
	struct ifname iif;
	bool is_join;			/* memberships that are to be left */
};

/* What was edited at once, so that it can be told what was refused of that, and of nothing else. */
#define STATE_EDITED 256
struct edit {
	struct edited v[STATE_EDITED];
	unsigned n;
	uint32_t failed;		/* of calls for what these have a say in, since it began */
	int err;			/* errno of the last of these */
};

/* What reflect.c keeps. */
struct reflect {
	bool is_read;			/* the memberships of this host are known, and followed */
	bool always;			/* whoever is a member, see kernel_members_read() */
	bool is_stale;			/* they have changed and are to be read again; set by whoever knows */
	int64_t soonest, due;		/* when they may be read again, and are to be in any case; ms */
};

struct storm_sample;

/* What storm.c keeps. */
struct storm {
	struct storm_sample *v;		/* while entries are looked at */
	unsigned n;
	int step;
	uint32_t place;			/* in the mirror, where the next search begins */
	int64_t due;			/* of the next step, ms */
};

/* What adopt.c keeps of flows whose packets waited for an entry when a table was taken over. */
struct unresolved {
	struct flow *v;
	uint32_t n, cap;
	int64_t due;			/* when those are seen to that have none by then, ms; 0 = there are none */
};

/* How far the pass of sync.c has come, which goes on in slices. */
struct sync {
	bool is_busy;			/* there is more to do */
	bool is_running;		/* a slice of it is being done */
	bool walks;			/* over all rules, for what names mean now ... */
	bool walks_again;		/* ... and once more behind that */
	struct rule_walk walk;
	bool releases;			/* VIFs that nothing wants are to be taken back */
	uint32_t slice;			/* what one may cost */
	uint32_t left;			/* of this one */
};

struct wait;

/* What is waited for, as it was told last: see wait.h. */
struct waits {
	struct wait *v;
	uint32_t n, cap;
	uint64_t changes;		/* grows when it may have changed */
	bool is_stale;			/* names mean something else now */
	uint32_t put_off;		/* changes that were not looked at since */
	int64_t due;			/* when they will be in any case, ms; 0 = there are none */
};

/* Ranges in which all entries are to be looked at. */
struct touched_ranges {
	unsigned n;			/* of two or more none is remembered: all entries are looked at */
	struct flow_range first;
	uint32_t place;			/* in the mirror, how far that has come */
};

struct apply;
struct groups;
struct mrdisc;
struct refresh;

#define ROUTER_LACKS 160	/* bytes of the reason for which a family is not routed */

struct router {
	struct ruleset rules;		/* the wanted state */
	struct apply *apply;		/* a configuration is about to take their place; or NULL */
	struct ifaces ifs;		/* the interfaces there are */
	struct mfcs mfc;		/* mirror of the kernel's entries */
	struct groups *groups;		/* memberships */
	struct mrdisc *mrdisc;		/* router discovery */
	struct refresh *refresh;	/* memberships reported again */
	bool up[FAM_N];			/* the routing socket of the family is open */
	char lacks[FAM_N][ROUTER_LACKS];	/* who else has it, in words, or "" */
	uint8_t ttl[KERNEL_VIFS];	/* IPv4 threshold of each VIF */
	int64_t now;			/* ms, as of the last entry point that got the time */

	bool has_rules;			/* a configuration is in force */
	bool settles;			/* places of one table were given back, and others may be due: see settle.h */
	bool has_shrunk;		/* much memory was given back; for the applet */
	uint32_t readers;		/* of tables, who have numbers of entries and rules: see settle.h */
	bool adopts;			/* tables were taken over, no rules were applied to them yet */
	struct unresolved unresolved;
	bool has_old_numbers[FAM_N];	/* entries may send to VIF numbers that no interface has: see vif.c */
	bool vifs_stale;		/* interfaces or what refers to them changed */
	struct touched_ranges touched;
	struct sync sync;
	struct reflect reflect;
	struct storm storm;
	struct waits waits;

	uint32_t table;			/* -t, 0 = the default one */
	unsigned expire_sec;		/* -c; 0 = never */
	uint32_t max_dynamic;		/* -M: learned plus blocked entries */
	int64_t pass_start;		/* of the expiry pass, 0 = none begun */
	int64_t pass_due;		/* when its next slice is due, 0 = nothing can expire */
	uint32_t pass_place;		/* in the mirror, behind those that are left */

	struct router_changes changes;	/* since the rules were applied */
	struct edit edit;		/* the last one */
	int64_t retry_due;		/* when what was refused is tried again, ms; 0 = nothing was */
	uint32_t retry_ms;		/* how long that is put off */
	bool links_lost;		/* there was no memory for an interface: all are to be asked for */
	struct router_counters count;
	struct log_limit lim_refused, lim_evicted, lim_kernel, lim_blocked, lim_moved, lim_join, lim_reflect, lim_wait;
	struct log_limit lim_storm;
	const struct router_ops *ops;
	void *ops_ctx;
};

/* Hands an event to the applet. */
void state_event(struct router *r, const struct event *ev);

/* Begins an edit, of no rule yet; and adds one to it, of STATE_EDITED at most. */
void state_edit(struct router *r);
void state_edit_add(struct router *r, const struct ifname *iif, const struct flow_range *range);

/* The same of memberships that are to be left. */
void state_edit_leave(struct router *r, const struct ifname *iif, const struct flow_range *range);

/* Counts a refusal by the kernel or of memory, with the errno of now, and has all be tried again in a while, which
 * grows as long as that fails.  flow: what it concerns, or NULL; vifs: where its packets come in, as bits.  What is
 * refused outside of router_sync(), to a packet say, is none of an edit. */
void state_failed(struct router *r, const struct flow *flow, uint32_t vifs);

/* The same of a membership that the kernel did not let go of, on the interface of that name. */
void state_leave_failed(struct router *r, const char *ifname, const struct flow *flow);

#endif
