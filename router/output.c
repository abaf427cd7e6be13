/* SPDX-License-Identifier: ISC
 *
 * Rows are gathered and passed on in records of moderate size, so that a
 * client can print a long table while it still arrives.
 */
#include "router/output.h"

#include <stdio.h>
#include <string.h>

#include "lib/wire.h"

#define ROWS_MAX (15 * 1024)	/* some lines less than what a doubled buffer has */
#define TURN_MAX (16 * ROWS_MAX)

void out_begin(struct output *o, struct cmd *c)
{
	memset(o, 0, sizeof *o);
	o->to = c->out;
	o->form = c->form;
	o->detail = c->detail;
	o->json = c->json;
}

/* Passes on the rows but for the last `keep` bytes. */
static void pass_on(struct output *o, size_t keep)
{
	if (o->rows.len <= keep)
		return;
	if (o->form == CMD_RECORDS)
		wire_put_record(o->to, WIRE_ROW, o->rows.p, o->rows.len - keep);
	else
		buf_add(o->to, o->rows.p, o->rows.len - keep);
	buf_consume(&o->rows, o->rows.len - keep);
}

bool out_pause(struct output *o)
{
	/* json_sep() looks at the last byte. */
	pass_on(o, o->json);
	return !o->rows.failed && !o->to->failed;
}

void out_turn(struct output *o)
{
	o->turn = o->turn ? o->turn * 2 : ROWS_MAX;
	if (o->turn > TURN_MAX)
		o->turn = TURN_MAX;
	o->end = o->to->len + o->turn;
}

bool out_end(struct output *o)
{
	bool ok;

	pass_on(o, 0);
	ok = !o->rows.failed && !o->to->failed;
	buf_free(&o->rows);
	return ok;
}

/* SMCRoute's client styles a line by its last byte: `_` is a title, `=` are headings. */
static void headline(struct output *o, enum wire_type type, const char *text, char mark)
{
	pass_on(o, 0);
	if (o->form == CMD_RECORDS) {
		wire_put_record(o->to, type, text, strlen(text));
	} else {
		buf_str(o->to, text);
		buf_chr(o->to, mark);
		buf_chr(o->to, '\n');
	}
}

void out_title(struct output *o, const char *text)
{
	headline(o, WIRE_TITLE, text, '_');
}

void out_head(struct output *o, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	headline(o, WIRE_HEAD, text, '=');
}

void out_row(struct output *o)
{
	if (o->rows.len >= ROWS_MAX)
		out_pause(o);
}

void out_pad(struct buf *b, size_t from, size_t width)
{
	if (b->len < from + width)
		buf_fill(b, ' ', from + width - b->len);
}

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
	buf_add(b, "\":", 2);
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
	buf_u64(b, value);
}

void json_bool(struct buf *b, const char *key, bool value)
{
	json_key(b, key);
	buf_str(b, value ? "true" : "false");
}
