/* SPDX-License-Identifier: ISC
 *
 * Exit codes of all three programs, and the status that the daemon sends its client: the values of sysexits(3).
 */
#ifndef LIB_STATUS_H
#define LIB_STATUS_H

enum {
	EXIT_USAGE = 64,	/* wrong words */
	EXIT_DATA = 65,		/* an argument is no valid address, prefix or name */
	EXIT_NONE = 66,		/* no such rule or membership */
	EXIT_BUSY = 69,		/* routing taken; no daemon to talk to; not in this build */
	EXIT_INTERNAL = 70,
	EXIT_SYSTEM = 71,	/* the system refused or failed */
	EXIT_NOKERNEL = 76,	/* no multicast routing in this kernel */
	EXIT_DENIED = 77,	/* not permitted */
	EXIT_CONFIG = 78,	/* errors in a configuration */
};

#endif
