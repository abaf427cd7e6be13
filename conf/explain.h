/* SPDX-License-Identifier: ISC
 *
 * What a configuration does with one packet: which rules match and which of them decide, what comes out, and if
 * nothing does, why.  The question of a person in front of one flow, so the rules are simply gone through.  No
 * interface of this machine is looked at: a wildcard stands for what it would match.  As JSON: explain_json.h.
 */
#ifndef CONF_EXPLAIN_H
#define CONF_EXPLAIN_H

#include "conf/conf.h"

/* What becomes of the packet, and why. */
enum explain_reason {
	EXPLAIN_FORWARDED, EXPLAIN_NO_RULE, EXPLAIN_STOPPED, EXPLAIN_INPUT_DISABLED, EXPLAIN_OUTPUTS_DISABLED,
	EXPLAIN_SOURCE_STAYS, EXPLAIN_GROUP_STAYS,
};

struct explanation {
	const struct conf *c;		/* not owned, as the next two */
	const char *iif;
	const struct flow *packet;
	struct explained {
		const struct conf_rule *rule;
		const struct conf_rule *narrower;	/* for which it is set aside; NULL: it decides */
	} *rules;			/* those that match, in the order written */
	uint32_t n, cap;
	const struct conf_rule *nearest;	/* when none matches: the one that is nearest to it, or NULL */
	unsigned misses;		/* what keeps that one from matching, a sum of MISS_* of match.h */
	const struct conf_rule *stop;	/* a rule that decides and has no outputs, or NULL */
	const struct phyint *in_disabled;	/* the line that disables the inbound interface, or NULL */
	bool *is_output;		/* by name: a rule that decides has it as an output */
	enum explain_reason reason;
};

/* An output and what its phyint lines say. */
struct explain_output {
	bool is_used;			/* packets go there */
	const struct phyint *disabled;	/* the line that disables it, or some of it, or NULL */
	const struct phyint *but;	/* the line that enables a part of that, or NULL */
	uint8_t ttl;			/* only packets with a TTL above that; 0 = all */
};

/* Fills *x in for a packet that comes in on the interface `iif` (no alias).  All that is handed over has to stay until
 * explain_free().  False with ENOMEM; *x is to be freed all the same. */
bool explain_packet(struct explanation *x, const struct conf *c, const char *iif, const struct flow *packet);
void explain_free(struct explanation *x);

/* What is to be said about the output with this number of a name. */
struct explain_output explain_output(const struct explanation *x, uint32_t name);

/* True when a rule that matches decides, says "kernel" and is there. */
bool explain_in_kernel(const struct explanation *x, const struct explained *e);

/* Appends the answer as lines of text. */
void explain_text(struct buf *out, const struct explanation *x);

#endif
