/* SPDX-License-Identifier: ISC
 *
 * Two numbers of uname(2).  sscanf(3) would bring floating point into the static program.
 */
#include "kernel/linux/probe_release.h"

#include <stdlib.h>
#include <sys/utsname.h>

bool probe_release_is_since(unsigned long major, unsigned long minor)
{
	unsigned long is_major, is_minor = 0;
	struct utsname u;
	char *end;

	if (uname(&u) < 0)
		return true;
	is_major = strtoul(u.release, &end, 10);
	if (*end == '.')
		is_minor = strtoul(end + 1, NULL, 10);
	return is_major > major || (is_major == major && is_minor >= minor);
}
