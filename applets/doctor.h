/* SPDX-License-Identifier: ISC
 *
 * `smcroute-check doctor GROUP`: watches the counters of this host for a while and
 * says where the packets of that group end.  Needs no daemon and no root; what
 * it could not see it says.
 */
#ifndef APPLETS_DOCTOR_H
#define APPLETS_DOCTOR_H

#include "applets/host.h"
#include "applets/verdict.h"

#define DOCTOR_FLOWS 32		/* sources of the group that are told apart */
#define DOCTOR_SECONDS 5
#define DOCTOR_SECONDS_MAX 3600

/* One source of the group. */
struct flow {
	struct addr src;
	bool any;			/* the source is not known */
	bool entry;			/* the kernel has an entry for it: e, as it was at the end */
	struct look_mfc e;
	uint64_t right_before, wrong_before;
	int in;				/* where it arrives, ifindex; 0 = not known */
	uint64_t sniffed;
	uint8_t ttl_min, ttl_max;
	uint32_t len;			/* of its largest packet */
	bool df;
	int worst;			/* its output that lacks most, ifindex */
	struct flow_diff d;
};

struct sample {
	struct look_counters count;
	bool counted;
	struct look_vif vifs[HOST_VIFS];
	int nvifs;
	struct look_links links;
};

/* What other groups send out of an interface. */
struct others {
	uint32_t table;
	int oif;
	uint64_t before, after;
};

struct doctor {
	struct host host;
	struct addr grp;
	enum fam fam;
	unsigned seconds;
	const char *file;		/* of the configuration, NULL = none */
	bool sniffs;
	bool second;			/* the second sample is being taken */
	struct sample before, after;
	struct flow flows[DOCTOR_FLOWS];
	unsigned nflows;
	bool more;			/* sources beyond that */
	struct others others[HOST_VIFS];
	unsigned nothers, looked;
};

/* Runs `doctor GROUP [SECONDS] [FILE]`: n words.  The exit status: 0 all of it is forwarded, 1
 * not, 64 wrong words, 71. */
int doctor_main(char **words, int n, enum form form);

/* ---- doctor_diff.c ---- */

/* How often an entry counts each packet: IPv4 counts a copy too that comes back from an output
 * where this host is a member. */
unsigned doctor_copies(const struct look_mfc *e);

/* Fills in the differences of all flows. */
void doctor_diff(struct doctor *d);

/* Makes *w what the counters alone tell, for when no flow can be seen: a guess. */
void doctor_guess(struct doctor *d, struct flow *w);

/* ---- doctor_text.c ---- */

/* One flow, while it is being told. */
struct report {
	struct doctor *d;
	const struct flow *w;
	struct findings *f;
	char flow[2 * ADDR_STRLEN + 8];		/* "(S, G)" */
	char src[ADDR_STRLEN], grp[ADDR_STRLEN];
	const struct look_link *in;		/* where it arrives, NULL when not known */
	const char *in_name;
	int out[KERNEL_VIFS];			/* interfaces that it could go to */
	unsigned nout;
	bool guessed;				/* ... by no rule and no entry */
};

/* Appends the verdict on a flow to the findings, with what mends it; NULL: nothing arrives. */
enum verdict doctor_report(struct doctor *d, const struct flow *w);

/* The same for a group that no router forwards. */
void doctor_report_local(struct doctor *d);

/* ---- doctor_rule.c ---- */

/* True when a rule of the configuration is about this flow, whatever its interface. */
bool report_covers(const struct report *r, const struct mroute *m);

/* Appends the commands that give the running router, or one yet to be started, the rule. */
void report_fix_rule(struct report *r, bool with_source);

#endif
