/* SPDX-License-Identifier: ISC
 * See glyph.h. */
#include "conf/glyph.h"

#include <stdio.h>

#include "lib/text.h"

static char glyph_why[256];

/* Code points that are not what they look like, in order. */
static const struct glyph_look {
	uint32_t first, last;
	const char *name, *instead;
} glyph_looks[] = {
	{ 0x00a0, 0x00a0, "a no-break space", "write a blank" },
	{ 0x00ab, 0x00ab, "a quotation mark", "leave it out" },
	{ 0x00ad, 0x00ad, "a soft hyphen", "leave it out" },
	{ 0x00bb, 0x00bb, "a quotation mark", "leave it out" },
	{ 0x034f, 0x034f, "an invisible joiner", "leave it out" },
	{ 0x061c, 0x061c, "a direction mark", "leave it out" },
	{ 0x115f, 0x1160, "an invisible filler", "leave it out" },
	{ 0x1680, 0x1680, "a space", "write a blank" },
	{ 0x17b4, 0x17b5, "an invisible vowel", "leave it out" },
	{ 0x180b, 0x180f, "an invisible separator", "leave it out" },
	{ 0x2000, 0x200a, "a space", "write a blank" },
	{ 0x200b, 0x200b, "a zero width space", "leave it out, or write a blank" },
	{ 0x200c, 0x200d, "a zero width joiner", "leave it out" },
	{ 0x200e, 0x200f, "a direction mark", "leave it out" },
	{ 0x2010, 0x2015, "a dash", "write -" },
	{ 0x2018, 0x201f, "a quotation mark", "leave it out" },
	{ 0x2024, 0x2024, "a dot", "write ." },
	{ 0x2028, 0x2029, "a line separator", "begin a new line" },
	{ 0x202a, 0x202e, "a direction mark", "leave it out" },
	{ 0x202f, 0x202f, "a narrow no-break space", "write a blank" },
	{ 0x2039, 0x203a, "a quotation mark", "leave it out" },
	{ 0x2044, 0x2044, "a slash", "write /" },
	{ 0x205f, 0x205f, "a space", "write a blank" },
	{ 0x2060, 0x2060, "a word joiner", "leave it out" },
	{ 0x2061, 0x206f, "an invisible mark", "leave it out" },
	{ 0x2212, 0x2212, "a minus sign", "write -" },
	{ 0x2215, 0x2215, "a slash", "write /" },
	{ 0x2236, 0x2236, "a colon", "write :" },
	{ 0x2800, 0x2800, "a blank of Braille", "write a blank" },
	{ 0x3000, 0x3000, "a wide space", "write a blank" },
	{ 0x3001, 0x3001, "a comma", "write a blank" },
	{ 0x3002, 0x3002, "a full stop", "write ." },
	{ 0x3164, 0x3164, "an invisible filler", "leave it out" },
	{ 0xfe00, 0xfe0f, "an invisible variation selector", "leave it out" },
	{ 0xfeff, 0xfeff, "a byte order mark", "leave it out" },
	{ 0xff01, 0xff5e, "a full-width character", "write the one of ASCII" },
	{ 0xffa0, 0xffa0, "an invisible filler", "leave it out" },
	{ 0xfff9, 0xfffb, "an invisible mark", "leave it out" },
	{ 0xe0000, 0xe0fff, "an invisible tag", "leave it out" },
};

/* Decodes a well-formed sequence of 2 to 4 bytes. */
static uint32_t glyph_decode(const char *s, size_t n)
{
	uint32_t c = (unsigned char)*s & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s[i] & 0x3f);
	return c;
}

static const struct glyph_look *glyph_look_up(uint32_t c)
{
	const struct glyph_look *look = glyph_looks, *end = look + sizeof glyph_looks / sizeof *glyph_looks;

	while (look < end && look->last < c)
		look++;
	return look < end && look->first <= c ? look : NULL;
}

/* Finds the next character beyond ASCII that is well-formed, at or behind *i: false when there is none. */
static bool glyph_next(const struct word *w, size_t *i, struct word *at)
{
	for (; *i < w->n; ++*i) {
		size_t n = (unsigned char)w->p[*i] < 0x80 ? 1 : text_utf8_len(w->p + *i, w->n - *i);

		if (n < 2)
			continue;
		*at = (struct word){ w->p + *i, n };
		*i += n;
		return true;
	}
	return false;
}

const char *glyph_odd(const struct word *w, struct word *at)
{
	const struct glyph_look *look = NULL;
	size_t i = 0;
	uint32_t c = 0;

	while (!look && glyph_next(w, &i, at))
		look = glyph_look_up(c = glyph_decode(at->p, at->n));
	if (!look)
		return NULL;
	snprintf(glyph_why, sizeof glyph_why, "there is %s (U+%04lX) in \"%s\": %s", look->name, (unsigned long)c,
		 lex_show(w), look->instead);
	return glyph_why;
}

const char *glyph_not_ascii(const struct word *w, struct word *at)
{
	size_t i = 0;

	if (glyph_odd(w, at) || !glyph_next(w, &i, at))
		return NULL;
	snprintf(glyph_why, sizeof glyph_why, "there is a character that is not ASCII (U+%04lX) in \"%s\": write it "
		 "anew", (unsigned long)glyph_decode(at->p, at->n), lex_show(w));
	return glyph_why;
}
