/* SPDX-License-Identifier: ISC
 *
 * Checking a file as a whole, as smcroute-check and `smcrouted -F` do.
 */
#ifndef CONF_CHECK_H
#define CONF_CHECK_H

#include "conf/diag.h"

/* Parses a file and warns.  Diagnostics come sorted by file, line and column; with `lines` each gets its line as far
 * as it can be had.  As conf_parse_file() otherwise. */
bool conf_check(struct conf *c, struct diags *d, const char *file, bool lines);

#endif
