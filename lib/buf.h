/* SPDX-License-Identifier: ISC
 *
 * A growable byte buffer.  Running out of memory sets `failed` and drops what does not fit, so that callers may write a
 * whole reply and check once, at its end.
 */
#ifndef LIB_BUF_H
#define LIB_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *p;		/* owned; may be NULL while len is 0 */
	size_t len;		/* bytes in use, without the NUL */
	size_t cap;
	bool failed;
};

/* Moves the bytes to where there is room for n more; false (and failed) when memory ran out.  For buf_reserve(). */
bool buf_grow(struct buf *b, size_t n);

/* Makes room for n more bytes; false (and failed) when memory ran out. */
static inline bool buf_reserve(struct buf *b, size_t n)
{
	return n <= b->cap - b->len || buf_grow(b, n);
}

void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, const char *s);

static inline void buf_chr(struct buf *b, char c)
{
	if (buf_reserve(b, 1))
		b->p[b->len++] = c;
}

/* Appends n copies of c. */
void buf_fill(struct buf *b, char c, size_t n);

void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/* Appends an unsigned number in decimal; quicker than buf_printf(). */
void buf_u64(struct buf *b, unsigned long long v);

/* Appends n bytes as a JSON string, quotes included.  Control characters, and bytes that are not valid UTF-8, are
 * written as \u00XX, so that the result is always valid JSON. */
void buf_json(struct buf *b, const char *s, size_t n);

/* Appends n bytes of text as text_escape() shows them; keep is of enum text_keep. */
void buf_escape(struct buf *b, const char *s, size_t n, unsigned keep);

/* Appends a word of a command for people to paste, quoted as text_shell_word() has it. */
void buf_shell_word(struct buf *b, const char *s);

/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);

/* Returns the content with a NUL behind it; "" when memory ran out, whatever b->len is: who needs the length too takes
 * b->p and b->len, which always fit. */
const char *buf_cstr(struct buf *b);

/* Frees the memory and makes *b empty again. */
void buf_free(struct buf *b);

#endif
