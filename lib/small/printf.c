/* SPDX-License-Identifier: ISC
 *
 * The printf(3) family of the small build: %d %i %u %x %c %s %% with `-`, `0`,
 * width, precision of text, and the lengths l, ll, z, j, t.  No program of ours
 * prints floating point, which is most of what libc's is made of.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out {
	char *p;
	size_t size, n;		/* n: what would stand there, were there room */
	va_list ap;
};

struct spec {
	bool left, zero;
	int width, precision;	/* precision -1: none */
	unsigned longs;
};

static void put(struct out *o, const char *s, size_t len)
{
	if (o->n < o->size)
		memcpy(o->p + o->n, s, len < o->size - o->n ? len : o->size - o->n);
	o->n += len;
}

static void pad(struct out *o, char c, size_t have, int width)
{
	for (; width > 0 && have < (size_t)width; have++)
		put(o, &c, 1);
}

static int number(struct out *o, const char **fmt)
{
	int v = 0;

	if (**fmt == '*') {
		++*fmt;
		return va_arg(o->ap, int);
	}
	for (; **fmt >= '0' && **fmt <= '9'; ++*fmt)
		v = v * 10 + **fmt - '0';
	return v;
}

static const char *read_spec(struct out *o, struct spec *s, const char *fmt)
{
	*s = (struct spec){ .precision = -1 };
	for (; *fmt == '-' || *fmt == '0'; fmt++)
		*(*fmt == '-' ? &s->left : &s->zero) = true;
	s->width = number(o, &fmt);
	if (s->width < 0) {
		s->left = true;
		s->width = -s->width;
	}
	if (*fmt == '.') {
		fmt++;
		s->precision = number(o, &fmt);
	}
	for (; *fmt && strchr("lzjt", *fmt); fmt++)
		s->longs += *fmt == 'j' ? 2 : 1;
	return fmt;
}

/* The next argument as an unsigned number, and whether it is less than 0. */
static uintmax_t integer(struct out *o, const struct spec *s, bool is_signed, bool *negative)
{
	intmax_t v;

	*negative = false;
	if (!is_signed)
		return s->longs > 1 ? va_arg(o->ap, unsigned long long) :
		       s->longs ? va_arg(o->ap, unsigned long) : va_arg(o->ap, unsigned);
	v = s->longs > 1 ? va_arg(o->ap, long long) : s->longs ? va_arg(o->ap, long) : va_arg(o->ap, int);
	*negative = v < 0;
	return v < 0 ? -(uintmax_t)v : (uintmax_t)v;
}

static void put_text(struct out *o, const struct spec *s, const char *text, size_t len)
{
	if (!s->left)
		pad(o, ' ', len, s->width);
	put(o, text, len);
	if (s->left)
		pad(o, ' ', len, s->width);
}

static void put_integer(struct out *o, const struct spec *s, char conversion)
{
	char text[24], *p = text + sizeof text;
	unsigned base = conversion == 'x' ? 16 : 10;
	bool negative;
	uintmax_t v = integer(o, s, conversion == 'd' || conversion == 'i', &negative);

	do
		*--p = "0123456789abcdef"[v % base];
	while (v /= base);
	if (s->zero && !s->left) {
		if (negative)
			put(o, "-", 1);
		pad(o, '0', (size_t)(text + sizeof text - p), s->width - negative);
		put(o, p, (size_t)(text + sizeof text - p));
		return;
	}
	if (negative)
		*--p = '-';
	put_text(o, s, p, (size_t)(text + sizeof text - p));
}

static void put_argument(struct out *o, const struct spec *s, char conversion)
{
	const char *text;
	char c;

	switch (conversion) {
	case 'c':
		c = (char)va_arg(o->ap, int);
		put_text(o, s, &c, 1);
		break;
	case 's':
		text = va_arg(o->ap, const char *);
		text = text ? text : "(null)";
		put_text(o, s, text, s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
		break;
	default:
		put_integer(o, s, conversion);
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .p = buf, .size = size };
	struct spec s;
	size_t n;

	va_copy(o.ap, ap);
	for (;;) {
		n = strcspn(fmt, "%");
		put(&o, fmt, n);
		fmt += n;
		if (!*fmt || !*++fmt)
			break;
		fmt = read_spec(&o, &s, fmt);
		if (*fmt == '%')
			put(&o, fmt, 1);
		else
			put_argument(&o, &s, *fmt);
		fmt++;
	}
	va_end(o.ap);
	if (size)
		buf[o.n < size ? o.n : size - 1] = '\0';
	if (o.n > INT_MAX) {
		errno = EOVERFLOW;
		return -1;
	}
	return (int)o.n;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int vasprintf(char **out, const char *fmt, va_list ap)
{
	int n = vsnprintf(NULL, 0, fmt, ap);

	*out = n < 0 ? NULL : malloc((size_t)n + 1);
	return *out ? vsnprintf(*out, (size_t)n + 1, fmt, ap) : -1;
}

int asprintf(char **out, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(out, fmt, ap);
	va_end(ap);
	return n;
}

int vfprintf(FILE *to, const char *fmt, va_list ap)
{
	char *text;
	int n = vasprintf(&text, fmt, ap);

	if (n > 0 && fwrite(text, 1, (size_t)n, to) != (size_t)n)
		n = -1;
	free(text);
	return n;
}

int fprintf(FILE *to, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vfprintf(to, fmt, ap);
	va_end(ap);
	return n;
}

int printf(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vfprintf(stdout, fmt, ap);
	va_end(ap);
	return n;
}
