/* SPDX-License-Identifier: ISC
 *
 * Readiness towards the init system by the sd_notify(3) protocol, without its library.  Without NOTIFY_SOCKET in the
 * environment nothing is sent.
 */
#ifndef LIB_NOTIFY_H
#define LIB_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Reads NOTIFY_SOCKET, FDSTORE, WATCHDOG_USEC and WATCHDOG_PID and removes them from the environment, so that no
 * program we start takes them for its own. */
void notify_init(void);

/* Sends lines such as "READY=1\nSTATUS=...", up to 1023 bytes.  When that fails there is nobody to tell. */
void notify_send(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The same, up to 1023 bytes too, with a descriptor, which stays open here.  0, or -1 with errno. */
int notify_send_fd(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Sends nothing from now on, or again: as long as another process is the one that it is told of. */
void notify_mute(bool on);

/* Nobody is there to be told any more. */
void notify_leave(void);

/* True when somebody is there to be told. */
bool notify_is_heard(void);

/* True when it says that it stores descriptors (FDSTORE in the environment: systemd since version 254, and our own
 * keeper). */
bool notify_has_store(void);

/* Sends RELOADING=1 with the MONOTONIC_USEC that goes with it. */
void notify_reloading(void);

/* What was in the environment, for a program that goes on in our place: NOTIFY_SOCKET, or NULL, and FDSTORE, or 0. */
const char *notify_socket(void);
int64_t notify_store_size(void);

/* How long we may be silent in microseconds, 0 when nobody watches.  Send "WATCHDOG=1" at half of it. */
uint64_t notify_watchdog_usec(void);

#endif
