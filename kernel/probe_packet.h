/* SPDX-License-Identifier: ISC
 *
 * What a packet that was seen says of itself, whatever system it was seen on.
 */
#ifndef KERNEL_PROBE_PACKET_H
#define KERNEL_PROBE_PACKET_H

#include "kernel/probe.h"

/* Reads the headers of IP and behind it, as far as n bytes go, to all of s but station, ifindex and vlan; false when
 * they are none. */
bool probe_packet_decode(const uint8_t *p, size_t n, struct probe_sniffed *s);

#endif
