/* SPDX-License-Identifier: ISC
 *
 * Addresses and prefixes: what is taken, what is refused, and that what is
 * printed reads back as the same.
 */
#include "lib/addr.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "tests/unit/test.h"

static enum addr_result parse(const char *s, struct addr *a)
{
	return addr_parse(s, strlen(s), a);
}

static enum addr_result parse_prefix(const char *s, struct addr *a, uint8_t *len)
{
	return prefix_parse(s, strlen(s), a, len);
}

static void addresses_taken(void)
{
	static const char *const same[] = {
		"0.0.0.0", "255.255.255.255", "10.0.0.1", "225.1.2.3", "1.20.99.100", "::", "::1",
		"1::", "ff02::6a", "2001:db8::1:0:0:1", "2001:db8:0:1:1:1:1:1", "1:2:3:4:5:6:7:8",
		"fe80::1:0:0:1", "1:0:0:2::", "0:1::", "::1:2:3:4:5:6", "1:2:3:4:5:6::", "1::8",
	};
	char text[ADDR_STRLEN];
	struct addr a;

	for (unsigned i = 0; i < sizeof same / sizeof *same; i++) {
		CHECK_INT(parse(same[i], &a), ADDR_OK);
		CHECK_STR(addr_str(&a, text), same[i]);
		CHECK_INT(addr_fam(&a), strchr(same[i], ':') ? FAM_6 : FAM_4);
	}
	CHECK_INT(parse("2001:DB8:0000::00A", &a), ADDR_OK);
	CHECK_STR(addr_str(&a, text), "2001:db8::a");
	CHECK_INT(parse("64:ff9b::192.0.2.1", &a), ADDR_OK);
	CHECK_STR(addr_str(&a, text), "64:ff9b::c000:201");
}

static void addresses_refused(void)
{
	static const char *const bad[] = {
		"", " ", ".", "1", "1.2.3", "1.2.3.", "1.2.3.4.", "1.2.3.4.5", ".1.2.3.4", "1..2.3",
		"256.1.1.1", "1.1.1.256", "1.1.1.1000", "01.1.1.1", "1.1.1.00", "1.1.1.01", "1.1.1.-1",
		"+1.1.1.1", "1.1.1.1 ", " 1.1.1.1", "0x1.1.1.1", "1.1.1.a", "1,1,1,1", "99999999999.1.1.1",
		":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "::1%lo",
		"fe80::1 ", "::1.2.3", "::1.2.3.256", "1:2:3:4:5:6:7:", "[::1]", "::/0", "1.1.1.1/8",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	struct addr a = { .b = { 42 } };

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (parse(bad[i], &a) != ADDR_BAD)
			printf("# taken: %s\n", bad[i]);
		CHECK_INT(parse(bad[i], &a), ADDR_BAD);
	}
	CHECK_INT(addr_parse("1.2.3.4\0", 8, &a), ADDR_BAD);
	CHECK_INT(addr_parse("::1\0", 4, &a), ADDR_BAD);
	CHECK_INT(parse("::ffff:1.2.3.4", &a), ADDR_MAPPED);
	CHECK_INT(parse("::ffff:102:304", &a), ADDR_MAPPED);
	CHECK_INT(a.b[0], 42);
	/* Only the n bytes given are looked at. */
	CHECK_INT(addr_parse("1.2.3.45", 7, &a), ADDR_OK);
	CHECK_INT(a.b[15], 4);
}

/* Puts a letter somewhere into s, or in the place of one, up to three times. */
static void spoil(char *s, size_t size, const char *letters)
{
	for (int k = rand() % 3; k >= 0; k--) {
		size_t n = strlen(s), at = (size_t)rand() % (n + 1);
		char c = letters[(size_t)rand() % strlen(letters)];

		if (at < n && rand() % 2) {
			s[at] = c;
		} else if (n < size - 1) {
			memmove(s + at + 1, s + at, n - at + 1);
			s[at] = c;
		}
	}
}

/* Texts near to addresses, judged as inet_pton(3) judges them. */
static void as_inet_pton(void)
{
	static const char *const seeds[FAM_N][4] = {
		{ "10.0.0.1", "192.168.255.254", "0.0.0.0", "1.2.3.4" },
		{ "::", "2001:db8::1.2.3.4", "1:2:3:4:5:6:7:8", "fe80:0:9::abcd:1" },
	};
	static const char *const letters[FAM_N] = { "0123456789.. -+x/a", "0123456789abcdefABCDEF::::.g%/" };
	uint8_t in[16];
	struct addr a;
	char s[48];

	srand(1);
	for (enum fam fam = 0; fam < FAM_N; fam++) {
		int taken = 0;

		for (int i = 0; i < 200000; i++) {
			strcpy(s, seeds[fam][rand() % 4]);
			spoil(s, sizeof s, letters[fam]);
			bool want = inet_pton(fam == FAM_4 ? AF_INET : AF_INET6, s, in) == 1;
			enum addr_result got = parse(s, &a);

			if (fam == FAM_6 && (got == ADDR_MAPPED || !strchr(s, ':')))
				continue;
			if ((got == ADDR_OK) != want) {
				printf("# differs: %s\n", s);
				CHECK(0);
				return;
			}
			CHECK(!want || !memcmp(a.b + (fam == FAM_4 ? 12 : 0), in, fam == FAM_4 ? 4 : 16));
			taken += want;
		}
		CHECK(taken > 10000);
	}
}

static void prefixes(void)
{
	static const struct { const char *in; enum addr_result want; const char *out; int len; } t[] = {
		{ "10.1.2.3", ADDR_OK, "10.1.2.3", 128 },
		{ "10.1.2.3/32", ADDR_OK, "10.1.2.3", 128 },
		{ "225.1.2.3/24", ADDR_OK, "225.1.2.0/24", 120 },
		{ "225.1.2.255/25", ADDR_OK, "225.1.2.128/25", 121 },
		{ "1.2.3.4/0", ADDR_OK, "0.0.0.0/0", 96 },
		{ "224.0.0.0/4", ADDR_OK, "224.0.0.0/4", 100 },
		{ "2001:db8::5", ADDR_OK, "2001:db8::5", 128 },
		{ "2001:db8::5/128", ADDR_OK, "2001:db8::5", 128 },
		{ "ff2e::ffff/120", ADDR_OK, "ff2e::ff00/120", 120 },
		{ "2001:db8::5/0", ADDR_OK, "::/0", 0 },
		{ "2001:db8::5/1", ADDR_OK, "::/1", 1 },
		{ "ffff::/1", ADDR_OK, "8000::/1", 1 },
		{ "10.0.0.0/33", ADDR_BAD_LEN, NULL, 0 }, { "10.0.0.0/", ADDR_BAD_LEN, NULL, 0 },
		{ "10.0.0.0/08", ADDR_BAD_LEN, NULL, 0 }, { "10.0.0.0/-1", ADDR_BAD_LEN, NULL, 0 },
		{ "10.0.0.0/+1", ADDR_BAD_LEN, NULL, 0 }, { "10.0.0.0/ 1", ADDR_BAD_LEN, NULL, 0 },
		{ "10.0.0.0/8 ", ADDR_BAD_LEN, NULL, 0 }, { "10.0.0.0/8/8", ADDR_BAD_LEN, NULL, 0 },
		{ "10.0.0.0/99999999999999999999", ADDR_BAD_LEN, NULL, 0 },
		{ "10.0.0.0/255.0.0.0", ADDR_BAD_LEN, NULL, 0 }, { "::/129", ADDR_BAD_LEN, NULL, 0 },
		{ "::/1280", ADDR_BAD_LEN, NULL, 0 }, { "/8", ADDR_BAD, NULL, 0 },
		{ "10.0.0/8", ADDR_BAD, NULL, 0 }, { "::ffff:10.0.0.0/104", ADDR_MAPPED, NULL, 0 },
	};
	char text[ADDR_STRLEN];
	struct addr a;
	uint8_t len;

	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		enum addr_result r = parse_prefix(t[i].in, &a, &len);

		if (r != t[i].want)
			printf("# %s\n", t[i].in);
		CHECK_INT(r, t[i].want);
		if (r != ADDR_OK || t[i].want != ADDR_OK)
			continue;
		CHECK_STR(prefix_str(&a, len, text), t[i].out);
		CHECK_INT(len, t[i].len);
	}
}

static void round_trip(void)
{
	struct addr a, b;
	uint8_t len;
	char text[ADDR_STRLEN];

	srand(2);
	for (int i = 0; i < 100000; i++) {
		uint8_t bits = (uint8_t)(rand() % 129);

		for (int k = 0; k < 16; k++)
			a.b[k] = rand() % 3 ? 0 : (uint8_t)rand();
		if (i % 2) {
			memcpy(a.b, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
			bits = (uint8_t)(ADDR_V4_BITS + bits % 33);
		}
		addr_mask(&a, bits);
		CHECK_INT(parse_prefix(prefix_str(&a, bits, text), &b, &len), ADDR_OK);
		CHECK(strlen(text) < ADDR_STRLEN);
		CHECK(addr_eq(&a, &b) && len == bits);
	}
	memset(a.b, 0xff, 16);
	CHECK_STR(prefix_str(&a, 127, text), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127");
}

/* addr_mask() and addr_covers() against a walk over single bits. */
static void mask_and_covers(void)
{
	srand(3);
	for (int i = 0; i < 100000; i++) {
		struct addr a, b, m;
		unsigned len = (unsigned)rand() % 129, same = 0;

		for (int k = 0; k < 16; k++)
			a.b[k] = b.b[k] = (uint8_t)rand();
		b.b[rand() % 16] ^= (uint8_t)(1 << rand() % 8);
		while (same < 128 && !((a.b[same / 8] ^ b.b[same / 8]) & 0x80 >> same % 8))
			same++;
		CHECK(addr_covers(&a, (uint8_t)len, &b) == (same >= len));
		m = a;
		addr_mask(&m, (uint8_t)len);
		for (unsigned k = 0; k < 128; k++) {
			int bit = m.b[k / 8] & 0x80 >> k % 8;

			CHECK(bit == (k < len ? a.b[k / 8] & 0x80 >> k % 8 : 0));
		}
		CHECK(addr_eq(&a, &a) && !addr_eq(&a, &b));
	}
}

static void families(void)
{
	static const struct { const char *s; bool want; } t[] = {
		{ "224.0.0.0/4", true }, { "239.255.255.255", true }, { "224.0.0.0/3", false },
		{ "223.255.255.255", false }, { "240.0.0.0", false }, { "ff00::/8", true },
		{ "ff00::/7", false }, { "ff02::1", true }, { "fe80::1", false }, { "0.0.0.0/0", false },
	};
	struct addr a, b;
	uint8_t len;

	for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
		CHECK_INT(parse_prefix(t[i].s, &a, &len), ADDR_OK);
		CHECK_INT(addr_is_multicast(&a, len), t[i].want);
	}
	addr_any(FAM_4, &a, &len);
	CHECK(len == 96 && addr_fam(&a) == FAM_4);
	parse("10.0.0.1", &b);
	CHECK(addr_covers(&a, len, &b));
	parse("fe80::1", &b);
	CHECK(!addr_covers(&a, len, &b));
	addr_any(FAM_6, &a, &len);
	CHECK(len == 0 && addr_fam(&a) == FAM_6 && addr_covers(&a, len, &b));
	CHECK_STR(fam_str(FAM_4), "IPv4");
	CHECK_STR(fam_str(FAM_6), "IPv6");
}

TEST_MAIN(
	TEST(addresses_taken)
	TEST(addresses_refused)
	TEST(as_inet_pton)
	TEST(prefixes)
	TEST(round_trip)
	TEST(mask_and_covers)
	TEST(families)
)
