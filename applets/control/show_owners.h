/* SPDX-License-Identifier: ISC
 *
 * Who asks for a rule or a join, as tables and `monitor` say it.
 */
#ifndef APPLETS_CONTROL_SHOW_OWNERS_H
#define APPLETS_CONTROL_SHOW_OWNERS_H

#include "router/router.h"

/* Appends "owners", a list of names, to a JSON object: those who ask for rule id of t. */
void show_owners_json(const struct router *r, const struct rules *t, uint32_t id, struct buf *out);

/* Appends the same as text: "config", or of a route of several "config (eth1), iptv (eth1 eth2)". */
void show_owners_text(const struct router *r, const struct rules *t, uint32_t id, struct buf *out);

#endif
