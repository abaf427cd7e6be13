/* SPDX-License-Identifier: ISC
 *
 * Which Linux this is, where nothing else tells what it does.  Private to this room.
 */
#ifndef KERNEL_LINUX_PROBE_RELEASE_H
#define KERNEL_LINUX_PROBE_RELEASE_H

#include <stdbool.h>

/* True when this kernel is that version or a newer one; distributions may have changed what either does. */
bool probe_release_is_since(unsigned long major, unsigned long minor);

#endif
