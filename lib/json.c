/* SPDX-License-Identifier: ISC
 *
 * Keys, commas and values.  Strings are escaped by buf_json().
 */
#include "lib/json.h"

#include <string.h>

void json_sep(struct buf *b)
{
	if (b->len && b->p[b->len - 1] != '{' && b->p[b->len - 1] != '[')
		buf_chr(b, ',');
}

void json_key(struct buf *b, const char *key)
{
	json_sep(b);
	buf_chr(b, '"');
	buf_str(b, key);
	buf_str(b, "\":");
}

void json_str(struct buf *b, const char *key, const char *value)
{
	json_key(b, key);
	if (value)
		buf_json(b, value, strlen(value));
	else
		buf_str(b, "null");
}

void json_u64(struct buf *b, const char *key, uint64_t value)
{
	json_key(b, key);
	if (value != JSON_NONE)
		buf_u64(b, value);
	else
		buf_str(b, "null");
}

void json_bool(struct buf *b, const char *key, int value)
{
	json_key(b, key);
	buf_str(b, value < 0 ? "null" : value ? "true" : "false");
}

void json_item(struct buf *b, const char *value)
{
	json_sep(b);
	buf_json(b, value, strlen(value));
}

void json_list(struct buf *b, const char *key)
{
	json_key(b, key);
	buf_chr(b, '[');
}

void json_open(struct buf *b)
{
	json_sep(b);
	buf_chr(b, '{');
}
