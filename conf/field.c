/* SPDX-License-Identifier: ISC
 * See field.h. */
#include "conf/field.h"

#include <stdarg.h>
#include <stdio.h>

#include "lib/number.h"

static __attribute__((format(printf, 1, 2))) const char *field_why(const char *fmt, ...)
{
	static char why[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return why;
}

/* Why a word does not make an address, or a group that is none. */
static const char *field_bad_addr(const struct word *w, bool is_group, enum addr_result res, bool v4, unsigned given)
{
	const char *s = lex_show(w), *what = is_group ? "group" : "source", *fam = fam_str(v4 ? FAM_4 : FAM_6);
	const char *range = v4 ? "224.0.0.0/4" : "ff00::/8";
	unsigned least = !is_group ? 0 : v4 ? 4 : 8;

	if (res == ADDR_BAD_LEN)
		return field_why("bad prefix length in \"%s\": an %s %s takes /%u to /%u, digits only", s, fam, what,
				 least, v4 ? 32 : 128);
	if (res == ADDR_MAPPED)
		return field_why("\"%s\" is an IPv4 address written as IPv6: write 10.0.0.1, not ::ffff:10.0.0.1", s);
	if (res == ADDR_BAD)
		return field_why("\"%s\" is no address: write a %s such as %s", s, what,
				 is_group ? "225.1.2.3 or ff05::1" : "10.0.0.1 or 2001:db8::1");
	if (given < least)
		return field_why("group prefix \"%s\" is too short: the length is at least /%u, as in %s", s, least,
				 range);
	return field_why("\"%s\" is not a multicast group: %s groups lie in %s", s, fam, range);
}

const char *field_addr(const struct word *w, bool is_group, struct addr *a, uint8_t *len)
{
	enum addr_result res = prefix_parse(w->p, w->n, a, len);
	const char *kind = NULL;
	struct addr any;
	uint8_t any_len;
	bool v4;

	if (res != ADDR_OK)
		return field_bad_addr(w, is_group, res, !memchr(w->p, ':', w->n), 0);
	v4 = addr_fam(a) == FAM_4;
	if (is_group)
		return addr_is_multicast(a, *len) ? NULL :
		       field_bad_addr(w, is_group, res, v4, *len - (v4 ? ADDR_V4_BITS : 0u));
	if (addr_is_multicast(a, *len))
		kind = "a multicast";
	else if (v4 && *len == 128 && a->w[3] == UINT32_MAX)
		kind = "the broadcast";
	if (kind)
		return field_why("source \"%s\" is %s address: a source is a host or a network", lex_show(w), kind);
	if (*len == 128) {
		addr_any(addr_fam(a), &any, &any_len);
		if (addr_eq(a, &any))
			*len = any_len;
	}
	return NULL;
}

const char *field_mixed(const struct flow *f)
{
	enum fam s = addr_fam(&f->source), g = addr_fam(&f->group);

	return s == g ? NULL : field_why("source is %s but group is %s: both must be of one family", fam_str(s),
					 fam_str(g));
}

static const char *field_client_addr(const char *s, bool is_group, struct addr *a, uint8_t *len)
{
	struct word w = { s, strlen(s) };

	return field_addr(&w, is_group, a, len);
}

const char *field_range(const char *const *w, int nw, struct flow_range *range)
{
	struct flow *f = &range->flow;
	const char *why = nw > 1 ? field_client_addr(w[0], false, &f->source, &range->source_len) : NULL;

	if (!why)
		why = field_client_addr(w[nw - 1], true, &f->group, &range->group_len);
	if (!why && nw == 1)
		addr_any(flow_fam(f), &f->source, &range->source_len);
	return why ? why : field_mixed(f);
}

uint8_t field_ttl(const struct word *w)
{
	char digits[10];
	int n = snprintf(digits, sizeof digits, "%.*s", (int)(w->n < sizeof digits ? w->n : sizeof digits), w->p);
	int64_t ttl = n < (int)sizeof digits ? number_parse(digits, UINT8_MAX) : 0;

	return ttl > 0 ? (uint8_t)ttl : 0;
}

#define FIELD_NEAR_MAX 20	/* a longer word is far from every keyword */

static unsigned field_min(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Edit distance with swaps of neighbours (optimal string alignment), letter case aside; b has n bytes. */
static unsigned field_distance(const struct word *a, const char *b, size_t n)
{
	unsigned d[FIELD_NEAR_MAX + 1][FIELD_NEAR_MAX + 1];

	for (size_t i = 0; i <= a->n; i++)
		for (size_t j = 0; j <= n; j++) {
			unsigned *least = &d[i][j];

			*least = (unsigned)(i + j);
			if (!i || !j)
				continue;
			const char *x = a->p + i - 1, *y = b + j - 1;

			*least = field_min(d[i - 1][j] + 1, d[i][j - 1] + 1);
			*least = field_min(*least, d[i - 1][j - 1] + ((*x | 0x20) != *y));
			if (i > 1 && j > 1 && (*x | 0x20) == y[-1] && (x[-1] | 0x20) == *y)
				*least = field_min(*least, d[i - 2][j - 2] + 1);
		}
	return d[a->n][n];
}

int field_near(const struct word *w, const char *const *list, int n)
{
	unsigned nearest = UINT8_MAX;
	int best = -1;

	for (int k = 0; k < n; k++) {
		size_t len = strlen(list[k]);

		if (len >= 4 && w->n > len && !memcmp(w->p, list[k], len))
			return k;
		unsigned d = w->n > FIELD_NEAR_MAX ? UINT8_MAX : field_distance(w, list[k], len);

		if (d < nearest && d <= len / 3) {
			nearest = d;
			best = k;
		}
	}
	return best;
}
