/* SPDX-License-Identifier: ISC
 *
 * Watching a group: two samples of the counters, and between them the packets of the group as they arrive, where we may
 * see them.  What it all means is for diff.h and those above it.
 */
#ifndef APPLETS_DOCTOR_SAMPLE_H
#define APPLETS_DOCTOR_SAMPLE_H

#include "applets/doctor/host.h"
#include "applets/doctor/verdict.h"

#define SAMPLE_FLOWS 32		/* sources of the group that are told apart */

/* One source of the group. */
struct sample_flow {
	struct flow_diff d;		/* seen, arrived and ttl are set as its packets come, the rest by diff.h */
	bool any_source;		/* the source is not known */
	bool has_entry;			/* the kernel has an entry for it: e, as it was at the end */
	int in;				/* where it arrives, ifindex; 0 = not known */
	int worst;			/* its output that lacks most, ifindex */
	uint32_t len;			/* of its largest packet */
	uint64_t right_before, wrong_before;
	struct addr src;
	struct probe_mfc e;
};

struct sample {
	struct probe_counters count;
	struct host_vifs vifs;		/* of the second one: diff.h makes it what they count more than before */
};

/* What other groups send out of an interface. */
struct sample_others {
	uint32_t table;
	int oif;
	uint64_t packets[2];		/* in each sample */
};

/* Is all zero at the start, but for group, fam and seconds. */
struct doctor {
	struct addr group;
	enum fam fam;
	unsigned seconds;
	const char *file;		/* of the configuration, NULL = none */
	bool sniffs;			/* the packets themselves were seen */
	bool is_uncounted;		/* the counters of the host cannot be seen */
	bool is_second;			/* the second sample is being taken */
	bool has_more;			/* sources beyond those of flows[] */
	unsigned nflows, nothers, looked;
	struct host host;
	struct probe_links links_before;
	struct sample_flow unknown;	/* reported when there is no other */
	struct sample_flow flows[SAMPLE_FLOWS];
	struct sample_others others[HOST_VIFS + 1];	/* the last stays free */
	struct sample before, after;
};

/* Takes both samples, d->seconds apart, and looks at the host beside a configuration.  0, or -1 with errno; in either
 * case sample_free() ends it. */
int sample_take(struct doctor *d, const struct conf *c);
void sample_free(struct doctor *d);

/* How often an entry counts each packet: IPv4 counts a copy too that comes back from an output where this host is a
 * member. */
unsigned sample_copies(const struct probe_mfc *e);

/* What other groups send out of an interface, or the first free place for it. */
struct sample_others *sample_others(struct doctor *d, uint32_t table, int oif);

#endif
