/* SPDX-License-Identifier: ISC
 *
 * The version and what was built in.
 */
#include "applets/applet.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

const char *applet_version(void)
{
	return VERSION " (ipv4 ipv6 tables"
	       /* A feature that was left out is named with a minus. */
#if WITH_MRDISC
	       " mrdisc"
#else
	       " -mrdisc"
#endif
#if WITH_HOST
	       " host"
#else
	       " -host"
#endif
	       ")";
}
