/* SPDX-License-Identifier: ISC
 *
 * The program smcrouted.
 */
#ifndef APPLETS_SMCROUTED_H
#define APPLETS_SMCROUTED_H

#include "applets/applet.h"

extern const struct applet smcrouted_applet;

#endif
