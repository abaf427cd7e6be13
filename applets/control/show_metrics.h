/* SPDX-License-Identifier: ISC
 *
 * `show metrics`: counters and gauges in the OpenMetrics text format 1.0.
 */
#ifndef APPLETS_CONTROL_SHOW_METRICS_H
#define APPLETS_CONTROL_SHOW_METRICS_H

#include "applets/control/show_table.h"

/* Writes what is due in a turn: true when that was all. */
bool show_metrics(struct show *s);

#endif
