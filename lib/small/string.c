/* SPDX-License-Identifier: ISC
 *
 * What <string.h> has for short texts, in the small build: plain loops where musl
 * has tables and words at a time.
 */
#include <string.h>

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)(size_t)s;
}

size_t strspn(const char *s, const char *set)
{
	size_t n = 0;

	while (s[n] && strchr(set, s[n]))
		n++;
	return n;
}

size_t strcspn(const char *s, const char *set)
{
	size_t n = 0;

	/* The end of the text is in any set. */
	while (!strchr(set, s[n]))
		n++;
	return n;
}

char *strstr(const char *text, const char *part)
{
	size_t n = strlen(part);

	for (; strncmp(text, part, n); text++)
		if (!*text)
			return NULL;
	return (char *)(size_t)text;
}

char *stpcpy(char *restrict to, const char *restrict from)
{
	while ((*to = *from++))
		to++;
	return to;
}

char *strcpy(char *restrict to, const char *restrict from)
{
	/* Not by stpcpy(3), whose call with nothing made of its result compilers turn into one of strcpy. */
	for (char *p = to; (*p++ = *from++); )
		;
	return to;
}

char *strncpy(char *restrict to, const char *restrict from, size_t n)
{
	for (char *p = to; n; n--) {
		*p++ = *from;
		from += !!*from;
	}
	return to;
}
