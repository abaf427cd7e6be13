/* SPDX-License-Identifier: ISC
 *
 * Single fields: addresses with their lengths, interface names, numbers, and
 * guesses at mistyped keywords.  The config file and the words of a client
 * command are read by the same functions.  They know no line and no file: the
 * reason comes back as text.
 */
#include "conf/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 36		/* bytes of a word that are worth showing */

const char *word_show(const struct word *w, char buf[WORD_SHOW])
{
	struct buf b = { 0 };

	text_show(&b, NULL, w->p, w->n < SHOWN ? w->n : SHOWN, false);
	snprintf(buf, WORD_SHOW, "%s%s", buf_cstr(&b), w->n > SHOWN ? "..." : "");
	buf_free(&b);
	return buf;
}

static bool is_any(const struct addr *a)
{
	return !a->w[3] && !a->w[0] && !a->w[1] && (!a->w[2] || addr_fam(a) == FAM_4);
}

/* What both kinds of address have in common; shortest = the least length, from 128. */
static bool field_prefix(const struct word *w, const char *what, const char *example,
			 struct addr *a, uint8_t *len, unsigned v4_min, unsigned v6_min, char *why)
{
	char s[WORD_SHOW];
	bool v6;

	switch (prefix_parse(w->p, w->n, a, len)) {
	case ADDR_OK:
		return true;
	case ADDR_BAD_LEN:
		v6 = memchr(w->p, ':', w->n);
		snprintf(why, FIELD_WHY, "bad prefix length in \"%s\": an %s %s takes /%u to /%u, digits only",
			 word_show(w, s), fam_str(v6 ? FAM_6 : FAM_4), what,
			 v6 ? v6_min : v4_min, v6 ? 128 : 32);
		return false;
	case ADDR_MAPPED:
		snprintf(why, FIELD_WHY, "\"%s\" is an IPv4 address written as IPv6: write 10.0.0.1, not ::ffff:10.0.0.1",
			 word_show(w, s));
		return false;
	case ADDR_BAD:
		break;
	}
	snprintf(why, FIELD_WHY, "\"%s\" is no address: write a %s such as %s",
		 word_show(w, s), what, example);
	return false;
}

bool field_group(const struct word *w, struct addr *a, uint8_t *len, char why[FIELD_WHY])
{
	char s[WORD_SHOW];

	if (!field_prefix(w, "group", "225.1.2.3 or ff05::1", a, len, 4, 8, why))
		return false;
	if (addr_is_multicast(a, *len))
		return true;
	bool v4 = addr_fam(a) == FAM_4;
	const char *range = v4 ? "224.0.0.0/4" : "ff00::/8";
	unsigned least = v4 ? 4 : 8, given = *len - (v4 ? ADDR_V4_BITS : 0u);

	if (given < least)
		snprintf(why, FIELD_WHY, "group prefix \"%s\" is too short: the length is at least /%u, as in %s",
			 word_show(w, s), least, range);
	else
		snprintf(why, FIELD_WHY, "\"%s\" is not a multicast group: %s groups lie in %s",
			 word_show(w, s), fam_str(addr_fam(a)), range);
	return false;
}

bool field_source(const struct word *w, struct addr *a, uint8_t *len, char why[FIELD_WHY])
{
	char s[WORD_SHOW];

	if (!field_prefix(w, "source", "10.0.0.1 or 2001:db8::1", a, len, 0, 0, why))
		return false;
	bool v4 = addr_fam(a) == FAM_4;

	if (addr_is_multicast(a, *len)) {
		snprintf(why, FIELD_WHY, "source \"%s\" is a multicast address: a source is a host or a network",
			 word_show(w, s));
		return false;
	}
	if (v4 && *len == 128 && a->w[3] == UINT32_MAX) {
		snprintf(why, FIELD_WHY, "source \"%s\" is the broadcast address: a source is a host or a network",
			 word_show(w, s));
		return false;
	}
	if (*len == 128 && is_any(a))
		addr_any(addr_fam(a), a, len);
	return true;
}

bool field_number(const struct word *w, unsigned lo, unsigned hi, unsigned *out)
{
	unsigned v = 0;

	if (!w->n || w->n > 9)
		return false;
	for (size_t i = 0; i < w->n; i++) {
		if (w->p[i] < '0' || w->p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(w->p[i] - '0');
	}
	*out = v;
	return v >= lo && v <= hi;
}

const char *conf_ifname(const char *s, size_t *n)
{
	size_t len = *n;
	bool slash = false, comment = false;

	for (size_t i = 0; i < *n; i++) {
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f)
			return "it holds a blank or control character";
		if (len < *n)
			continue;
		if (s[i] == ':')
			len = i;
		slash |= s[i] == '/';
		comment |= s[i] == '#';
	}
	if (len + 1 == *n)
		return "nothing behind the colon";
	*n = len;
	if (!*n)
		return "it is empty";
	if (*n >= CONF_IFNAME)
		return "names have at most 15 characters";
	if (slash)
		return "names hold no slash";
	if (comment)
		return "'#' starts a comment in the config file";
	if (s[0] == '.' && (*n == 1 || (*n == 2 && s[1] == '.')))
		return "the kernel allows no such name";
	return NULL;
}

/* Edit distance with swaps of neighbours (optimal string alignment), letter case aside. */
#define NEAR_MAX 20
static unsigned distance(const struct word *a, const struct word *b)
{
	unsigned char rows[3][NEAR_MAX + 1], *prev = rows[0], *row = rows[1], *before = rows[2];

	for (size_t j = 0; j <= b->n; j++)
		row[j] = (unsigned char)j;
	for (size_t i = 1; i <= a->n; i++) {
		unsigned char *oldest = before;

		before = prev;
		prev = row;
		row = oldest;
		row[0] = (unsigned char)i;
		for (size_t j = 1; j <= b->n; j++) {
			char x = (char)(a->p[i - 1] | 0x20), y = b->p[j - 1];
			unsigned best = prev[j - 1] + (x != y);

			if (prev[j] + 1u < best)
				best = prev[j] + 1u;
			if (row[j - 1] + 1u < best)
				best = row[j - 1] + 1u;
			if (i > 1 && j > 1 && x == b->p[j - 2] && (a->p[i - 2] | 0x20) == y &&
			    before[j - 2] + 1u < best)
				best = before[j - 2] + 1u;
			row[j] = (unsigned char)best;
		}
	}
	return row[b->n];
}

int field_near(const struct word *w, const struct word *list, int n)
{
	unsigned least = UINT8_MAX;
	int best = -1;

	for (int i = 0; i < n; i++) {
		if (list[i].n >= 4 && w->n > list[i].n && !memcmp(w->p, list[i].p, list[i].n))
			return i;
		if (w->n > NEAR_MAX || list[i].n > NEAR_MAX)
			continue;
		unsigned d = distance(w, &list[i]);

		if (d < least && d <= list[i].n / 3) {
			least = d;
			best = i;
		}
	}
	return best;
}

const char *conf_parse_flow(const char *const *w, int nw, struct addr *source, uint8_t *slen,
			    struct addr *group, uint8_t *glen, int *bad, char *buf, size_t len)
{
	char why[FIELD_WHY] = "no group is given";
	struct word word = { 0 };

	if (nw == 2) {
		*bad = 0;
		word = (struct word){ w[0], strlen(w[0]) };
		if (!field_source(&word, source, slen, why))
			goto out;
	}
	*bad = nw - 1;
	if (nw < 1 || nw > 2)
		goto out;
	word = (struct word){ w[nw - 1], strlen(w[nw - 1]) };
	if (!field_group(&word, group, glen, why))
		goto out;
	if (nw == 1)
		addr_any(addr_fam(group), source, slen);
	if (addr_fam(source) == addr_fam(group))
		return NULL;
	field_mixed(source, group, why);
out:
	snprintf(buf, len, "%s", why);
	return buf;
}

void field_mixed(const struct addr *source, const struct addr *group, char why[FIELD_WHY])
{
	snprintf(why, FIELD_WHY, "source is %s but group is %s: both must be of one family",
		 fam_str(addr_fam(source)), fam_str(addr_fam(group)));
}
