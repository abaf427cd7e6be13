/* SPDX-License-Identifier: ISC
 *
 * What a configuration does with one packet: which rules match, what comes out,
 * and if nothing does, why.  The question of a person in front of one flow, so
 * the rules are simply gone through.  No interface of this machine is looked at:
 * a wildcard stands for what it would match.
 */
#ifndef CONF_EXPLAIN_H
#define CONF_EXPLAIN_H

#include "conf/match.h"

/* An output that a matching rule names, and the phyint lines that hold for it. */
struct explain_output {
	const struct ifname *ifname;
	struct phyint_match phyint;
	const struct phyint *but;	/* a line that enables what a disabled wildcard means in part, or NULL */
};

struct explanation {
	const struct conf *conf;
	const char *iif;
	struct flow packet;
	const struct conf_rule **rules;	/* that match, in the order of the file */
	struct explain_output *outputs;	/* of all of them, each once */
	uint32_t nrules, noutputs;
	const struct conf_rule *nearest;	/* where none matches: the rule that comes nearest, or NULL */
	unsigned misses;		/* what keeps that from matching: a sum of MISS_* */
	const struct phyint *iif_disabled;	/* the line that disables the inbound interface, or NULL */
	bool is_link_local;		/* no router forwards the group */
	bool comes_out;			/* at least one output gets the packet */
};

/* Fills *x in for a packet that comes in on the interface `iif` (no alias).  False with ENOMEM.  *x points
 * into c and iif, which must outlive it; explain_free() in either case. */
bool explain_packet(struct explanation *x, const struct conf *c, const char *iif, const struct flow *packet);

/* Appends the answer as lines of text. */
void explain_print(struct buf *out, const struct explanation *x);

void explain_free(struct explanation *x);

#endif
