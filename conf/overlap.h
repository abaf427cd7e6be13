/* SPDX-License-Identifier: ISC
 *
 * Warnings about rules for the same packets: one that another rule makes superfluous; and two that go both ways, where
 * one sends from a to b what the other sends from b to a.  That is often meant, and a loop wherever a and b also meet
 * elsewhere.
 */
#ifndef CONF_OVERLAP_H
#define CONF_OVERLAP_H

#include "conf/diag.h"

/* Appends the warnings to d.  wider: by name, the next wider wildcard or CONF_NONE.  *is_partial becomes true when
 * there were too many prefix lengths to look at all.  False when memory ran out. */
bool overlap_warn(const struct conf *c, const uint16_t *wider, struct diags *d, bool *is_partial);

#endif
