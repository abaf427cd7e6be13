/* SPDX-License-Identifier: ISC
 *
 * This host as smcroute-check sees it: one look at its interfaces, its kernel, its router and its packet filter, beside
 * a configuration.  The checks of -H and doctor read it; nothing here changes anything.
 */
#ifndef APPLETS_DOCTOR_HOST_H
#define APPLETS_DOCTOR_HOST_H

#include "applets/doctor/finding.h"
#include "conf/conf.h"
#include "kernel/probe.h"

#define HOST_VIFS (8 * KERNEL_VIFS)

/* What a configuration wants of the interfaces that a name means. */
struct host_use {
	struct where where;		/* that names it first */
	bool in, join;			/* the input of a rule; of a membership */
	bool fam[FAM_N];
	bool joins[FAM_N];		/* the families of its memberships */
	bool is_disabled;		/* by the phyint line that holds for all of them */
};

/* VIFs of all tables of a family. */
struct host_vifs {
	int n;				/* -1: not to be seen */
	struct probe_vif v[HOST_VIFS];
};

/* What there is once a family. */
struct host_fam {
	const char *name;
	enum fam fam;
	bool is_wanted;			/* conf has rules or memberships of it, or none at all */
	tristate taken;			/* somebody holds a routing socket */
	bool is_foreign;		/* the holder is no smcrouted */
	bool is_old;			/* or one of SMCRoute 2.x */
	bool is_guess;			/* by its name alone */
	int holder;			/* pid, 0 = none seen */
	char comm[32];
	struct probe_support support;
	struct host_vifs vifs;
};

struct host {
	struct findings found;
	const struct conf *conf;	/* not owned */
	const char *ctl;		/* "smcroutectl", with what the daemon here needs; not owned */
	struct host_use *use;		/* of each name in conf */
	struct probe_links links;
	bool *is_disabled;		/* of each link: by the phyint line that holds for it */
	struct filters *filters;	/* NULL: no memory for them */
	struct host_fam of[FAM_N];
};

/* Looks.  All zero before, but for links that were read already.  0, or -1 with errno; host_free() in either case. */
int host_probe(struct host *h, const struct conf *c);
void host_free(struct host *h);

/* Prints what failed with errno to stderr; returns EXIT_SYSTEM. */
int host_failed(const char *what);

/* Writes "process 812 (pimd)" of the holder, as far as it is known, to text[HOLDER]; returns text. */
#define HOLDER 96
const char *host_holder(const struct host_fam *k, char *text);

/* An interface by index; NULL when there is none. */
const struct probe_link *host_link(const struct host *h, int ifindex);

/* Its name, "?" when it is gone. */
const char *host_name(const struct host *h, int ifindex);

/* True when a name of the configuration means an interface. */
bool host_means(const struct host *h, uint32_t name, const struct probe_link *l);

/* True when the configuration uses an interface in a family, and no phyint line disables it. */
bool host_uses(const struct host *h, const struct probe_link *l, enum fam fam);

/* The next interface after *i that a name of the configuration means and no phyint line disables; NULL at the end.
 * Starts with *i = 0. */
const struct probe_link *host_match(const struct host *h, uint32_t name, uint32_t *i);

/* The next interface that a rule sends to; NULL at the end.  Starts with all zero. */
struct host_output {
	uint32_t name, link;
};
const struct probe_link *host_output(const struct host *h, const struct conf_rule *m, struct host_output *at);

/* The VIF of an interface in a table; with table 0 in any.  NULL when it has none. */
const struct probe_vif *host_vif(const struct host_vifs *vifs, int ifindex, uint32_t table);

/* Adds which rules of packet filters cannot be seen, if any. */
void host_unseen_filters(struct host *h);

#endif
