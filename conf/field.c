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

const char *field_host_bits(const struct word *w, const struct addr *a, uint8_t len)
{
	const char *slash = memchr(w->p, '/', w->n);
	size_t n = slash ? (size_t)(slash - w->p) : 0;
	char s[ADDR_STRLEN], one[ADDR_STRLEN];
	struct addr host;

	if (!slash || addr_parse(w->p, n, &host) != ADDR_OK || addr_eq(&host, a))
		return NULL;
	return field_why("%s means %s: write that, or %s for this one alone", lex_show(w), prefix_str(a, len, s),
			 addr_str(&host, one));
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

unsigned field_number(const struct word *w, unsigned max)
{
	char digits[10];
	int n = snprintf(digits, sizeof digits, "%.*s", (int)(w->n < sizeof digits ? w->n : sizeof digits), w->p);
	int64_t v = n < (int)sizeof digits ? number_parse(digits, max) : 0;

	return v > 0 ? (unsigned)v : 0;
}
