/* SPDX-License-Identifier: ISC
 *
 * Both families have the same messages but for types and lengths, which stand in one table.
 */
#include "kernel/report.h"

#include <string.h>

#include "lib/checksum.h"

/* Record types (RFC 3376, 4.2.12; RFC 3810, 5.2.12). */
enum { MODE_IS_INCLUDE = 1, MODE_IS_EXCLUDE = 2 };

/* In front of the records: type, reserved, checksum, reserved, their number.  In front of the group of a record: type,
 * length of what nobody uses, number of sources.  RFC 3376, 4.2; RFC 3810, 5.2. */
enum { REPORT_HEAD = 8, RECORD_HEAD = 4 };

static const struct report_family {
	size_t addr_len;
	size_t headers;			/* bytes of the IP header with Router Alert */
	unsigned newest;		/* version: the one with sources */
	uint8_t types[REPORT_VERSIONS];
	uint8_t query_type;
	size_t group_at;		/* where queries and old reports have their group */
	size_t query_len;		/* of a query of the newest version, at least */
	struct addr to;			/* reports of the newest version */
} report_families[FAM_N] = {
	[FAM_4] = {
		.addr_len = 4, .headers = 24, .newest = 3, .types = { 0x12, 0x16, 0x22 }, .query_type = 0x11,
		.group_at = 4, .query_len = 12, .to = { .b = { [10] = 0xff, 0xff, 224, 0, 0, 22 } },
	},
	[FAM_6] = {
		.addr_len = 16, .headers = 48, .newest = 2, .types = { 131, 143 }, .query_type = 130,
		.group_at = 8, .query_len = 28, .to = { .b = { 0xff, 0x02, [15] = 0x16 } },
	},
};

static const uint8_t *report_addr(const struct report_family *f, const struct addr *a)
{
	return a->b + sizeof a->b - f->addr_len;
}

void report_begin(struct report *p, enum fam fam, unsigned version, uint32_t mtu)
{
	const struct report_family *f = &report_families[fam];
	size_t least = REPORT_HEAD + RECORD_HEAD + 2 * f->addr_len;

	*p = (struct report){ .fam = fam, .version = version < f->newest ? version : f->newest };
	p->room = mtu > f->headers ? mtu - f->headers : 0;
	p->room = p->room < least ? least : p->room > REPORT_MAX ? REPORT_MAX : p->room;
}

/* All hosts (RFC 3376, section 5; RFC 3810, section 6), and what does not leave a host (RFC 3810, section 6). */
static bool report_is_never(const struct addr *group)
{
	if (addr_fam(group) == FAM_4)
		return group->w[3] == htonl(0xe0000001);
	return (group->b[1] & 0xf) < 2 || addr_eq(group, &(struct addr){ .b = { 0xff, 2, [15] = 1 } });
}

/* Without sources: one group a message. */
static bool report_add_old(struct report *p, const struct report_family *f, const uint8_t *group)
{
	if (p->len)
		return !memcmp(p->bytes + f->group_at, group, f->addr_len);
	p->bytes[0] = f->types[p->version - 1];
	memcpy(p->bytes + f->group_at, group, f->addr_len);
	p->len = f->group_at + f->addr_len;
	return true;
}

/* Counts a 16-bit number in the message up by one. */
static void report_count(struct report *p, size_t at)
{
	if (!++p->bytes[at + 1])
		p->bytes[at]++;
}

/* source: NULL = any.  Further sources of the last group go into its record. */
static bool report_add_new(struct report *p, const struct report_family *f, const uint8_t *group, const uint8_t *source)
{
	uint8_t *last = p->bytes + p->last;
	bool joins = p->len && source && *last == MODE_IS_INCLUDE && !memcmp(last + RECORD_HEAD, group, f->addr_len);
	size_t need = (joins ? 0 : RECORD_HEAD + f->addr_len) + (source ? f->addr_len : 0);

	if (!p->len) {
		p->bytes[0] = f->types[p->version - 1];
		p->len = REPORT_HEAD;
	}
	if (need > p->room - p->len)
		return false;
	if (!joins) {
		p->last = p->len;
		p->bytes[p->len] = source ? MODE_IS_INCLUDE : MODE_IS_EXCLUDE;
		memcpy(p->bytes + p->len + RECORD_HEAD, group, f->addr_len);
		p->len += RECORD_HEAD + f->addr_len;
		report_count(p, 6);
	}
	if (source) {
		memcpy(p->bytes + p->len, source, f->addr_len);
		p->len += f->addr_len;
		report_count(p, p->last + 2);
	}
	return true;
}

bool report_add(struct report *p, const struct flow *member)
{
	const struct report_family *f = &report_families[p->fam];
	const uint8_t *group = report_addr(f, &member->group);
	bool is_asm = addr_eq(&member->source, &(struct addr){ 0 });

	if (report_is_never(&member->group))
		return true;
	if (p->version < f->newest)
		return report_add_old(p, f, group);
	return report_add_new(p, f, group, is_asm ? NULL : report_addr(f, &member->source));
}

struct addr report_end(struct report *p)
{
	const struct report_family *f = &report_families[p->fam];
	struct addr to = f->to;

	if (p->version < f->newest)
		memcpy(to.b + sizeof to.b - f->addr_len, p->bytes + f->group_at, f->addr_len);
	if (p->fam == FAM_4)
		checksum_put(p->bytes, p->len, 2);
	return to;
}

unsigned report_query_version(enum fam fam, const uint8_t *p, size_t len)
{
	const struct report_family *f = &report_families[fam];
	static const uint8_t none[16];
	size_t old_len = f->group_at + f->addr_len;

	if (len < old_len || p[0] != f->query_type || memcmp(p + f->group_at, none, f->addr_len) ||
	    (fam == FAM_4 && checksum_of(p, len)))
		return 0;
	/* RFC 3376, 7.1; RFC 3810, 8.1.  IGMPv1 has 0 where IGMPv2 has the longest time to answer. */
	if (len == old_len)
		return fam == FAM_4 && p[1] ? 2 : 1;
	return len >= f->query_len ? f->newest : 0;
}

uint8_t report_query_type(enum fam fam)
{
	return report_families[fam].query_type;
}
