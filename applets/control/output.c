/* SPDX-License-Identifier: ISC
 *
 * Rows are gathered and passed on in records of moderate size, so that a
 * client can print a long table while it still arrives.
 */
#include "applets/control/output.h"

#include <string.h>

#define TURN_MAX (16 * OUT_ROWS)

void out_begin(struct output *o, struct cmd *c)
{
	memset(o, 0, sizeof *o);
	o->to = c->out;
	o->form = c->form;
	o->detail = c->detail;
	o->json = c->json;
}

/* Passes on what waits as a record, but for the last `keep` bytes. */
static void pass_on(struct output *o, enum wire_type type, size_t keep)
{
	struct buf *b = &o->rows;

	if (b->len <= keep)
		return;
	if (o->form == CMD_RECORDS)
		wire_put_record(o->to, type, b->p, b->len - keep);
	else
		buf_add(o->to, b->p, b->len - keep);
	buf_consume(b, b->len - keep);
}

bool out_pause(struct output *o)
{
	/* json_sep() looks at the last byte. */
	pass_on(o, WIRE_ROW, o->json);
	return !o->rows.failed && !o->to->failed;
}

void out_turn(struct output *o)
{
	o->turn = o->turn ? o->turn * 2 : OUT_ROWS;
	if (o->turn > TURN_MAX)
		o->turn = TURN_MAX;
	o->end = o->to->len + o->turn;
}

bool out_end(struct output *o)
{
	pass_on(o, WIRE_ROW, 0);
	bool ok = out_pause(o);
	buf_free(&o->rows);
	return ok;
}

void out_head(struct output *o, enum wire_type type, const char *fmt, ...)
{
	va_list ap;

	pass_on(o, WIRE_ROW, 0);
	va_start(ap, fmt);
	buf_vprintf(&o->rows, fmt, ap);
	va_end(ap);
	/* SMCRoute's client styles a line by its last byte. */
	if (o->form == CMD_LEGACY)
		buf_str(&o->rows, type == WIRE_TITLE ? "_\n" : "=\n");
	pass_on(o, type, 0);
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
	if (value != JSON_NONE)
		buf_u64(b, value);
	else
		buf_str(b, "null");
}

void json_open(struct buf *b)
{
	json_sep(b);
	buf_chr(b, '{');
}
