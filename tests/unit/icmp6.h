/* SPDX-License-Identifier: ISC
 *
 * The checksum of ICMPv6, which the kernel fills in and checks for the program.
 */
#ifndef TESTS_UNIT_ICMP6_H
#define TESTS_UNIT_ICMP6_H

#include "lib/addr.h"

static inline uint32_t icmp6_sum(uint32_t sum, const void *p, size_t len)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? b[i] : (uint32_t)b[i] << 8;
	return sum;
}

/* Of len bytes (RFC 4443, section 2.3), in the order of memory; 0 over a message that has the right one in it. */
static inline uint16_t icmp6_checksum(const struct addr *src, const struct addr *dst, const void *p, size_t len)
{
	/* Pseudo header (RFC 8200, section 8.1): addresses, length, next header. */
	uint32_t sum = icmp6_sum(icmp6_sum(icmp6_sum((uint32_t)len + 58, src->b, 16), dst->b, 16), p, len);

	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

#endif
