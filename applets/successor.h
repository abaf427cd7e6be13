/* SPDX-License-Identifier: ISC
 *
 * How a program that goes on for this process is run: its command line, its environment, and in this very process.
 */
#ifndef APPLETS_SUCCESSOR_H
#define APPLETS_SUCCESSOR_H

#include "applets/state.h"

/* In the environment of a program that is to take over: the descriptor of its connection; and "NAME=NUMBER NAME=..." of
 * descriptors when it runs in the place of the old one. */
#define SUCCESSOR_CONNECTION "SMCROUTE_CONNECTION"
#define SUCCESSOR_FDS "SMCROUTE_FDS"

/* In the environment of a program that a keeper has run, or a daemon that has one for an upgrade: the pid of the
 * keeper. */
#define SUCCESSOR_KEEPER "SMCROUTE_KEEPER"

/* The command line of a program that goes on for this one: its options, and -T, which a program that does not know it
 * refuses; for a trial also what ends it when the configuration has been read; or, where there is nobody to take over
 * from, without -T.  NULL with ENOMEM.  The array alone is to be freed. */
enum successor_kind { SUCCESSOR_TAKEOVER, SUCCESSOR_TRIAL, SUCCESSOR_ALONE };
char **successor_argv(const struct settings *s, enum successor_kind kind);

/* The environment of that program: ours, with what the init system gave us, and `more`, which is NAME=VALUE or NULL.
 * NULL with ENOMEM.  The array alone is to be freed. */
char **successor_environment(const struct daemon *d, char *more);

/* Runs the program at the daemon's path in this process, which goes on with the descriptors.  why: for the log.
 * Returns when that failed, with errno. */
void successor_in_place(struct daemon *d, const char *why);

#endif
