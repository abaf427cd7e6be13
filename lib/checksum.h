/* SPDX-License-Identifier: ISC
 *
 * The checksum of the Internet protocols (RFC 1071).
 */
#ifndef LIB_CHECKSUM_H
#define LIB_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The 16-bit ones' complement sum over len bytes, as a number: 0 over a message that has the right one in it. */
uint16_t checksum_of(const uint8_t *p, size_t len);

/* Writes it, in the order of the network, to a message that has 0 there. */
void checksum_put(uint8_t *p, size_t len, size_t at);

#endif
