/* SPDX-License-Identifier: ISC
 *
 * Warnings about a configuration whose lines are all right one by one: what cannot work as it is written, whatever
 * the machine looks like.  Nothing here is an error.
 */
#ifndef CONF_WARN_H
#define CONF_WARN_H

#include "conf/diag.h"

/* Appends the warnings about a configuration to d. */
void conf_warn(const struct conf *c, struct diags *d);

/* What is to be said besides of a group, as text, that stays on its link: "" or what else does the work. */
const char *warn_tool(const char *group);

#endif
