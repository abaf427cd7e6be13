/* SPDX-License-Identifier: ISC
 *
 * Control frames: bytes in, slices out, and back.  Whoever sends them may lie, so each field is looked at as soon as it
 * is there, before anybody waits for more.  What a command means is not known here.
 */
#include "lib/wire.h"

#include <string.h>

#define WIRE_RECORD_HDR 8

static enum wire_result wire_bad(const char **why, const char *text)
{
	*why = text;
	return WIRE_BAD;
}

/* How many bytes the length at the beginning of a request has: the word of its sender.  A header of 32 bits is more
 * than 32 bits can hold in either order of bytes, as behind its length stands a command; no length that we take is. */
static size_t wire_word(const char *p)
{
	uint64_t len;

	memcpy(&len, p, sizeof len);
	return len > UINT32_MAX ? sizeof(uint32_t) : sizeof len;
}

uint16_t wire_command(const void *p, size_t n)
{
	uint16_t cmd = 0;

	if (n >= sizeof(uint64_t) && n >= wire_word(p) + sizeof cmd)
		memcpy(&cmd, (const char *)p + wire_word(p), sizeof cmd);
	return cmd;
}

enum wire_result wire_request(const void *p, size_t n, struct wire_request *req, const char **why)
{
	const char *base = p, *arg, *end;
	uint16_t word[2];
	uint32_t narrow;
	uint64_t len;
	size_t size, hdr;

	if (n < sizeof len)
		return WIRE_MORE;
	size = wire_word(base);
	hdr = 2 * size;
	memcpy(&len, base, sizeof len);
	memcpy(&narrow, base, sizeof narrow);
	if (size == sizeof narrow)
		len = narrow;
	if (len < hdr)
		return wire_bad(why, "the length is shorter than the header");
	if (len > WIRE_MAX)
		return wire_bad(why, "the request is too long");
	if (n < size + sizeof word)
		return WIRE_MORE;
	memcpy(word, base + size, sizeof word);
	if (word[1] > WIRE_MAX_WORDS)
		return wire_bad(why, "the request has too many words");
	if (word[1] > len - hdr)
		return wire_bad(why, "the length leaves no room for the words");
	if (n < len)
		return WIRE_MORE;

	arg = base + hdr;
	end = base + len;
	for (unsigned i = 0; i < word[1]; i++) {
		const char *nul = memchr(arg, '\0', (size_t)(end - arg));

		if (!nul)
			return wire_bad(why, "a word has no end");
		arg = nul + 1;
	}
	/* Some senders leave the closing NUL out of the length. */
	if (end - arg > 1 || (end > arg && *arg))
		return wire_bad(why, "there is something behind the last word");
	*req = (struct wire_request){ .cmd = word[0], .argc = word[1], .len = (size_t)len,
				      .args = base + hdr, .args_end = arg };
	return WIRE_OK;
}

const char *wire_next_arg(const struct wire_request *req, const char *prev)
{
	const char *next = prev ? prev + strlen(prev) + 1 : req->args;

	return next < req->args_end ? next : NULL;
}

bool wire_put_request(struct buf *b, uint16_t cmd, int argc, const char *const *argv)
{
	char hdr[WIRE_HDR] = { 0 };
	uint16_t word[2] = { cmd, (uint16_t)argc };
	size_t len = WIRE_HDR + 1;

	if (argc < 0 || argc > WIRE_MAX_WORDS)
		return false;
	for (int i = 0; i < argc; i++) {
		size_t n = strlen(argv[i]) + 1;

		if (n > WIRE_MAX - len)
			return false;
		len += n;
	}
	if (!buf_reserve(b, len))
		return false;
	memcpy(hdr, &len, sizeof len);
	memcpy(hdr + sizeof len, word, sizeof word);
	buf_add(b, hdr, sizeof hdr);
	for (int i = 0; i < argc; i++)
		buf_add(b, argv[i], strlen(argv[i]) + 1);
	buf_chr(b, '\0');
	return true;
}

enum wire_result wire_record(const void *p, size_t n, struct wire_record *rec)
{
	static const char types[] = {
		WIRE_TITLE, WIRE_HEAD, WIRE_ROW, WIRE_ERROR, WIRE_NOTE, WIRE_DIAG, WIRE_END,
	};
	const char *base = p;
	uint32_t len;
	size_t size;

	for (size_t i = 0; i < 4 && i < n; i++)
		if (i ? base[i] != '\0' : !memchr(types, base[0], sizeof types))
			return WIRE_BAD;
	if (n < WIRE_RECORD_HDR)
		return WIRE_MORE;
	memcpy(&len, base + 4, sizeof len);
	size = WIRE_RECORD_HDR + (size_t)len;
	if ((base[0] == WIRE_END && len != 1) || size < len)
		return WIRE_BAD;
	if (n < size)
		return WIRE_MORE;
	*rec = (struct wire_record){ .type = (enum wire_type)base[0], .text = base + WIRE_RECORD_HDR,
				     .len = len, .size = size };
	return WIRE_OK;
}

void wire_put_record(struct buf *b, enum wire_type type, const char *text, size_t len)
{
	char hdr[WIRE_RECORD_HDR] = { (char)type };
	uint32_t len32 = (uint32_t)len;

	if (len32 != len || len > SIZE_MAX / 2) {
		b->failed = true;
		return;
	}
	/* All or nothing: half a record would garble those behind it. */
	if (!buf_reserve(b, WIRE_RECORD_HDR + len))
		return;
	memcpy(hdr + 4, &len32, sizeof len32);
	buf_add(b, hdr, sizeof hdr);
	buf_add(b, text, len);
}
