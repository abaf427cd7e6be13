/* SPDX-License-Identifier: ISC
 * See checksum.h. */
#include "lib/checksum.h"

uint16_t checksum_of(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

void checksum_put(uint8_t *p, size_t len, size_t at)
{
	uint16_t sum = checksum_of(p, len);

	p[at] = (uint8_t)(sum >> 8);
	p[at + 1] = (uint8_t)sum;
}
