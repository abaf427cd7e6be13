/* SPDX-License-Identifier: ISC
 *
 * RFC 4286; names like MaxInitialAdvertisements are its variables.
 */
#include "kernel/mrdisc.h"

#include <arpa/inet.h>
#include <string.h>

/* MaxInitialAdvertisements, MaxInitialAdvertisementInterval in milliseconds. */
#define INITIAL 3
#define INITIAL_MS 2000

/* One byte each for type and interval, then checksum, query interval, robustness. */
enum { ADVERT_LEN = 8, SHORT_LEN = 4 };

/* The type of advertisements; solicitations and terminations follow. */
static const uint8_t mrdisc_types[FAM_N] = { [FAM_4] = 0x30, [FAM_6] = 151 };

/* RFC 1071: 16-bit ones' complement sum, over bytes in the order of the network. */
static uint32_t mrdisc_sum(uint32_t acc, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		acc += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return acc;
}

static uint16_t mrdisc_fold(uint32_t acc)
{
	while (acc >> 16)
		acc = (acc & 0xffff) + (acc >> 16);
	return (uint16_t)~acc;
}

static void mrdisc_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

size_t mrdisc_encode(enum fam fam, const struct mrdisc_msg *m, uint8_t buf[MRDISC_MAX])
{
	size_t len = m->kind == MRDISC_ADVERT ? ADVERT_LEN : SHORT_LEN;

	memset(buf, 0, MRDISC_MAX);
	buf[0] = (uint8_t)(mrdisc_types[fam] + m->kind);
	if (m->kind == MRDISC_ADVERT) {
		buf[1] = m->interval;
		mrdisc_put16(buf + 4, m->query_interval);
		mrdisc_put16(buf + 6, m->robustness);
	}
	if (fam == FAM_4)
		mrdisc_put16(buf + 2, mrdisc_fold(mrdisc_sum(0, buf, len)));
	return len;
}

bool mrdisc_decode(enum fam fam, const void *p, size_t len, struct mrdisc_msg *m)
{
	const uint8_t *b = p;
	unsigned kind;

	if (len < SHORT_LEN || len > UINT16_MAX)
		return false;
	kind = b[0] - (unsigned)mrdisc_types[fam];
	if (kind > MRDISC_TERM || (kind == MRDISC_ADVERT && len < ADVERT_LEN))
		return false;
	if (fam == FAM_4 && mrdisc_fold(mrdisc_sum(0, b, len)))
		return false;
	*m = (struct mrdisc_msg){ .kind = kind };
	if (kind == MRDISC_ADVERT) {
		m->interval = b[1];
		m->query_interval = (uint16_t)(b[4] << 8 | b[5]);
		m->robustness = (uint16_t)(b[6] << 8 | b[7]);
	}
	return true;
}

const struct addr *mrdisc_group(enum fam fam, enum mrdisc_kind kind)
{
	/* All-Routers 224.0.0.2 and ff02::2; All-Snoopers 224.0.0.106 and ff02::6a. */
	static const struct addr groups[FAM_N][2] = {
		[FAM_4] = { { .b = { [10] = 0xff, 0xff, 224, 0, 0, 106 } },
			    { .b = { [10] = 0xff, 0xff, 224, 0, 0, 2 } } },
		[FAM_6] = { { .b = { 0xff, 0x02, [15] = 0x6a } }, { .b = { 0xff, 0x02, [15] = 2 } } },
	};

	return &groups[fam][kind == MRDISC_SOLICIT];
}

/* AdvertisementJitter is 0.025 * AdvertisementInterval, either way. */
uint32_t mrdisc_delay(unsigned interval, unsigned sent, uint32_t rnd)
{
	uint32_t jitter = interval * 25;

	if (sent < INITIAL)
		return rnd % (INITIAL_MS + 1);
	return interval * 1000 - jitter + rnd % (2 * jitter + 1);
}
