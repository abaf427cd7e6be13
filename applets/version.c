/* SPDX-License-Identifier: ISC
 *
 * The version and what was built in, and the options that ask for it and for help.
 */
#include "applets/applet.h"

#include <stdio.h>

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

bool applet_told(const struct applet *a, int opt)
{
	if (opt == 'h')
		fputs(a->usage, stdout);
	else if (opt == 'v')
		printf("%s %s\n", a->name, applet_version());
	else
		return false;
	return true;
}
