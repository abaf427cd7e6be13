/* SPDX-License-Identifier: ISC
 *
 * Control frames: those of known clients byte by byte, every length that lies,
 * and bytes at random.
 */
#include "lib/wire.h"

#include <stdlib.h>

#include "tests/unit/test.h"

static char frame[WIRE_MAX * 2];

/* A frame that says len and argc, with n bytes of text behind the header. */
static size_t make(size_t len, uint16_t cmd, uint16_t argc, const char *text, size_t n)
{
	memset(frame, 0x55, sizeof frame);
	memcpy(frame, &len, sizeof len);
	memcpy(frame + sizeof len, &cmd, sizeof cmd);
	memcpy(frame + sizeof len + sizeof cmd, &argc, sizeof argc);
	memcpy(frame + WIRE_HDR, text, n);
	return WIRE_HDR + n;
}

/* From a copy of exactly n bytes, so that a sanitizer sees each byte too far. */
static enum wire_result read_n(size_t n, struct wire_request *req, const char **why)
{
	static char *copy;

	free(copy);
	copy = malloc(n ? n : 1);
	memcpy(copy, frame, n);
	return wire_request(copy, n, req, why);
}

static enum wire_result result(size_t n)
{
	struct wire_request req;
	const char *why = NULL;
	enum wire_result r = read_n(n, &req, &why);

	CHECK((r == WIRE_BAD) == (why != NULL));
	return r;
}

/* What smcroutectl 2.5.6 of Debian sends for `add eth0 1.2.3.4 225.1.2.3 eth1 eth2`. */
static void known_client(void)
{
	static const char words[] = "eth0\0" "1.2.3.4\0" "225.1.2.3\0" "eth1\0" "eth2\0";
	static const char *const want[] = { "eth0", "1.2.3.4", "225.1.2.3", "eth1", "eth2" };
	size_t n = make(WIRE_HDR + sizeof words, 'a', 5, words, sizeof words);
	struct wire_request req;
	const char *why, *arg = NULL;

	for (size_t i = 0; i < n; i++)
		CHECK_INT(result(i), WIRE_MORE);
	CHECK_INT(read_n(n + 40, &req, &why), WIRE_OK);
	CHECK_INT(req.cmd, 'a');
	CHECK_INT(req.argc, 5);
	CHECK_INT(req.len, n);
	for (unsigned i = 0; i < 5; i++) {
		arg = wire_next_arg(&req, arg);
		CHECK_STR(arg, want[i]);
	}
	CHECK(!wire_next_arg(&req, arg));
	/* Without words it sends one NUL behind the header. */
	CHECK_INT(make(WIRE_HDR + 1, 'k', 0, "", 1), WIRE_HDR + 1);
	CHECK_INT(read_n(WIRE_HDR + 1, &req, &why), WIRE_OK);
	CHECK(req.cmd == 'k' && !req.argc && !wire_next_arg(&req, NULL));
}

/* The header of a machine with words of so many bytes. */
static size_t make_for(size_t word, uint64_t len, uint16_t cmd, uint16_t argc, const char *text, size_t n)
{
	uint32_t narrow = (uint32_t)len;

	memset(frame, 0, sizeof frame);
	memcpy(frame, word == sizeof len ? (void *)&len : (void *)&narrow, word);
	memcpy(frame + word, &cmd, sizeof cmd);
	memcpy(frame + word + sizeof cmd, &argc, sizeof argc);
	memcpy(frame + 2 * word, text, n);
	return 2 * word + n;
}

/* Programs of 32 and of 64 bits, whichever this one is. */
static void both_words(void)
{
	static const char words[] = "a1\0" "225.1.2.3\0" "a2\0";
	struct wire_request req;
	const char *why;

	for (size_t word = 4; word <= 8; word += 4) {
		size_t n = make_for(word, 2 * word + sizeof words, 'a', 3, words, sizeof words);

		for (size_t i = 0; i < n; i++)
			CHECK_INT(result(i), WIRE_MORE);
		CHECK_INT(read_n(n + 40, &req, &why), WIRE_OK);
		CHECK(req.cmd == 'a' && req.argc == 3 && req.len == n && req.args_end == req.args + sizeof words - 1);
		CHECK_STR(wire_next_arg(&req, wire_next_arg(&req, NULL)), "225.1.2.3");
		n = make_for(word, 2 * word + 1, 'k', 0, "", 1);
		CHECK_INT(read_n(n, &req, &why), WIRE_OK);
		CHECK(req.cmd == 'k' && req.len == n);
		make_for(word, WIRE_MAX, 'a', 3, words, sizeof words);
		CHECK_INT(result(2 * word), WIRE_MORE);
		make_for(word, WIRE_MAX + 1, 'a', 3, words, sizeof words);
		CHECK_INT(read_n(2 * word, &req, &why), WIRE_BAD);
		CHECK_STR(why, "the request is too long");
		CHECK_INT(wire_command(frame, 2 * word), 'a');
		CHECK_INT(wire_command(frame, 7), 0);
		make_for(word, 2 * word - 1, 'a', 3, words, sizeof words);
		CHECK_INT(result(8), WIRE_BAD);
	}
}

static void closing_nul(void)
{
	struct wire_request req;
	const char *why, *arg;
	size_t n;

	make(WIRE_HDR, 'k', 0, "", 0);
	CHECK_INT(result(WIRE_HDR), WIRE_OK);
	n = make(WIRE_HDR + 2, 's', 1, "g", 2);
	CHECK_INT(result(n), WIRE_OK);
	/* Empty words are words; the closing NUL is not one. */
	n = make(WIRE_HDR + 3, 'W', 2, "a\0", 3);
	CHECK_INT(read_n(n, &req, &why), WIRE_OK);
	arg = wire_next_arg(&req, NULL);
	CHECK_STR(arg, "a");
	arg = wire_next_arg(&req, arg);
	CHECK_STR(arg, "");
	CHECK(!wire_next_arg(&req, arg));
	n = make(WIRE_HDR + 3, 'W', 1, "a\0", 3);
	CHECK_INT(read_n(n, &req, &why), WIRE_OK);
	arg = wire_next_arg(&req, NULL);
	CHECK_STR(arg, "a");
	CHECK(!wire_next_arg(&req, arg));
}

static void lying_lengths(void)
{
	static const size_t bad[] = {
		0, 1, 3, WIRE_HDR - 1, WIRE_MAX + 1, SIZE_MAX, SIZE_MAX - 7, SIZE_MAX / 2,
		SIZE_MAX / 2 + 1, (size_t)1 << 31, UINT32_MAX,
	};
	static const char words[] = "eth0\0" "225.1.2.3\0" "eth1\0";	/* 20 bytes and one more */

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		make(bad[i], 'a', 1, words, sizeof words);
		for (size_t n = 0; n < WIRE_HDR + 30; n++)
			CHECK_INT(result(n), n < sizeof(uint64_t) ? WIRE_MORE : WIRE_BAD);
	}
	/* Each length for three words that end at 20: only that and one more will do. */
	for (size_t len = 0; len < 60; len++) {
		make(WIRE_HDR + len, 'a', 3, words, sizeof words);
		CHECK_INT(result(WIRE_HDR + 60), len == 20 || len == 21 ? WIRE_OK : WIRE_BAD);
	}
	make(WIRE_MAX, 'a', 3, words, sizeof words);
	CHECK_INT(result(WIRE_MAX - 1), WIRE_MORE);
	CHECK_INT(result(WIRE_MAX), WIRE_BAD);
}

static void lying_counts(void)
{
	static const char words[] = "eth0\0" "225.1.2.3\0" "eth1\0";

	for (unsigned argc = 0; argc < 65536; argc++) {
		size_t n = make(WIRE_HDR + sizeof words, 'a', (uint16_t)argc, words, sizeof words);

		/* Four words: the last of them is empty, and nothing closes the frame. */
		CHECK_INT(result(n), argc == 3 || argc == 4 ? WIRE_OK : WIRE_BAD);
		if (argc > sizeof words)	/* the header tells */
			CHECK_INT(result(sizeof(size_t) + 4), WIRE_BAD);
		argc += argc > 5000 ? 99 : 0;
	}
	make(WIRE_MAX, 'a', 60000, words, sizeof words);
	CHECK_INT(result(WIRE_HDR), WIRE_BAD);
}

static void lying_words(void)
{
	size_t n = make(WIRE_HDR + 4, 'a', 1, "eth0", 4);

	CHECK_INT(result(n), WIRE_BAD);			/* no NUL, and none in the next frame */
	n = make(WIRE_HDR + 7, 'a', 1, "eth0\0\0\0", 7);
	CHECK_INT(result(n), WIRE_BAD);
	n = make(WIRE_HDR + 6, 'a', 1, "eth0\0x", 6);
	CHECK_INT(result(n), WIRE_BAD);
	n = make(WIRE_HDR + 10, 'a', 2, "eth0\0eth1x", 10);
	CHECK_INT(result(n), WIRE_BAD);
}

static void put_and_read(void)
{
	static const char *argv[WIRE_MAX_WORDS + 1];
	static char long_word[WIRE_MAX];
	const char *why, *arg = NULL;
	struct buf b = { 0 };
	struct wire_request req;

	for (int argc = 0; argc <= 20; argc++) {
		argv[argc] = argc % 3 ? "word" : "";
		CHECK(wire_put_request(&b, WIRE_WORDS, argc, argv));
	}
	for (int argc = 0; argc <= 20; argc++) {	/* several in one stream */
		CHECK_INT(wire_request(b.p, b.len, &req, &why), WIRE_OK);
		CHECK(req.cmd == WIRE_WORDS && req.argc == argc);
		arg = NULL;
		for (int i = 0; i < argc; i++) {
			arg = wire_next_arg(&req, arg);
			CHECK_STR(arg, argv[i]);
		}
		CHECK(!wire_next_arg(&req, arg));
		buf_consume(&b, req.len);
	}
	CHECK_INT(b.len, 0);
	for (int i = 0; i <= WIRE_MAX_WORDS; i++)
		argv[i] = "x";
	CHECK(!wire_put_request(&b, WIRE_WORDS, WIRE_MAX_WORDS + 1, argv));
	CHECK(!wire_put_request(&b, WIRE_WORDS, -1, argv));
	CHECK_INT(b.len, 0);
	CHECK(wire_put_request(&b, WIRE_WORDS, WIRE_MAX_WORDS, argv));
	CHECK_INT(wire_request(b.p, b.len, &req, &why), WIRE_OK);
	buf_free(&b);
	memset(long_word, 'x', sizeof long_word - 1);
	argv[0] = long_word;
	CHECK(!wire_put_request(&b, WIRE_WORDS, 1, argv));
	argv[0] = long_word + WIRE_HDR + 1;		/* just fits */
	CHECK(wire_put_request(&b, WIRE_WORDS, 1, argv));
	CHECK_INT(b.len, WIRE_MAX);
	CHECK_INT(wire_request(b.p, b.len, &req, &why), WIRE_OK);
	buf_free(&b);
}

static void records(void)
{
	static const char types[] = "THRENDX";
	struct buf b = { 0 };
	struct wire_record rec;
	size_t at = 0;

	for (const char *t = types; *t; t++)
		wire_put_record(&b, (enum wire_type)*t, "eth0\n\0eth1", *t == WIRE_END ? 1 : 10);
	for (const char *t = types; *t; t++) {
		size_t want = *t == WIRE_END ? 1 : 10;

		for (size_t n = 0; n < 8 + want; n++)
			CHECK_INT(wire_record(b.p + at, n, &rec), WIRE_MORE);
		CHECK_INT(wire_record(b.p + at, b.len - at, &rec), WIRE_OK);
		CHECK(rec.type == (enum wire_type)*t && rec.len == want && rec.size == want + 8);
		CHECK(!memcmp(rec.text, "eth0\n\0eth1", want));
		at += rec.size;
	}
	CHECK_INT(at, b.len);
	b.len = 0;
	wire_put_record(&b, WIRE_ROW, NULL, 0);
	CHECK_INT(wire_record(b.p, b.len, &rec), WIRE_OK);
	CHECK_INT(rec.len, 0);
	CHECK(!b.failed);
	wire_put_record(&b, WIRE_ROW, "", SIZE_MAX);
	CHECK(b.failed);
	CHECK_INT(b.len, 8);
	buf_free(&b);
}

static void bad_records(void)
{
	static const char *const bad[] = {
		"", "Z\0\0\0\1\0\0\0x", "r\0\0\0\1\0\0\0x", "R\1\0\0\1\0\0\0x", "R\0\1\0\1\0\0\0x",
		"R\0\0\1\1\0\0\0x", "add: no such rule",
	};
	uint32_t len = UINT32_MAX;
	char r[16] = "R";
	struct wire_record rec;

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK_INT(wire_record(bad[i], i ? 9 : 1, &rec), WIRE_BAD);
	memcpy(r + 4, &len, sizeof len);
	CHECK_INT(wire_record(r, sizeof r, &rec), sizeof(size_t) > 4 ? WIRE_MORE : WIRE_BAD);
	r[0] = WIRE_END;
	for (len = 0; len < 4; len++) {
		memcpy(r + 4, &len, sizeof len);
		CHECK_INT(wire_record(r, sizeof r, &rec), len == 1 ? WIRE_OK : WIRE_BAD);
	}
}

/* Whatever is taken lies inside of what was given. */
static void random_bytes(void)
{
	int taken = 0;

	srand(1);
	for (int i = 0; i < 300000; i++) {
		size_t n = (size_t)rand() % 64, steps = 0;
		struct wire_request req;
		const char *why, *arg = NULL;

		make(WIRE_HDR + (size_t)rand() % 32, (uint16_t)rand(), (uint16_t)(rand() % 6), "", 0);
		for (size_t k = WIRE_HDR; k < n; k++)
			frame[k] = rand() % 3 ? '\0' : 'a';
		if (read_n(n, &req, &why) != WIRE_OK)
			continue;
		taken++;
		while ((arg = wire_next_arg(&req, arg)))
			steps++;
		CHECK_INT(steps, req.argc);
		CHECK(req.len <= n);
	}
	CHECK(taken > 1000);
}

TEST_MAIN(
	TEST(known_client) TEST(both_words)
	TEST(closing_nul)
	TEST(lying_lengths)
	TEST(lying_counts)
	TEST(lying_words)
	TEST(put_and_read)
	TEST(records)
	TEST(bad_records)
	TEST(random_bytes)
)
