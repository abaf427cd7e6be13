/* SPDX-License-Identifier: ISC
 *
 * Single fields: addresses with their lengths, interface names, numbers, and
 * guesses at mistyped keywords.  The config file and the words of a client
 * command are read by the same functions.  They know no line and no file: the
 * reason comes back as text.
 */
#include "conf/parse.h"

#include <stdio.h>
#include <string.h>

#define SHOWN 36		/* bytes of a word that are worth showing */

const char *word_show(const struct word *w)
{
	static char shown[4 * SHOWN + sizeof "..."];
	struct buf b = { 0 };

	text_show(&b, w->p, w->n < SHOWN ? w->n : SHOWN, false);
	snprintf(shown, sizeof shown, "%s%s", buf_cstr(&b), w->n > SHOWN ? "..." : "");
	buf_free(&b);
	return shown;
}

static __attribute__((format(printf, 1, 2))) const char *because(const char *fmt, ...)
{
	static char why[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return why;
}

/* Why a word does not make an address, or a group that is none. */
static const char *bad_addr(const struct word *w, bool group, enum addr_result res, bool v4, unsigned given)
{
	const char *s = word_show(w), *what = group ? "group" : "source", *fam = fam_str(v4 ? FAM_4 : FAM_6);
	const char *range = v4 ? "224.0.0.0/4" : "ff00::/8";
	unsigned least = !group ? 0 : v4 ? 4 : 8;

	if (res == ADDR_BAD_LEN)
		return because("bad prefix length in \"%s\": an %s %s takes /%u to /%u, digits only",
			       s, fam, what, least, v4 ? 32 : 128);
	if (res == ADDR_MAPPED)
		return because("\"%s\" is an IPv4 address written as IPv6: write 10.0.0.1, not ::ffff:10.0.0.1", s);
	if (res == ADDR_BAD)
		return because("\"%s\" is no address: write a %s such as %s", s, what,
			       group ? "225.1.2.3 or ff05::1" : "10.0.0.1 or 2001:db8::1");
	if (given < least)
		return because("group prefix \"%s\" is too short: the length is at least /%u, as in %s",
			       s, least, range);
	return because("\"%s\" is not a multicast group: %s groups lie in %s", s, fam, range);
}

const char *field_addr(const struct word *w, bool group, struct addr *a, uint8_t *len)
{
	enum addr_result res = prefix_parse(w->p, w->n, a, len);
	const char *kind = NULL;
	struct addr any;
	uint8_t any_len;
	bool v4;

	if (res != ADDR_OK)
		return bad_addr(w, group, res, !memchr(w->p, ':', w->n), 0);
	v4 = addr_fam(a) == FAM_4;
	if (group)
		return addr_is_multicast(a, *len) ? NULL :
		       bad_addr(w, group, res, v4, *len - (v4 ? ADDR_V4_BITS : 0u));
	if (addr_is_multicast(a, *len))
		kind = "a multicast";
	else if (v4 && *len == 128 && a->w[3] == UINT32_MAX)
		kind = "the broadcast";
	if (kind)
		return because("source \"%s\" is %s address: a source is a host or a network", word_show(w), kind);
	if (*len == 128) {
		addr_any(addr_fam(a), &any, &any_len);
		if (addr_eq(a, &any))
			*len = any_len;
	}
	return NULL;
}

const char *field_mixed(const struct addr *source, const struct addr *group)
{
	enum fam s = addr_fam(source), g = addr_fam(group);

	return s == g ? NULL : because("source is %s but group is %s: both must be of one family",
				       fam_str(s), fam_str(g));
}

uint8_t field_ttl(const struct word *w)
{
	unsigned v = 0;

	if (w->n > 9)
		return 0;
	for (size_t i = 0; i < w->n; i++) {
		unsigned digit = (unsigned)w->p[i] - '0';

		if (digit > 9)
			return 0;
		v = v * 10 + digit;
	}
	return v <= UINT8_MAX ? (uint8_t)v : 0;
}

#define NEAR_MAX 20		/* a longer word is far from every keyword */

static unsigned min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edit distance with swaps of neighbours (optimal string alignment), letter case aside. */
static unsigned field_distance(const struct word *a, const char *b, size_t n)
{
	enum { ROW = NEAR_MAX + 1 };
	unsigned d[ROW * ROW];

	for (unsigned i = 0; i <= a->n; i++)
		for (unsigned j = 0; j <= n; j++) {
			unsigned *at = &d[i * ROW + j];

			*at = i + j;
			if (!i || !j)
				continue;
			const char *x = a->p + i - 1, *y = b + j - 1;

			*at = min(min(at[-ROW], at[-1]) + 1, at[-ROW - 1] + ((*x | 0x20) != *y));
			if (i > 1 && j > 1 && (*x | 0x20) == y[-1] && (x[-1] | 0x20) == *y)
				*at = min(*at, at[-2 * ROW - 2] + 1);
		}
	return d[a->n * ROW + n];
}

int field_near(const struct word *w, const char *const *list, int n)
{
	unsigned nearest = UINT8_MAX;
	int best = -1;

	for (int k = 0; k < n; k++) {
		size_t len = strlen(list[k]);

		if (len >= 4 && w->n > len && !memcmp(w->p, list[k], len))
			return k;
		unsigned d = w->n > NEAR_MAX ? UINT8_MAX : field_distance(w, list[k], len);

		if (d < nearest && d <= len / 3) {
			nearest = d;
			best = k;
		}
	}
	return best;
}

static const char *client_addr(const char *s, bool group, struct addr *a, uint8_t *len)
{
	struct word w = { s, strlen(s) };

	return field_addr(&w, group, a, len);
}

const char *conf_parse_range(const char *const *w, int nw, struct flow_range *range)
{
	struct flow *f = &range->flow;
	const char *why = nw > 1 ? client_addr(w[0], false, &f->source, &range->source_len) : NULL;

	if (!why)
		why = client_addr(w[nw - 1], true, &f->group, &range->group_len);
	if (!why && nw == 1)
		addr_any(flow_fam(f), &f->source, &range->source_len);
	return why ? why : field_mixed(&f->source, &f->group);
}
