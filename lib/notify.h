/* SPDX-License-Identifier: ISC
 *
 * Readiness towards the init system by the sd_notify(3) protocol, without its library.  Without NOTIFY_SOCKET in the
 * environment nothing is sent.
 */
#ifndef LIB_NOTIFY_H
#define LIB_NOTIFY_H

#include <stdint.h>

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment, so that no program we
 * start takes them for its own. */
void notify_init(void);

/* Sends lines such as "READY=1\nSTATUS=...", up to 1023 bytes.  When that fails there is nobody to tell. */
void notify_send(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Sends RELOADING=1 with the MONOTONIC_USEC that goes with it. */
void notify_reloading(void);

/* How long we may be silent in microseconds, 0 when nobody watches.  Send "WATCHDOG=1" at half of it. */
uint64_t notify_watchdog_usec(void);

#endif
