/* SPDX-License-Identifier: ISC
 *
 * Text from outside, byte by byte.  Whatever decides if a byte may be shown is in this file; who shows it, and where,
 * is not.
 */
#include "lib/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

size_t text_utf8_len(const char *s, size_t n)
{
	const unsigned char *u = (const unsigned char *)s;
	unsigned char low = 0x80, high = 0xbf;	/* bounds of the second byte: the table of RFC 3629, section 4 */
	size_t len;

	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xc2 || u[0] > 0xf4)
		return 0;
	len = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
	if (len > n)
		return 0;
	if (u[0] == 0xe0)
		low = 0xa0;
	else if (u[0] == 0xed)
		high = 0x9f;
	else if (u[0] == 0xf0)
		low = 0x90;
	else if (u[0] == 0xf4)
		high = 0x8f;
	if (u[1] < low || u[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (u[i] < 0x80 || u[i] > 0xbf)
			return 0;
	return len;
}

size_t text_printable_len(const char *s, size_t n, unsigned keep)
{
	const unsigned char *u = (const unsigned char *)s;

	if (u[0] == '\t')
		return keep & TEXT_KEEP_TAB ? 1 : 0;
	if (u[0] == '\n')
		return keep & TEXT_KEEP_NEWLINE ? 1 : 0;
	if (u[0] < 0x20 || u[0] == 0x7f)
		return 0;
	if (u[0] == 0xc2 && n > 1 && u[1] < 0xa0)
		return 0;
	return text_utf8_len(s, n);
}

size_t text_escape(char *out, size_t size, const char *s, size_t n, unsigned keep)
{
	size_t at = 0;

	for (size_t i = 0; i < n; ) {
		size_t len = text_printable_len(s + i, n - i, keep), room = size - at;

		if ((len ? len : 4) >= room)
			break;
		if (len) {
			memcpy(out + at, s + i, len);
			at += len;
			i += len;
		} else {
			at += (size_t)snprintf(out + at, room, "\\x%02x", (unsigned char)s[i++]);
		}
	}
	out[at] = '\0';
	return at;
}

/* True for what has no meaning to a shell, inside or outside of quotes. */
static bool text_is_shell_plain(char c)
{
	/* isalnum() would follow the locale. */
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("._:@+,/=-", c));
}

/* Writes n bytes in single quotes; a quote among them as '\''.  Returns the end. */
static char *text_quote(char *to, const char *s, size_t n)
{
	*to++ = '\'';
	for (size_t i = 0; i < n; i++) {
		if (s[i] == '\'')
			to = stpcpy(to, "'\\'");
		*to++ = s[i];
	}
	*to++ = '\'';
	return to;
}

/* Writes n bytes as the output of printf(1), for $'...' is not known to dash.  Returns the end. */
static char *text_quote_printf(char *to, const char *s, size_t n)
{
	to = stpcpy(to, "\"$(printf '");
	for (size_t i = 0; i < n; i++) {
		bool is_plain = text_is_shell_plain(s[i]) || s[i] == '[' || s[i] == ']';

		/* In front, printf would take "-" for the beginning of an option. */
		if (is_plain && (i || s[i] != '-'))
			*to++ = s[i];
		else
			to += sprintf(to, "\\%03o", (unsigned char)s[i]);
	}
	return stpcpy(to, "')\"");
}

const char *text_shell_word(char *out, size_t size, const char *s)
{
	size_t n = strlen(s), body = n, plain = 0, shown = 0, len;
	char *to = out;

	if (size < TEXT_WORD_SIZE(n))
		return size > 2 ? strcpy(out, "''") : "''";
	/* $(...) loses newlines at its end. */
	while (body && s[body - 1] == '\n')
		body--;
	while (plain < body && (text_is_shell_plain(s[plain]) || s[plain] == '%'))
		plain++;
	while (shown < body && (len = text_printable_len(s + shown, body - shown, TEXT_KEEP_NONE)))
		shown += len;
	if (shown < body) {
		to = text_quote_printf(to, s, body);
	} else if (plain < body) {
		to = text_quote(to, s, body);
	} else {
		memcpy(to, s, body);
		to += body;
	}
	if (body < n || !n)
		to = text_quote(to, s + body, n - body);
	*to = '\0';
	return out;
}
