/* SPDX-License-Identifier: ISC
 *
 * What <string.h> has for short texts, in the small build: plain loops where musl
 * has tables and words at a time.
 */
#include <stdint.h>
#include <string.h>

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a == *b; a++, b++, n--)
		if (!*a)
			return 0;
	return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

void *memchr(const void *in, int c, size_t n)
{
	for (const unsigned char *p = in; n; p++, n--)
		if (*p == (unsigned char)c)
			return (void *)(size_t)p;
	return NULL;
}

void *memrchr(const void *in, int c, size_t n)
{
	for (const unsigned char *p = in; n; n--)
		if (p[n - 1] == (unsigned char)c)
			return (void *)(size_t)(p + n - 1);
	return NULL;
}

char *strrchr(const char *s, int c)
{
	return memrchr(s, c, strlen(s) + 1);
}

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

char *strpbrk(const char *s, const char *set)
{
	s += strcspn(s, set);
	return *s ? (char *)(size_t)s : NULL;
}

char *strsep(char **at, const char *set)
{
	char *word = *at;

	if (word) {
		*at = strpbrk(word, set);
		if (*at)
			*(*at)++ = '\0';
	}
	return word;
}

char *strtok_r(char *restrict s, const char *restrict set, char **restrict at)
{
	char *word = s ? s : *at;

	word += strspn(word, set);
	*at = word + strcspn(word, set);
	if (**at)
		*(*at)++ = '\0';
	return *word ? word : NULL;
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
