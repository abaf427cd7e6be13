/* SPDX-License-Identifier: ISC
 *
 * A configuration as values: what the file says, not what the machine has.  Interfaces are names here and stay names.
 * Filled by parse.c through conf_add_*() below; nothing changes it afterwards.  The daemon makes its live rules from
 * it (router/apply.h).
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/ifname.h"
#include "lib/buf.h"
#include "lib/flow.h"
#include "lib/hash.h"

#define CONF_NONE UINT16_MAX	/* no such name */

/* Where something was written.  file: number in conf->files; 0 = typed by a client. */
struct where {
	uint32_t line;		/* from 1 */
	uint16_t col;		/* from 1, in bytes; UINT16_MAX = there or further */
	uint16_t file;
};

/* An interface name that some line has. */
struct conf_name {
	struct ifname ifname;
	uint32_t phyint;	/* number of its phyint + 1, 0 = it has none */
	uint32_t first[FAM_N];	/* rank of the first line that wants a VIF for it: a rule, a group, phyint enable; 0 =
				 * there is none */
	uint32_t list;		/* the last list of outputs that named it, while parsing */
	bool is_odd;		/* hardly meant as it stands: each line that names it has a warning */
};

/* A list of output interfaces, shared by all rules that have the same one. */
struct conf_set {
	uint32_t off;		/* first name in conf->pool */
	uint16_t n;		/* names, in the order written, none twice */
	bool is_ranked[FAM_N];	/* a rule of the family has it, so its names have their ranks */
};

struct phyint {
	struct ifname ifname;	/* of `name` */
	struct where where;
	uint16_t name;
	int8_t enable;		/* 1 enable, 0 disable, -1 not said */
	bool mrdisc;
	uint8_t ttl;		/* threshold 1-255, 0 = not said */
	uint16_t refresh;	/* seconds between reports 1-CONF_REFRESH_MAX, 0 = not said */
};

/* Seconds of a `refresh` with no number behind it, and the most there can be. */
enum { CONF_REFRESH = 60, CONF_REFRESH_MAX = 3600 };

/* A rule; or a group to join, which has the same clauses but for the outputs. */
struct conf_rule {
	struct flow_range range;
	struct where where;
	uint32_t oifs;			/* number of a conf_set; set 0 is empty: a stop filter */
	uint16_t iif;			/* number of a name */
	bool in_kernel;			/* "kernel": one entry of the kernel for all sources of its one group */
};

struct conf {
	struct conf_name *names;
	struct conf_set *sets;		/* set 0 always exists and is empty */
	uint16_t *pool;			/* names of all sets */
	struct phyint *phyints;
	struct conf_rule *mgroups, *mroutes;	/* in the order written */
	char **files;			/* names as shown in diagnostics; 0 = "command" */
	uint32_t nnames, nsets, npool, nphyints, nmgroups, nmroutes, nfiles;
	uint32_t cnames, csets, cpool, cphyints, cmgroups, cmroutes, cfiles;	/* room */
	uint32_t rank;			/* last value given to conf_name.first */
	uint32_t lists;			/* last value given to conf_name.list */
	bool is_private;		/* not everybody may read all of the files */
	struct hash by_name, by_set;
};

/* Returns an empty conf, or NULL with ENOMEM. */
struct conf *conf_new(void);
void conf_free(struct conf *c);

/* Returns the number of a new entry in c->files (name is copied), or -1 with errno. */
int conf_file(struct conf *c, const char *name);

/* Returns the number of a name, which is added when new; CONF_NONE when memory or numbers ran
 * out.  n bytes, already checked by ifname_check(). */
uint16_t conf_name(struct conf *c, const char *s, size_t n);

/* Returns the number of a name or CONF_NONE. */
uint16_t conf_name_find(const struct conf *c, const char *s, size_t n);

/* Returns the number of the set with exactly these names in this order (doubles must have been
 * dropped); UINT32_MAX when memory ran out.  n = 0 gives 0. */
uint32_t conf_set(struct conf *c, const uint16_t *names, uint32_t n);

/* Appends a directive and ranks what it names.  The number in its array, or -1 with ENOMEM.
 * A name has one phyint: what further lines say is added to the first. */
int conf_add_mroute(struct conf *c, const struct conf_rule *m);
int conf_add_mgroup(struct conf *c, const struct conf_rule *g);
int conf_add_phyint(struct conf *c, const struct phyint *p);

/* Makes room for n more rules, if there is memory for that: they will probably come. */
void conf_expect(struct conf *c, uint32_t n);

/* A join of 2^bits memberships: groups times sources; more than 2^CONF_JOIN_BITS is too many. */
#define CONF_JOIN_BITS 16
unsigned conf_join_bits(const struct flow_range *range);

#endif
