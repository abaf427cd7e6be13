/* SPDX-License-Identifier: ISC
 *
 * Whether a rule of the kernel will be in the kernel, as far as the configuration tells: what router/inkernel.h says of
 * the live rules, of names in place of VIFs.
 */
#ifndef CONF_ASIDE_H
#define CONF_ASIDE_H

#include "conf/diag.h"

enum aside_why {
	ASIDE_NOT,		/* it will be */
	ASIDE_PART,		/* another rule takes a part of its sources */
	ASIDE_INPUT,		/* another rule takes packets of its group in on an output of it */
	ASIDE_ITSELF,		/* it sends out of its inbound interface */
};

struct aside {
	enum aside_why why;
	const struct conf_rule *other;	/* that rule, or NULL */
	const struct ifname *output;	/* that output, or NULL */
};

/* Why a rule of the kernel would learn instead.  Goes through all rules. */
struct aside aside_find(const struct conf *c, const struct conf_rule *rule);

/* Appends that as text: "not in the kernel, its sources are learned: ...". */
void aside_text(struct buf *out, const struct conf *c, const struct aside *aside);

/* Appends a warning for each such rule.  *is_partial: not all were looked at.  False with ENOMEM. */
bool aside_warn(const struct conf *c, struct diags *d, bool *is_partial);

#endif
