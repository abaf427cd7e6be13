/* SPDX-License-Identifier: ISC
 *
 * Two samples of what a host counts, around the time that observe.h watches a group; and all else that is known of it.
 * What it all means is for evidence.h and those above it.
 */
#ifndef APPLETS_DOCTOR_SAMPLE_H
#define APPLETS_DOCTOR_SAMPLE_H

#include "applets/doctor/flows.h"
#include "applets/doctor/host.h"
#include "applets/doctor/running.h"

/* What bridges know of the members of the group, and of routers. */
struct sample_mdb {
	struct probe_mdb *v;		/* owned */
	uint32_t n, cap;
	bool is_unseen;			/* not all of it could be read */
};

struct sample {
	struct probe_counters count;
	struct host_vifs vifs;
	struct sample_mdb mdb;
};

/* What entries send out of an interface. */
struct sample_load {
	uint32_t table;
	int oif;
	uint64_t packets[2];		/* of other groups, in each sample */
	uint64_t ours;			/* of the flows that are watched, between them */
};

/* A group that this host is a member of, on an interface. */
struct sample_member {
	int ifindex;
	struct addr group;
};

#define SAMPLE_LEAST 1000		/* milliseconds */

/* Is all zero at the start, but for group or is_all, fam, seconds, file and shows_progress. */
struct doctor {
	struct addr group;
	bool is_all;			/* groups of the family, instead */
	bool shows_progress;		/* on standard error */
	struct probe_sniff sockets;
	enum fam fam;
	unsigned seconds;
	const char *file;		/* of the configuration, NULL = none */
	struct conf *file_conf;		/* what it says, empty without one; owned */
	struct diags file_diags;	/* and what is wrong with it */
	struct running running;		/* the router that runs here, when it is ours */
	bool sniffs;			/* the packets themselves were seen */
	bool is_unseen;			/* no entries of this family can be seen, and the other one is watched */
	bool is_uncounted;		/* the counters of the host cannot be seen */
	bool is_second;			/* the second sample is being taken */
	bool is_short;			/* it was ended before SAMPLE_LEAST: that nothing came says nothing */
	unsigned counts;		/* stations whose packets count now, a bit each */
	unsigned nloads, nmoved;	/* nmoved: flows that entries counted packets of; evidence.h sets it */
	uint32_t nmembers, cmembers;
	uint64_t unread;		/* packets that came quicker than they were read */
	struct sample_member *members;	/* owned; sorted */
	struct host host;
	struct probe_links links_before;
	struct flows flows;
	struct sample_load loads[HOST_VIFS];
	uint64_t copies;		/* that all VIFs counted; evidence.h sets it */
	struct sample before, after;
	struct filters *filters_before;	/* as they were when the watch began; owned, NULL = they may not be read */
	struct passage_memo *memo;	/* what passage.h remembers; owned, NULL = nothing */
};

/* Begins the first sample: interfaces as they are.  0, or -1 with errno; sample_free() ends it. */
int sample_first(struct doctor *d);

/* The same of the second one, whose interfaces are those of d->host, at its end. */
int sample_second(struct doctor *d);

/* What this host and its VIFs have counted in one of the samples, between interfaces and entries; and its entries.
 * Once more when they were read before.  sample_entries(): as sample_first(). */
void sample_counters(struct doctor *d, bool is_second);
int sample_entries(struct doctor *d, bool is_second);

/* After both looks at the router that runs here, at the file, and at the host beside the rules in force: those that the
 * router tells, or else those of the file.  As sample_first(). */
int sample_look(struct doctor *d);
void sample_free(struct doctor *d);

/* True when the router that answers reads the file that is looked at, or which one it reads is not known. */
bool sample_is_its_file(struct doctor *d);

/* True when this host is a member of a group on an interface. */
bool sample_is_member(const struct doctor *d, int ifindex, const struct addr *group);

/* An interface as it was in the first sample; NULL when it was not there. */
const struct probe_link *sample_before(const struct doctor *d, const struct probe_link *l);

/* Packets that an interface has handed to its driver since the first sample, of whatever kind. */
uint64_t sample_sent(const struct doctor *d, const struct probe_link *l);

/* The same of those that the driver, its queue, and filters of tc, dropped. */
uint64_t sample_unsent(const struct doctor *d, const struct probe_link *l);
uint64_t sample_queue_drops(const struct doctor *d, const struct probe_link *l);
uint64_t sample_filter_drops(const struct doctor *d, const struct probe_link *l);

/* The first entry that is not before a flow, or m->n: they are sorted by group, then source, any source first. */
uint32_t sample_mdb_find(const struct sample_mdb *m, const struct flow *flow);

/* How often an entry counts each packet: IPv4 counts a copy too that comes back from an output where this host is a
 * member. */
unsigned sample_copies(const struct doctor *d, const struct probe_mfc *e);

/* How much more a counter has; one that was reset or wrapped counts from 0. */
uint64_t sample_more(uint64_t before, uint64_t after);

/* What entries send out of an interface; NULL when there is no room for it. */
struct sample_load *sample_load(struct doctor *d, uint32_t table, int oif);

#endif
