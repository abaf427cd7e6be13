/* SPDX-License-Identifier: ISC
 *
 * Addresses: text to bytes and back, prefixes, comparing.  No lookups of names, no sockets.
 */
#include "lib/addr.h"

#include <sys/socket.h>

/* A prefix length up to max, without a superfluous zero; -1 when it is none. */
static int addr_parse_length(const char *s, const char *end, int max)
{
	int v = 0;

	if (s == end || (*s == '0' && end - s > 1))
		return -1;
	for (; s < end; s++)
		if (*s < '0' || *s > '9' || (v = v * 10 + *s - '0') > max)
			return -1;
	return v;
}

/* Four numbers up to 255 without superfluous zeros, which is most of the text of a configuration of 100,000 lines. */
static bool addr_parse_v4(const char *s, const char *end, uint8_t *b)
{
	for (int i = 0; i < 4; i++) {
		const char *start = s;
		int v = 0;

		for (; s < end && *s >= '0' && *s <= '9' && v <= 255; s++)
			v = v * 10 + *s - '0';
		if (s == start || v > 255 || (*start == '0' && s - start > 1) || (i < 3 && (s == end || *s++ != '.')))
			return false;
		b[i] = (uint8_t)v;
	}
	return s == end;
}

/* inet_pton(3) wants a NUL behind the text. */
static bool addr_parse_v6(const char *s, const char *end, uint8_t *b)
{
	char text[INET6_ADDRSTRLEN];
	size_t n = (size_t)(end - s);

	if (n >= sizeof text || memchr(s, '\0', n))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	return inet_pton(AF_INET6, text, b) == 1;
}

enum addr_result prefix_parse(const char *s, size_t n, struct addr *out, uint8_t *len)
{
	struct addr a = { .w = { 0, 0, htonl(0xffff), 0 } };
	const char *end = s + n, *slash = memchr(s, '/', n), *stop = slash ? slash : end;
	bool is_v4 = addr_parse_v4(s, stop, a.b + 12);
	int bits = is_v4 ? 32 : 128;

	if (!is_v4 && !addr_parse_v6(s, stop, a.b))
		return ADDR_BAD;
	if (!is_v4 && addr_fam(&a) == FAM_4)
		return ADDR_MAPPED;
	if (slash && (bits = addr_parse_length(slash + 1, end, bits)) < 0)
		return ADDR_BAD_LEN;
	*len = (uint8_t)(is_v4 ? bits + ADDR_V4_BITS : bits);
	addr_mask(&a, *len);
	*out = a;
	return ADDR_OK;
}

enum addr_result addr_parse(const char *s, size_t n, struct addr *out)
{
	return memchr(s, '/', n) ? ADDR_BAD : prefix_parse(s, n, out, &(uint8_t){ 0 });
}

/* Writes a number up to 255 and returns the end. */
static char *addr_put_byte(char *p, unsigned v)
{
	if (v >= 100)
		*p++ = (char)('0' + v / 100);
	if (v >= 10)
		*p++ = (char)('0' + v / 10 % 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

static char *addr_put_v4(char *p, const uint8_t *b)
{
	p = addr_put_byte(p, b[0]);
	for (int i = 1; i < 4; i++) {
		*p++ = '.';
		p = addr_put_byte(p, b[i]);
	}
	return p;
}

static char *addr_put_hex(char *p, unsigned v)
{
	static const char digits[] = "0123456789abcdef";

	if (v > 0xfff)
		*p++ = digits[v >> 12];
	if (v > 0xff)
		*p++ = digits[v >> 8 & 15];
	if (v > 0xf)
		*p++ = digits[v >> 4 & 15];
	*p++ = digits[v & 15];
	return p;
}

/* RFC 5952, section 4: no leading zeros, the first longest run of two or more zero fields becomes "::", lower case. */
static char *addr_put_v6(char *p, const uint8_t *b)
{
	int best = 8, most = 1, run = 0;

	for (int i = 0; i < 8; i++) {
		run = b[2 * i] | b[2 * i + 1] ? 0 : run + 1;
		if (run > most) {
			most = run;
			best = i - run + 1;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			*p++ = ':';
			i += most - 1;
			if (i == 7)
				*p++ = ':';
			continue;
		}
		if (i)
			*p++ = ':';
		p = addr_put_hex(p, (unsigned)b[2 * i] << 8 | b[2 * i + 1]);
	}
	return p;
}

/* Writes the address without a NUL and returns the end. */
static char *addr_put(char *p, const struct addr *a)
{
	return addr_fam(a) == FAM_4 ? addr_put_v4(p, a->b + 12) : addr_put_v6(p, a->b);
}

const char *addr_str(const struct addr *a, char *buf)
{
	*addr_put(buf, a) = '\0';
	return buf;
}

char *prefix_put(const struct addr *a, uint8_t len, char *p)
{
	p = addr_put(p, a);
	if (len < 128) {
		*p++ = '/';
		if (addr_fam(a) == FAM_4)
			len = len > ADDR_V4_BITS ? len - ADDR_V4_BITS : 0;
		p = addr_put_byte(p, len);
	}
	return p;
}

const char *prefix_str(const struct addr *a, uint8_t len, char *buf)
{
	*prefix_put(a, len, buf) = '\0';
	return buf;
}

void addr_mask(struct addr *a, uint8_t len)
{
	unsigned i = len / 8;

	if (i >= sizeof a->b)
		return;
	a->b[i] &= (uint8_t)(0xff00 >> len % 8);
	memset(a->b + i + 1, 0, sizeof a->b - i - 1);
}

bool addr_covers(const struct addr *net, uint8_t len, const struct addr *a)
{
	unsigned i = len / 8;

	return !memcmp(net->b, a->b, i) && (i == sizeof a->b || !((net->b[i] ^ a->b[i]) & 0xff00 >> len % 8));
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return !memcmp(a->b, b->b, sizeof a->b);
}

void addr_any(enum fam fam, struct addr *a, uint8_t *len)
{
	*a = (struct addr){ .w = { 0, 0, fam == FAM_4 ? htonl(0xffff) : 0, 0 } };
	*len = fam == FAM_4 ? ADDR_V4_BITS : 0;
}

bool addr_is_multicast(const struct addr *a, uint8_t len)
{
	if (addr_fam(a) == FAM_4)
		return len >= ADDR_V4_BITS + 4 && a->b[12] >> 4 == 0xe;
	return len >= 8 && a->b[0] == 0xff;
}

const char *fam_str(enum fam fam)
{
	return fam == FAM_4 ? "IPv4" : "IPv6";
}
