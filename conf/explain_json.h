/* SPDX-License-Identifier: ISC
 *
 * The answer of explain.h as JSON.
 */
#ifndef CONF_EXPLAIN_JSON_H
#define CONF_EXPLAIN_JSON_H

#include "conf/explain.h"

/* Appends the answer as one object; smcroute-check(8) lists its keys. */
void explain_json(struct buf *out, const struct explanation *x);

#endif
