/* SPDX-License-Identifier: ISC
 *
 * The growable buffer: room doubles, so that appending is cheap.  Only bytes and text live here, nothing about what
 * they mean.
 */
#include "lib/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"
#include "lib/text.h"

#define BUF_FIRST 256

bool buf_grow(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST;
	char *p = NULL;

	if (n <= SIZE_MAX / 4 - b->len) {
		while (cap < b->len + n)
			cap *= 2;
		p = grow_move(b->p, b->len, cap);
	}
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!n || !buf_reserve(b, n))
		return;
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

void buf_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_fill(struct buf *b, char c, size_t n)
{
	if (!n || !buf_reserve(b, n))
		return;
	memset(b->p + b->len, c, n);
	b->len += n;
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room;
	int n = 63;

	do {
		va_list again;

		if (!buf_reserve(b, (size_t)n + 1))
			return;
		room = b->cap - b->len;
		va_copy(again, ap);
		n = vsnprintf(b->p + b->len, room, fmt, again);
		va_end(again);
		if (n < 0) {
			b->failed = true;
			return;
		}
	} while ((size_t)n >= room);
	b->len += (size_t)n;
}

void buf_u64(struct buf *b, unsigned long long v)
{
	char text[20], *p = text + sizeof text;

	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(b, p, (size_t)(text + sizeof text - p));
}

/* Bytes at the beginning of n that stand for themselves in JSON; more may follow. */
static size_t buf_json_plain(const char *s, size_t n)
{
	size_t i = 0;

	while (i < n && s[i] >= ' ' && s[i] <= '~' && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

void buf_json(struct buf *b, const char *s, size_t n)
{
	buf_chr(b, '"');
	for (size_t i = 0, len; i < n; i += len) {
		unsigned char c = (unsigned char)s[i];

		if ((len = buf_json_plain(s + i, n - i)) || (len = text_printable_len(s + i, n - i, TEXT_KEEP_NONE))) {
			if (c == '"' || c == '\\')
				buf_chr(b, '\\');
			buf_add(b, s + i, len);
			continue;
		}
		/* A C1 control is two bytes: the second one is its number. */
		len = text_utf8_len(s + i, n - i);
		buf_printf(b, "\\u%04x", len == 2 ? (unsigned char)s[i + 1] : c);
		len += !len;
	}
	buf_chr(b, '"');
}

void buf_escape(struct buf *b, const char *s, size_t n, unsigned keep)
{
	size_t size = TEXT_ESCAPED_SIZE(n);

	if (buf_reserve(b, size))
		b->len += text_escape(b->p + b->len, size, s, n, keep);
}

void buf_shell_word(struct buf *b, const char *s)
{
	size_t size = TEXT_WORD_SIZE(strlen(s));

	if (buf_reserve(b, size))
		b->len += strlen(text_shell_word(b->p + b->len, size, s));
}

void buf_consume(struct buf *b, size_t n)
{
	b->len -= n < b->len ? n : b->len;
	if (b->len)
		memmove(b->p, b->p + n, b->len);
}

const char *buf_cstr(struct buf *b)
{
	if (!buf_reserve(b, 1) || b->failed)
		return "";
	b->p[b->len] = '\0';
	return b->p;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}
