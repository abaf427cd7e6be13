/* SPDX-License-Identifier: ISC
 *
 * Interface names: see ifname.h.
 */
#include "conf/ifname.h"

#include <string.h>

const char *ifname_check(const char *s, size_t *n)
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
	if (!len)
		return "it is empty";
	if (len >= IFNAME_SIZE)
		return "names have at most 15 characters";
	if (slash)
		return "names hold no slash";
	if (comment)
		return "'#' starts a comment in the config file";
	/* net/core/dev.c, dev_valid_name(). */
	if (s[0] == '.' && (len == 1 || (len == 2 && s[1] == '.')))
		return "the kernel allows no such name";
	return NULL;
}

struct ifname ifname_of(const char *s, size_t n)
{
	struct ifname name = { .is_wildcard = n && s[n - 1] == '+' };

	memcpy(name.text, s, n);
	name.len = (unsigned)n - name.is_wildcard;
	return name;
}

bool ifname_matches(const struct ifname *name, const char *interface)
{
	/* A whole name ends where that of the interface does. */
	return !strncmp(name->text, interface, name->is_wildcard ? name->len : IFNAME_SIZE);
}

bool ifname_within(const struct ifname *narrow, const struct ifname *wide)
{
	if (!wide->is_wildcard)
		return !narrow->is_wildcard && !strcmp(narrow->text, wide->text);
	return narrow->len >= wide->len && !memcmp(narrow->text, wide->text, wide->len);
}
