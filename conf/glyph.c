/* SPDX-License-Identifier: ISC
 * See glyph.h. */
#include "conf/glyph.h"

#include <stdio.h>

#include "lib/text.h"

static char glyph_why[256];

/* What to do instead.  Arrays, here and below: a pointer takes 32 bytes in a program that can be loaded anywhere. */
enum glyph_cure {
	GLYPH_BLANK, GLYPH_DROP, GLYPH_DROP_OR_BLANK, GLYPH_DASH, GLYPH_DOT, GLYPH_LINE,
	GLYPH_SLASH, GLYPH_COLON, GLYPH_ASCII,
};
static const char glyph_cures[][32] = {
	[GLYPH_BLANK] = "write a blank",
	[GLYPH_DROP] = "leave it out",
	[GLYPH_DROP_OR_BLANK] = "leave it out, or write a blank",
	[GLYPH_DASH] = "write -",
	[GLYPH_DOT] = "write .",
	[GLYPH_LINE] = "begin a new line",
	[GLYPH_SLASH] = "write /",
	[GLYPH_COLON] = "write :",
	[GLYPH_ASCII] = "write the one of ASCII",
};

/* Code points that are not what they look like, in order. */
static const struct glyph_look {
	uint32_t first, last;
	enum glyph_cure cure;
	char name[32];
} glyph_looks[] = {
	{ 0x00a0, 0x00a0, GLYPH_BLANK, "a no-break space" },
	{ 0x00ab, 0x00ab, GLYPH_DROP, "a quotation mark" },
	{ 0x00ad, 0x00ad, GLYPH_DROP, "a soft hyphen" },
	{ 0x00bb, 0x00bb, GLYPH_DROP, "a quotation mark" },
	{ 0x034f, 0x034f, GLYPH_DROP, "an invisible joiner" },
	{ 0x061c, 0x061c, GLYPH_DROP, "a direction mark" },
	{ 0x115f, 0x1160, GLYPH_DROP, "an invisible filler" },
	{ 0x1680, 0x1680, GLYPH_BLANK, "a space" },
	{ 0x17b4, 0x17b5, GLYPH_DROP, "an invisible vowel" },
	{ 0x180b, 0x180f, GLYPH_DROP, "an invisible separator" },
	{ 0x2000, 0x200a, GLYPH_BLANK, "a space" },
	{ 0x200b, 0x200b, GLYPH_DROP_OR_BLANK, "a zero width space" },
	{ 0x200c, 0x200d, GLYPH_DROP, "a zero width joiner" },
	{ 0x200e, 0x200f, GLYPH_DROP, "a direction mark" },
	{ 0x2010, 0x2015, GLYPH_DASH, "a dash" },
	{ 0x2018, 0x201f, GLYPH_DROP, "a quotation mark" },
	{ 0x2024, 0x2024, GLYPH_DOT, "a dot" },
	{ 0x2028, 0x2029, GLYPH_LINE, "a line separator" },
	{ 0x202a, 0x202e, GLYPH_DROP, "a direction mark" },
	{ 0x202f, 0x202f, GLYPH_BLANK, "a narrow no-break space" },
	{ 0x2039, 0x203a, GLYPH_DROP, "a quotation mark" },
	{ 0x2044, 0x2044, GLYPH_SLASH, "a slash" },
	{ 0x205f, 0x205f, GLYPH_BLANK, "a space" },
	{ 0x2060, 0x2060, GLYPH_DROP, "a word joiner" },
	{ 0x2061, 0x206f, GLYPH_DROP, "an invisible mark" },
	{ 0x2212, 0x2212, GLYPH_DASH, "a minus sign" },
	{ 0x2215, 0x2215, GLYPH_SLASH, "a slash" },
	{ 0x2236, 0x2236, GLYPH_COLON, "a colon" },
	{ 0x2800, 0x2800, GLYPH_BLANK, "a blank of Braille" },
	{ 0x3000, 0x3000, GLYPH_BLANK, "a wide space" },
	{ 0x3001, 0x3001, GLYPH_BLANK, "a comma" },
	{ 0x3002, 0x3002, GLYPH_DOT, "a full stop" },
	{ 0x3164, 0x3164, GLYPH_DROP, "an invisible filler" },
	{ 0xfe00, 0xfe0f, GLYPH_DROP, "an invisible variation selector" },
	{ 0xfeff, 0xfeff, GLYPH_DROP, "a byte order mark" },
	{ 0xff01, 0xff5e, GLYPH_ASCII, "a full-width character" },
	{ 0xffa0, 0xffa0, GLYPH_DROP, "an invisible filler" },
	{ 0xfff9, 0xfffb, GLYPH_DROP, "an invisible mark" },
	{ 0xe0000, 0xe0fff, GLYPH_DROP, "an invisible tag" },
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
		 lex_show(w), glyph_cures[look->cure]);
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
