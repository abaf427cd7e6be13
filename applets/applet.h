/* SPDX-License-Identifier: ISC
 *
 * What the one binary needs to know of each program in it.  Usage text lives in the applet's own file; smcroute.c
 * prints it.
 */
#ifndef APPLETS_APPLET_H
#define APPLETS_APPLET_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/status.h"

struct applet {
	const char *name;
	const char *summary;	/* one line for `smcroute --help` */
	const char *usage;	/* whole help text, ends with a newline */
	int (*main)(int argc, char **argv);
};

extern const struct applet smcroutectl_applet;
extern const struct applet smcroute_check_applet;

/* A bit for the letter of an option, upper or lower case: of those that were given. */
#define OPTION(letter) (1u << ((letter) & 31))

/* "0.1 (features ...)": what --version and -v print behind the program's name. */
const char *applet_version(void);

/* "0.1": the version alone. */
const char *applet_number(void);

/* Prints what -h and -v ask for; false when opt is another option. */
bool applet_told(const struct applet *a, int opt);

/* Returns the one of list[n] that a mistyped name was probably meant to be, or NULL. */
const struct applet *applet_near(const char *name, const struct applet *const *list, unsigned n);

/* Runs an applet: its exit status. */
int applet_run(const struct applet *a, int argc, char **argv);

/* One line on standard error, behind the name of the applet that runs; returns status. */
int applet_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Writes len bytes of text as they are, but to a terminal escaped (text_escape()), newlines and tabs excepted: it would
 * obey control characters.  False when they could not be written, or memory ran out. */
bool applet_put(FILE *to, const char *text, size_t len);

#endif
