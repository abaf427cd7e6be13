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

/* The beginning of a request, in the words of its sender. */
struct wire_head {
	uint64_t len;
	uint16_t cmd, argc;
	size_t hdr;		/* bytes of the header; 0 = too few are there to tell */
	bool is_read;		/* cmd and argc are there */
};

/* Reads it.  A header of 32 bits has its command in the upper half of a length of 64 bits, or its length there, so it is
 * more than 32 bits can hold in either order of bytes; no length that we take is. */
static struct wire_head wire_begin(const char *p, size_t n)
{
	struct wire_head h = { .hdr = 16 };
	uint32_t narrow;
	size_t word = sizeof h.len;

	if (n < sizeof h.len)
		return (struct wire_head){ 0 };
	memcpy(&h.len, p, sizeof h.len);
	if (h.len > UINT32_MAX) {
		memcpy(&narrow, p, sizeof narrow);
		h.len = narrow;
		h.hdr = 8;
		word = sizeof narrow;
	}
	if (n >= word + 2 * sizeof h.cmd) {
		h.is_read = true;
		memcpy(&h.cmd, p + word, sizeof h.cmd);
		memcpy(&h.argc, p + word + sizeof h.cmd, sizeof h.argc);
	}
	return h;
}

uint16_t wire_command(const void *p, size_t n)
{
	return wire_begin(p, n).cmd;
}

enum wire_result wire_request(const void *p, size_t n, struct wire_request *req, const char **why)
{
	struct wire_head h = wire_begin(p, n);
	const char *base = p, *arg = base + h.hdr, *end;

	if (!h.hdr)
		return WIRE_MORE;
	if (h.len < h.hdr)
		return wire_bad(why, "the length is shorter than the header");
	if (h.len > WIRE_MAX)
		return wire_bad(why, "the request is too long");
	if (!h.is_read)
		return WIRE_MORE;
	if (h.argc > WIRE_MAX_WORDS)
		return wire_bad(why, "the request has too many words");
	if (h.argc > h.len - h.hdr)
		return wire_bad(why, "the length leaves no room for the words");
	if (n < h.len)
		return WIRE_MORE;

	end = base + h.len;
	for (unsigned i = 0; i < h.argc; i++) {
		const char *nul = memchr(arg, '\0', (size_t)(end - arg));

		if (!nul)
			return wire_bad(why, "a word has no end");
		arg = nul + 1;
	}
	/* Some senders leave the closing NUL out of the length. */
	if (end - arg > 1 || (end > arg && *arg))
		return wire_bad(why, "there is something behind the last word");
	*req = (struct wire_request){ .cmd = h.cmd, .argc = h.argc, .len = (size_t)h.len,
				      .args = base + h.hdr, .args_end = arg };
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
