/* SPDX-License-Identifier: ISC
 *
 * JSON, appended to a buffer piece by piece.  Commas come by themselves: one is put wherever the text does not end in
 * an opening bracket or brace.  Brackets and braces are closed with buf_chr().
 */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdint.h>

#include "lib/buf.h"

/* The number that json_u64() writes as null.  A negative int becomes it too. */
#define JSON_NONE UINT64_MAX

/* A comma, where one is due.  For an element of a list. */
void json_sep(struct buf *b);

/* `"key":` after such a comma.  A value must follow. */
void json_key(struct buf *b, const char *key);

/* A key and its value; NULL becomes null. */
void json_str(struct buf *b, const char *key, const char *value);
void json_u64(struct buf *b, const char *key, uint64_t value);

/* A key with true or false; less than 0 becomes null. */
void json_bool(struct buf *b, const char *key, int value);

/* Begins a list, and writes a text as an element of one. */
void json_list(struct buf *b, const char *key);
void json_item(struct buf *b, const char *value);

/* Begins an object, after such a comma. */
void json_open(struct buf *b);

#endif
