/* SPDX-License-Identifier: ISC
 *
 * One address type for both families: 16 bytes in network order, IPv4 held as ::ffff:a.b.c.d (RFC 4291, section
 * 2.5.5.2).  Prefix lengths are counted from 128 everywhere, so 10.0.0.0/8 is 104 and any IPv4 source is 96.  Text
 * becomes an address, and an address becomes text, here and nowhere else.  Writing is done by our own code: a table may
 * print 100,000 addresses, and inet_ntop(3) of musl is 20 times slower.
 */
#ifndef LIB_ADDR_H
#define LIB_ADDR_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum fam { FAM_4, FAM_6, FAM_N };

struct addr {
	union {
		uint8_t b[16];
		uint32_t w[4];
	};
};

/* Room for an address, a slash, a length and the NUL. */
#define ADDR_STRLEN (INET6_ADDRSTRLEN + 4)

/* Number of leading bits that only say "IPv4". */
#define ADDR_V4_BITS 96

/* What prefix_parse() found. */
enum addr_result {
	ADDR_OK,
	ADDR_BAD,		/* not an address */
	ADDR_BAD_LEN,		/* the length is not a number or out of range */
	ADDR_MAPPED,		/* an IPv4 address written as ::ffff:a.b.c.d */
};

/* Parses n bytes of text as inet_pton(3) would. */
enum addr_result addr_parse(const char *s, size_t n, struct addr *out);

/* Parses ADDR or ADDR/LEN; *len counts from 128, bits past it are cleared. */
enum addr_result prefix_parse(const char *s, size_t n, struct addr *out, uint8_t *len);

/* Writes the address to buf[ADDR_STRLEN], as RFC 5952 has it, and returns buf. */
const char *addr_str(const struct addr *a, char *buf);

/* Writes the same with "/LEN" in the family's own count when len < 128, and no NUL; returns the end. */
char *prefix_put(const struct addr *a, uint8_t len, char *p);

/* As addr_str(), with the length as prefix_put() has it. */
const char *prefix_str(const struct addr *a, uint8_t len, char *buf);

/* Clears the bits of *a past len (counted from 128). */
void addr_mask(struct addr *a, uint8_t len);

/* True when the first len bits of net and a are the same. */
bool addr_covers(const struct addr *net, uint8_t len, const struct addr *a);

bool addr_eq(const struct addr *a, const struct addr *b);

/* The family an address belongs to. */
static inline enum fam addr_fam(const struct addr *a)
{
	return a->w[0] || a->w[1] || a->w[2] != htonl(0xffff) ? FAM_6 : FAM_4;
}

/* All-zero address of a family with its prefix length: "any source". */
void addr_any(enum fam fam, struct addr *a, uint8_t *len);

/* True when the prefix lies wholly in 224.0.0.0/4 (RFC 5771) or ff00::/8 (RFC 4291, section 2.7). */
bool addr_is_multicast(const struct addr *a, uint8_t len);

/* "IPv4" or "IPv6". */
const char *fam_str(enum fam fam);

#endif
