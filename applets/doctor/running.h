/* SPDX-License-Identifier: ISC
 *
 * The smcrouted that runs here, as its socket and its command line tell: the rules in force, what waits and why, its
 * file, and how its client is told which one is meant.  Nothing is changed in it.
 */
#ifndef APPLETS_DOCTOR_RUNNING_H
#define APPLETS_DOCTOR_RUNNING_H

#include "applets/doctor/host.h"
#include "conf/diag.h"

/* The identity that is proposed for a daemon where the usual one is taken. */
#define RUNNING_OWN "here"

/* All zero at the start. */
struct running {
	int pid;			/* of the smcrouted that answers, 0 = none */
	uint32_t table;			/* that it has its routes in, 0 = the default one */
	int silent;			/* of one that takes connections and does not answer */
	int old;			/* of one that does not know our questions: SMCRoute 2.x */
	int waited;			/* ms, for listeners that are behind */
	bool is_behind;			/* one was to the end */
	bool answers;			/* conf, pending and metrics are what it said */
	bool is_crowded;		/* one of another network namespace has a socket here */
	struct conf *conf;		/* rules in force; owned, NULL = not known */
	struct buf pending, metrics;	/* what its client shows */
	struct buf ctl;			/* "smcroutectl", with -i or -u where it needs them */
	struct buf file;		/* of its configuration, as far as it is known */
};

/* Looks for a smcrouted: pid is the holder of the routing socket, 0 = not known.  False when memory ran out;
 * running_free() in any case. */
bool running_find(struct running *r, int pid);
void running_free(struct running *r);

/* Corrects who holds the routing sockets by what the smcrouted that was found says: one process may have sockets of
 * both families, and route one of them. */
void running_holders(struct running *r, struct host *h);

/* The client's name and options for a command to be pasted. */
const char *running_ctl(struct running *r);

/* Why a rule of r->conf waits, as `show pending -d` has it; false when it does not.  Appended to *why. */
bool running_pending(struct running *r, const struct conf_rule *m, struct buf *why);

/* A number of its metrics, summed up over all lines of that name; 0 when there is none. */
#define RUNNING_REFUSED "smcroute_refused_total"	/* new sources, for want of room */
uint64_t running_metric(struct running *r, const char *name);

#endif
