/* SPDX-License-Identifier: ISC
 *
 * The rule that a flow lacks, as the command that adds it: which interfaces it should go out of, and which program to
 * give it to.
 */
#ifndef APPLETS_DOCTOR_RULE_H
#define APPLETS_DOCTOR_RULE_H

#include "applets/doctor/remedy.h"
#include "applets/doctor/sample.h"

/* One flow, while it is being reported. */
struct report {
	struct doctor *d;
	struct findings *f;
	const struct sample_flow *w;
	const struct probe_link *in;		/* where it arrives, NULL when not known */
	const char *in_name;
	enum fam fam;
	const struct host_fam *k;		/* of this host */
	char group[ADDR_STRLEN];
	char flow[FLOW_STRLEN];			/* "(S, G)" */
	char src[ADDR_STRLEN];			/* "" when not known */
	char in_word[REMEDY_WORD];		/* in_name for a shell */
};

/* True when a rule of the configuration waits for the flow on an interface. */
bool rule_waits_on(const struct report *r, const struct probe_link *l);

/* Appends the commands that give the running router, or one yet to be started, the rule; src = "": for any source. */
void rule_fix(struct report *r, const char *src);

#endif
