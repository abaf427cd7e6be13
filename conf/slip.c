/* SPDX-License-Identifier: ISC
 * See slip.h. */
#include "conf/slip.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "lib/addr.h"

#define SLIP_MEANT 64		/* bytes of a word that is written as it was meant */

static char slip_why[256];

/* ---- names ---- */

static bool slip_is(const struct word *w, const char *const *list)
{
	for (; *list; list++)
		if (strlen(*list) == w->n && !strncasecmp(w->p, *list, w->n))
			return true;
	return false;
}

/* Words of which the same is to be said. */
struct slip_words {
	const char *list[8];		/* ends with NULL */
	const char *why;
};

#define SLIP_OPTIONS "enable", "disable", "mrdisc", "refresh", "ttl-threshold", "threshold"
#define SLIP_CLAUSES "from", "source", "group", "kernel"

/* What is to be said of a word, NULL when it is in none of n lists. */
static const char *slip_look_up(const struct slip_words *v, size_t n, const struct word *w)
{
	for (; n; v++, n--)
		if (slip_is(w, v->list))
			return v->why;
	return NULL;
}

/* Words that are no name, whatever the machine has. */
static const char *slip_word(const struct word *w)
{
	static const struct slip_words words[] = {
		{ { "mroute", "mgroup", "ssmgroup", "include", "phyint" },
		  "it begins a line, of which each has one directive" },
		{ { SLIP_OPTIONS },
		  "it belongs to a line of its own, \"phyint IFNAME ...\"" },
		{ { SLIP_CLAUSES },
		  "it is a word that stands before \"to\"" },
		{ { "to" }, "\"to\" stands once, before the first name" },
		{ { "any", "all", "every", "each" }, "write + for every interface" },
		{ { "none", "null", "null0", "drop", "discard", "deny", "blackhole" },
		  "leave \"to\" out for a rule that stops the flow" },
		{ { "and", "or", "dev", "via", "interface", "iface" }, "names are parted by blanks alone" },
	};

	const char *why = slip_look_up(words, sizeof words / sizeof *words, w);

	if (why)
		return why;
	for (size_t i = 0; i < w->n; i++)
		if (w->p[i] < '0' || w->p[i] > '9')
			return NULL;
	return "write its name, not a number";
}

/* Writes what was meant by a word with punctuation to out[SLIP_MEANT]: quotes and brackets around it left out, commas
 * as blanks, "*" as "+", nothing behind "@".  False when it is still not what names look like. */
static bool slip_write_meant(const struct word *w, char *out)
{
	const char *p = w->p, *end = p + w->n;
	size_t n = 0;
	bool is_behind_at = false;

	while (p < end && strchr("\"'`([{<", *p))
		p++;
	while (end > p && strchr("\"'`)]}>,;.*", end[-1]) && end[-1])
		end--;
	for (; p < end && n < SLIP_MEANT - 2; p++) {
		bool parts = *p && strchr(",;|&\"'", *p);

		is_behind_at = !parts && (is_behind_at || *p == '@');
		if (parts ? n && out[n - 1] != ' ' : !is_behind_at)
			out[n++] = parts ? ' ' : *p;
		if (!parts && !is_behind_at && *p && strchr("$%*?\\!~^=<>()[]{}`#", *p))
			return false;
		if (*p == '+' && p + 1 < end && !strchr(",;|&\"'", p[1]))
			return false;
	}
	if (p < end)
		return false;
	if (n && end < w->p + w->n && *end == '*')
		out[n++] = '+';
	out[n] = '\0';
	return out[strspn(out, "-. ")];
}

/* True for eth0:eth1, whose second part looks like a name of its own. */
static bool slip_is_alias_name(const struct word *w)
{
	const char *colon = memchr(w->p, ':', w->n), *last = w->p + w->n - 1;

	return colon && colon < last && (colon[1] < '0' || colon[1] > '9') && *last >= '0' && *last <= '9';
}

/* Punctuation that names have seldom. */
static const char *slip_punctuation(const struct word *w)
{
	static const char odd[] = ",;|&\"'`@$%*?\\!~^=<>()[]{}";
	char meant[SLIP_MEANT];
	char has = 0;
	bool is_plus = w->n > 1 && memchr(w->p, '+', w->n - 1);

	for (size_t i = 0; i < w->n; i++) {
		if ((unsigned char)w->p[i] <= ' ' || w->p[i] == 0x7f)
			return NULL;
		if (!has && strchr(odd, w->p[i]))
			has = w->p[i];
	}
	if (!has && *w->p != '.' && (w->p[w->n - 1] == '.' || *w->p == '-'))
		has = *w->p == '-' ? '-' : '.';
	if (*w->p == ';' || (w->n > 1 && (!memcmp(w->p, "//", 2) || !memcmp(w->p, "--", 2))))
		return "a comment begins with #";
	if (!has && slip_is_alias_name(w))
		return "what stands behind a colon is an alias of the same interface, names are parted by blanks";
	if (!has)
		return is_plus ? "+ is a wildcard at the end of a name alone" : NULL;
	if (w->n == 1 && has == '*')
		return "write + for every interface";
	if (has == '$' || has == '%')
		return "variables are not replaced here, write the name itself";
	if (has != '-' && has != '\\' && slip_write_meant(w, meant))
		snprintf(slip_why, sizeof slip_why, "write %s", meant);
	else if (has == '*' || has == '?' || has == '[')
		return "a wildcard is the beginning of a name with + behind it, as in eth+";
	else
		snprintf(slip_why, sizeof slip_why, "is it the whole name? '%c' is seldom in one", has);
	return slip_why;
}

const char *slip_name(const struct word *w)
{
	const char *why;
	struct addr a;
	uint8_t len;

	if ((*w->p >= '0' && *w->p <= '9') || memchr(w->p, ':', w->n)) {
		if (prefix_parse(w->p, w->n, &a, &len) == ADDR_OK)
			return addr_is_multicast(&a, len) ? "it is a group, which stands behind \"group\"" :
			       "it is an address, write the interface; senders stand behind \"source\"";
	}
	why = slip_word(w);
	return why ? why : slip_punctuation(w);
}

/* ---- addresses ---- */

/* A way to write what was meant by a text to out[SLIP_MEANT]; false, or no address, when that was not meant. */
typedef bool slip_write(const char *text, char *out);

static bool slip_parses(const char *text)
{
	struct addr a;
	uint8_t len;

	return prefix_parse(text, strlen(text), &a, &len) == ADDR_OK;
}

/* Writes the address of a URL, with a port or with an interface. */
static bool slip_write_host(const char *text, char *out)
{
	const char *scheme = strstr(text, "://");
	const char *from = scheme ? scheme + 3 : text;
	size_t n;

	from += *from == '@';
	n = strcspn(from, strchr(from, '.') ? ":%" : "%");
	memcpy(out, from, n);
	out[n] = '\0';
	return true;
}

/* Writes an IPv4 address without zeros in front of its numbers. */
static bool slip_write_numbers(const char *text, char *out)
{
	bool is_front = true;

	for (; *text; text++) {
		if (is_front && *text == '0' && text[1] >= '0' && text[1] <= '9')
			continue;
		is_front = *text == '.';
		*out++ = *text;
	}
	*out = '\0';
	return true;
}

/* Writes 239.1.*.* as 239.1.0.0/16. */
static bool slip_write_prefix(const char *text, char *out)
{
	int bits = 0, parts = 0;

	for (const char *end; *text; text = end + (*end == '.')) {
		size_t n = strcspn(text, ".");

		end = text + n;
		if (++parts > 4 || !n)
			return false;
		if (n == 1 && strchr("*xX", *text)) {
			out += sprintf(out, ".0");
			continue;
		}
		if (bits != 8 * (parts - 1))
			return false;
		bits += 8;
		out += sprintf(out, "%s%.*s", parts > 1 ? "." : "", (int)n, text);
	}
	sprintf(out, "/%d", bits);
	return parts == 4 && bits;
}

/* Writes 225.1.2.0/255.255.255.0 as 225.1.2.0/24. */
static bool slip_write_mask(const char *text, char *out)
{
	const char *slash = strchr(text, '/');
	struct addr mask;
	uint32_t bits;
	int len = 0;

	if (!slash || addr_parse(slash + 1, strlen(slash + 1), &mask) != ADDR_OK || addr_fam(&mask) != FAM_4)
		return false;
	bits = ntohl(mask.w[3]);
	while (len < 32 && bits & 0x80000000u >> len)
		len++;
	sprintf(out, "%.*s/%d", (int)(slash - text), text, len);
	return len == 32 || !(bits << len);
}

/* Writes the address that was meant by a word, which is text as well; false when that does not show. */
static bool slip_write_address(const struct word *w, const char *text, char *out)
{
	static slip_write *const ways[] = { slip_write_host, slip_write_numbers, slip_write_mask, slip_write_prefix };
	bool is_done = slip_write_meant(w, out) && slip_parses(out);

	for (size_t i = 0; !is_done && i < sizeof ways / sizeof *ways; i++)
		is_done = ways[i](text, out) && slip_parses(out);
	return is_done;
}

/* What stands for any address in other files. */
static const char *slip_any(const struct word *w, bool is_group)
{
	static const char *const any[] = { "any", "all", "*", "every", "each", "default", NULL };

	if (!slip_is(w, any))
		return NULL;
	return is_group ? "write 224.0.0.0/4 or ff00::/8 for every group" :
	       "leave the source out, which means any source";
}

const char *slip_address(const struct word *w, bool is_group)
{
	char text[SLIP_MEANT / 2], meant[SLIP_MEANT];
	const char *what = slip_any(w, is_group);
	enum addr_result res;
	struct addr a;
	uint8_t len;

	if (w->n >= sizeof text)
		return NULL;
	memcpy(text, w->p, w->n);
	text[w->n] = '\0';
	res = prefix_parse(w->p, w->n, &a, &len);
	if (res == ADDR_OK || res == ADDR_MAPPED)
		return NULL;
	if (!what && slip_write_address(w, text, meant))
		snprintf(slip_why, sizeof slip_why, "\"%s\" is no address: write %s", lex_show(w), meant);
	else if (what || (res == ADDR_BAD && (strchr(text, ',') || (strchr(text, '-') && strchr(text, '.')))))
		snprintf(slip_why, sizeof slip_why, "\"%s\" is no address: %s", lex_show(w), what ? what :
			 "write a prefix such as 225.1.2.0/24, or a line for each address");
	else
		return NULL;
	return slip_why;
}

/* ---- lines ---- */

const char *slip_path(const struct word *w)
{
	char meant[SLIP_MEANT];

	if (memchr(w->p, '$', w->n) || *w->p == '~')
		return "variables and ~ are not replaced";
	if (w->n > 2 && w->n < SLIP_MEANT && strchr("\"'", *w->p) && w->p[w->n - 1] == *w->p) {
		snprintf(slip_why, sizeof slip_why, "write %.*s", (int)w->n - 2, w->p + 1);
		return slip_why;
	}
	if (!slip_write_meant(w, meant) || strlen(meant) == w->n || strchr(meant, ' '))
		return NULL;
	snprintf(slip_why, sizeof slip_why, "write %s", meant);
	return slip_why;
}

const char *slip_directive(const struct word *w)
{
	static const char *const programs[] = { "smcroute", "smcroutectl", "smcrouted", "ip", "sudo", "$", NULL };
	static const struct slip_words words[] = {
		{ { "add", "replace", "route", "-a" },
		  "it is a command of smcroutectl, write mroute from IFNAME group ADDR to IFNAME" },
		{ { "join", "-j" }, "it is a command of smcroutectl, write mgroup from IFNAME group ADDR" },
		{ { SLIP_CLAUSES, "to" }, "all of a rule stands in one line, which begins with mroute or mgroup" },
		{ { SLIP_OPTIONS }, "all of it stands in one line, which begins with phyint" },
	};
	const char *slash = memrchr(w->p, '/', w->n);
	struct word base = slash ? (struct word){ slash + 1, w->n - (size_t)(slash + 1 - w->p) } : *w;

	if (slip_is(&base, programs))
		return "it is a command for a shell, write the rule: mroute from IFNAME group ADDR to IFNAME";
	if (strchr(";!%/", *w->p) || (w->n > 1 && !memcmp(w->p, "--", 2)))
		return "a comment begins with #";
	return slip_look_up(words, sizeof words / sizeof *words, w);
}
