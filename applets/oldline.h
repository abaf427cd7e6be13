/* SPDX-License-Identifier: ISC
 *
 * `smcroute` with the options that it had in SMCRoute 0.9 to 2.5, when it was daemon and client in one, or a script in
 * front of both: start scripts still call it so.
 */
#ifndef APPLETS_OLDLINE_H
#define APPLETS_OLDLINE_H

#include <stdbool.h>

#include "lib/buf.h"

/* True when the first word of a command line of `smcroute` is an option of one letter. */
bool oldline_is(int argc, char **argv);

/* Appends what such a line means as commands of today for a shell, with "; " between them.  0, or the exit status; then
 * it has been said on standard error what is wrong with the line. */
int oldline_rewrite(int argc, char **argv, struct buf *to);

/* Runs such a line, one thing after the other: the exit status of the first that failed.  Nothing more is run when the
 * daemon does not start. */
int oldline_run(int argc, char **argv);

#endif
