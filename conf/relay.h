/* SPDX-License-Identifier: ISC
 *
 * Warns of rules that send packets out where they come in while a line joins their group there: the router holds such
 * an output back (router/reflect.h).
 */
#ifndef CONF_RELAY_H
#define CONF_RELAY_H

#include "conf/diag.h"

/* Appends a warning for each such rule.  *is_partial: not all were looked at.  False with ENOMEM. */
bool relay_warn(const struct conf *c, struct diags *d, bool *is_partial);

#endif
