/* SPDX-License-Identifier: ISC
 *
 * What the files of conf_warn() share: how names are used, and which wildcards
 * cover which.  Private to conf/.
 */
#ifndef CONF_WARN_H
#define CONF_WARN_H

#include "conf/conf.h"

#define WARN(d, where, ...) diag_add(d, where, false, NULL, 0, __VA_ARGS__)

/* Where a rule or group first refers to a name. */
struct use {
	struct where where;
	bool used;
};

struct name_use {
	struct use use[FAM_N];
	uint16_t wider;		/* the next wider wildcard, CONF_NONE = none */
	bool told;
};

struct names {
	const struct conf *c;
	struct name_use *v;	/* by name */
};

/* Warns of rules that another one makes superfluous, and of rules that go both ways. */
void warn_overlap(const struct names *w, struct diags *d);

#endif
