/* SPDX-License-Identifier: ISC
 *
 * The order in which names get VIFs.
 */
#ifndef ROUTER_RANK_H
#define ROUTER_RANK_H

#include "conf/conf.h"
#include "router/ruleset.h"

/* Ranks the names of the rules in force, those of the configuration among them: in the order of first references in
 * that, and then in the order of the rules behind it.  names: the live number of each name of the configuration. */
void rank_names(struct ruleset *s, const struct conf *c, const uint32_t *names);

#endif
