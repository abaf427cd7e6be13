/* SPDX-License-Identifier: ISC
 *
 * Addresses: text to bytes and back, prefixes, comparing.  Parsing and printing
 * of IPv4 are written out because a config may hold 100,000 of them and a table
 * may print as many.  No lookups of names, no sockets.
 */
#include "lib/addr.h"

#include <string.h>

/* For where the compiler makes a call of it. */
extern inline enum fam addr_fam(const struct addr *a);

/* A prefix length up to max, without a superfluous zero; -1 when it is none. */
static int parse_length(const char *s, const char *end, int max)
{
	int v = 0;

	if (s == end || (*s == '0' && end - s > 1))
		return -1;
	for (; s < end; s++) {
		unsigned digit = (unsigned)*s - '0';

		if (digit > 9 || (v = v * 10 + (int)digit) > max)
			return -1;
	}
	return v;
}

/* Four numbers up to 255 without superfluous zeros: most of the text of a config is this.
 * *end is the first byte behind them, which is none of theirs. */
static bool parse_v4(const char *s, const char **end, uint8_t *b)
{
	const char *stop = *end;

	for (int i = 0; i < 4; i++) {
		unsigned v, digit;

		if ((i && (s == stop || *s++ != '.')) || s == stop || (v = (unsigned)*s++ - '0') > 9)
			return false;
		for (; v && s < stop && (digit = (unsigned)*s - '0') <= 9; s++)
			if ((v = v * 10 + digit) > 255)
				return false;
		b[i] = (uint8_t)v;
	}
	*end = s;
	return true;
}

static int hex_digit(char c)
{
	int low = c | 0x20;

	return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* RFC 4291, section 2.2: fields of one to four digits, "::" once for some that are zero, IPv4 for the
 * last two. */
static bool read_v6(const char *s, const char *end, uint8_t *b)
{
	int n = 0, gap = -1, digit;

	if (end - s >= 2 && s[0] == ':' && s[1] == ':') {
		gap = 0;
		s += 2;
	}
	while (s < end) {
		const char *field = s, *stop = end;
		unsigned v = 0;

		while (s < end && s - field < 4 && (digit = hex_digit(*s)) >= 0) {
			v = v << 4 | (unsigned)digit;
			s++;
		}
		if (s < end && *s == '.') {
			if (n > 12 || !parse_v4(field, &stop, b + n) || stop != end)
				return false;
			n += 4;
			break;
		}
		if (s == field || n > 14)
			return false;
		b[n++] = (uint8_t)(v >> 8);
		b[n++] = (uint8_t)v;
		if (s == end)
			break;
		if (*s++ != ':' || s == end)
			return false;
		if (*s == ':') {
			if (gap >= 0)
				return false;
			gap = n;
			s++;
		}
	}
	if ((gap < 0) != (n == 16))
		return false;
	if (gap >= 0) {
		memmove(b + 16 - (n - gap), b + gap, (size_t)(n - gap));
		memset(b + gap, 0, (size_t)(16 - n));
	}
	return true;
}

enum addr_result prefix_parse(const char *s, size_t n, struct addr *out, uint8_t *len)
{
	struct addr a = { .w = { 0, 0, ADDR_MAPPED_WORD, 0 } };
	const char *end = s + n, *slash = end;
	bool v4 = parse_v4(s, &slash, a.b + 12) && (slash == end || *slash == '/');
	int bits = v4 ? 32 : 128;

	if (!v4) {
		slash = memchr(s, '/', n);
		if (!slash)
			slash = end;
		if (!read_v6(s, slash, a.b))
			return ADDR_BAD;
		if (addr_fam(&a) == FAM_4)
			return ADDR_MAPPED;
	}
	if (slash != end && (bits = parse_length(slash + 1, end, bits)) < 0)
		return ADDR_BAD_LEN;
	*len = (uint8_t)(v4 ? bits + ADDR_V4_BITS : bits);
	addr_mask(&a, *len);
	*out = a;
	return ADDR_OK;
}

enum addr_result addr_parse(const char *s, size_t n, struct addr *out)
{
	return memchr(s, '/', n) ? ADDR_BAD : prefix_parse(s, n, out, &(uint8_t){ 0 });
}

/* Digits of the numbers of a byte and how many they are, made when the first one is asked for. */
static struct octet {
	char text[3];
	uint8_t n;
} octets[256];

static void octets_make(void)
{
	for (unsigned v = 0; v < 256; v++) {
		struct octet *o = &octets[v];

		if (v >= 100)
			o->text[o->n++] = (char)('0' + v / 100);
		if (v >= 10)
			o->text[o->n++] = (char)('0' + v / 10 % 10);
		o->text[o->n++] = (char)('0' + v % 10);
	}
}

/* Writes three bytes, however many of them count: there is room in ADDR_STRLEN. */
static inline char *put_octet(char *p, uint8_t v)
{
	const struct octet *o = &octets[v];

	memcpy(p, o->text, sizeof o->text);
	return p + o->n;
}

static char *put_v4(char *p, const uint8_t *b)
{
	p = put_octet(p, b[0]);
	for (int i = 1; i < 4; i++) {
		*p++ = '.';
		p = put_octet(p, b[i]);
	}
	return p;
}

static char *put_hex(char *p, unsigned v)
{
	int n = 1 + (v > 0xf) + (v > 0xff) + (v > 0xfff);

	for (int i = n; i--; v >>= 4)
		p[i] = "0123456789abcdef"[v & 15];
	return p + n;
}

/* RFC 5952, section 4: no leading zeros, the first longest run of two or more
 * zero fields becomes "::", lower case. */
static char *put_v6(char *p, const uint8_t *b)
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
		p = put_hex(p, (unsigned)b[2 * i] << 8 | b[2 * i + 1]);
	}
	return p;
}

static char *put_addr(char *p, const struct addr *a)
{
	if (!octets->n)
		octets_make();
	return addr_fam(a) == FAM_4 ? put_v4(p, a->b + 12) : put_v6(p, a->b);
}

const char *addr_str(const struct addr *a, char *buf)
{
	*put_addr(buf, a) = '\0';
	return buf;
}

char *prefix_put(const struct addr *a, uint8_t len, char *p)
{
	p = put_addr(p, a);
	if (len < 128) {
		*p++ = '/';
		if (addr_fam(a) == FAM_4)
			len = len > ADDR_V4_BITS ? len - ADDR_V4_BITS : 0;
		p = put_octet(p, len);
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

	return !memcmp(net->b, a->b, i) &&
	       (i == sizeof a->b || !((net->b[i] ^ a->b[i]) & 0xff00 >> len % 8));
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
	return !memcmp(a->b, b->b, sizeof a->b);
}

void addr_any(enum fam fam, struct addr *a, uint8_t *len)
{
	*a = (struct addr){ .w = { 0, 0, fam == FAM_4 ? ADDR_MAPPED_WORD : 0, 0 } };
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
	static const char name[FAM_N][8] = { "IPv4", "IPv6" };

	return name[fam];
}
