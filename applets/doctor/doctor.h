/* SPDX-License-Identifier: ISC
 *
 * `smcroute-check doctor GROUP`: watches the counters of this host for a while and
 * says where the packets of that group end.  Needs no daemon and no root; what
 * it could not see it says.
 */
#ifndef APPLETS_DOCTOR_DOCTOR_H
#define APPLETS_DOCTOR_DOCTOR_H

#include "applets/doctor/host.h"
#include "applets/doctor/verdict.h"

#define DOCTOR_FLOWS 32		/* sources of the group that are told apart */
#define DOCTOR_SECONDS 5
#define DOCTOR_SECONDS_MAX 3600

/* One source of the group. */
struct seen {
	struct flow_diff d;		/* seen, arrived and ttl are set as its packets come */
	bool any;			/* the source is not known */
	bool entry;			/* the kernel has an entry for it: e, as it was at the end */
	int in;				/* where it arrives, ifindex; 0 = not known */
	int worst;			/* its output that lacks most, ifindex */
	uint32_t len;			/* of its largest packet */
	uint64_t right_before, wrong_before;
	struct addr src;
	struct probe_mfc e;
};

struct sample {
	struct probe_counters count;
	struct host_vifs vifs;		/* of the second one: what they count more than before */
};

/* What other groups send out of an interface. */
struct others {
	uint32_t table;
	int oif;
	uint64_t packets[2];		/* in each sample */
};

/* Is all zero at the start. */
struct doctor {
	struct addr grp;
	enum fam fam;
	unsigned seconds;
	const char *file;		/* of the configuration, NULL = none */
	bool sniffs;
	bool uncounted;			/* the counters of the host cannot be seen */
	bool second;			/* the second sample is being taken */
	bool more;			/* sources beyond those of flows[] */
	unsigned nflows, nothers, looked;
	struct host host;
	struct probe_links links_before;
	struct seen unknown;		/* told when there is no other */
	struct seen flows[DOCTOR_FLOWS];
	struct others others[HOST_VIFS + 1];	/* the last stays free */
	struct sample before, after;
};

/* Runs `doctor GROUP [SECONDS] [FILE]`: n words.  The exit status: 0 all of it is forwarded, 1
 * not, 64 wrong words, 71. */
int doctor_main(char **words, int n, enum form form);

/* ---- doctor_diff.c ---- */

/* How often an entry counts each packet: IPv4 counts a copy too that comes back from an output
 * where this host is a member. */
unsigned doctor_copies(const struct probe_mfc *e);

/* Fills in the differences of all flows. */
void doctor_diff(struct doctor *d);

/* Makes d->unknown what the counters alone tell, for when no flow can be seen: a guess. */
void doctor_guess(struct doctor *d);

/* What other groups send out of an interface, or the first free place for it. */
struct others *doctor_others(struct doctor *d, uint32_t table, int oif);

/* Asks the packet filter about a flow that comes in on iif (0 = not known): before it is routed,
 * or on its way to each output of its entry.  Returns how many chains drop it, or might.  With f
 * only those that surely do, else those that might, and what mends each is appended. */
unsigned doctor_judge(const struct doctor *d, const struct seen *w, int iif, bool before,
		      struct findings *f);

/* ---- doctor_text.c ---- */

/* One flow, while it is being told. */
struct report {
	struct doctor *d;
	struct findings *f;
	const struct seen *w;
	const struct probe_link *in;		/* where it arrives, NULL when not known */
	const char *in_name;
	enum fam fam;
	const struct host_fam *k;		/* of this host */
	unsigned nout;				/* of out[] */
	char grp[ADDR_STRLEN];
	char flow[2 * ADDR_STRLEN + 8];		/* "(S, G)" */
	char src[ADDR_STRLEN];			/* "" when not known */
	char in_word[WORD_LEN];			/* in_name for a shell */
	const struct probe_link *out[KERNEL_VIFS];	/* interfaces that it could go to */
};

/* Appends the verdict on a flow to the findings, with what mends it. */
enum verdict doctor_report(struct doctor *d, const struct seen *w);

/* The same for a group that no router forwards. */
void doctor_report_local(struct doctor *d);

/* ---- doctor_rule.c ---- */

/* True when a rule of the configuration waits for the flow on an interface. */
bool report_rule_on(const struct report *r, const struct probe_link *l);

/* Appends the commands that give the running router, or one yet to be started, the rule; src =
 * "": for any source. */
void report_fix_rule(struct report *r, const char *src);

#endif
