/* SPDX-License-Identifier: ISC */
#include "kernel/mrdisc.h"

#include <arpa/inet.h>
#include <string.h>

#include "lib/checksum.h"

/* MaxInitialAdvertisementInterval in milliseconds. */
#define INITIAL_MS 2000

/* One byte each for type and interval, then checksum, query interval, robustness. */
enum { ADVERT_LEN = 8, SHORT_LEN = 4 };

uint8_t mrdisc_type(enum fam fam, enum mrdisc_kind kind)
{
	/* Of advertisements; solicitations and terminations follow. */
	return (uint8_t)((fam == FAM_4 ? 0x30 : 151) + kind);
}

size_t mrdisc_encode(enum fam fam, const struct mrdisc_msg *m, uint8_t buf[MRDISC_MAX])
{
	size_t len = m->kind == MRDISC_ADVERT ? ADVERT_LEN : SHORT_LEN;
	uint16_t words[] = { htons(m->query_interval), htons(m->robustness) };

	memset(buf, 0, MRDISC_MAX);
	buf[0] = mrdisc_type(fam, m->kind);
	if (m->kind == MRDISC_ADVERT) {
		buf[1] = m->interval;
		memcpy(buf + 4, words, sizeof words);
	}
	if (fam == FAM_4)
		checksum_put(buf, len, 2);
	return len;
}

bool mrdisc_is_solicit(enum fam fam, const void *p, size_t len)
{
	return len >= SHORT_LEN && len <= UINT16_MAX && *(const uint8_t *)p == mrdisc_type(fam, MRDISC_SOLICIT) &&
	       (fam == FAM_6 || !checksum_of(p, len));
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

	if (sent < MRDISC_INITIAL)
		return rnd % (INITIAL_MS + 1);
	return interval * 1000 - jitter + rnd % (2 * jitter + 1);
}
