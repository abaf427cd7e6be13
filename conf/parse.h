/* SPDX-License-Identifier: ISC
 *
 * Lines to directives: the keyword table and one function for each row.  A line with an error is left out, its
 * other errors are reported all the same, and the next line starts afresh.  Nothing of the machine is looked at:
 * whether an interface exists is not asked here.
 */
#ifndef CONF_PARSE_H
#define CONF_PARSE_H

#include "conf/parser.h"

/* Parses the line that ps->in->lex has come to and adds what it says to ps->c.  A file to be included is left in
 * ps->include for the caller. */
void parse_line(struct parser *ps);

#endif
