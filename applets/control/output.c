/* SPDX-License-Identifier: ISC
 *
 * Rows are gathered and passed on in records of moderate size, so that a client
 * can print a long table while the rest of it is still to come.
 */
#include "applets/control/output.h"

#include <string.h>

/* Bytes of rows that are worth a record: some lines less than what a doubled buffer has room for. */
#define ROWS_MAX (15 * 1024)

/* In the first turn of a table one record is enough, so that the reader has something to do.  Then there are more
 * and more, to this, as each time it is woken costs as much as some hundred lines. */
#define TURN_MAX (16 * ROWS_MAX)

void output_begin(struct output *o, const struct call *call)
{
	*o = (struct output){
		.to = call->out, .form = call->form, .json = call->json,
		.wanted = call->detail ? OUTPUT_DETAIL : 0,
	};
}

/* Passes on the rows as a record, but for the last `keep` bytes. */
static void output_pass(struct output *o, enum wire_type type, size_t keep)
{
	struct buf *b = &o->rows;

	if (b->len <= keep)
		return;
	if (o->form == CALL_RECORDS)
		wire_put_record(o->to, type, b->p, b->len - keep);
	else
		buf_add(o->to, b->p, b->len - keep);
	buf_consume(b, b->len - keep);
}

void output_turn(struct output *o)
{
	o->turn = o->turn ? o->turn * 2 : ROWS_MAX;
	if (o->turn > TURN_MAX)
		o->turn = TURN_MAX;
	o->end = o->to->len + o->turn;
}

bool output_is_full(const struct output *o)
{
	return o->to->len >= o->end || o->rows.failed || o->to->failed;
}

bool output_pause(struct output *o)
{
	/* json_sep() looks at the last byte. */
	output_pass(o, WIRE_ROW, o->json);
	return !o->rows.failed && !o->to->failed;
}

bool output_end(struct output *o)
{
	output_pass(o, WIRE_ROW, 0);

	bool is_good = !o->rows.failed && !o->to->failed;

	buf_free(&o->rows);
	return is_good;
}

/* ---- above the rows ---- */

/* Ends a line above a table. */
static void output_headline(struct output *o, enum wire_type type)
{
	/* SMCRoute's client styles a line by its last byte. */
	if (o->form == CALL_LEGACY)
		buf_str(&o->rows, type == WIRE_TITLE ? "_\n" : "=\n");
	output_pass(o, type, 0);
}

bool output_title(struct output *o, const char *title)
{
	if (o->json || o->title == title)
		return false;
	o->title = title;
	output_pass(o, WIRE_ROW, 0);
	buf_str(&o->rows, title);
	output_headline(o, WIRE_TITLE);
	return true;
}

static void output_cell(struct output *o, const struct output_column *column, const char *text)
{
	struct buf *b = &o->rows;
	size_t width = column->width_of ? o->widths[column->width_of] : column->width, len = strlen(text);

	output_blank(o);
	if (!column->is_left && len < width)
		buf_fill(b, ' ', width - len);
	buf_add(b, text, len);
	if (column->is_left && len < width)
		buf_fill(b, ' ', width - len);
}

void output_headings(struct output *o, const struct output_column *columns, int n)
{
	if (o->json)
		return;
	output_pass(o, WIRE_ROW, 0);
	o->row = o->rows.len;
	for (int i = 0; i < n; i++)
		if (output_shows(o, &columns[i]))
			output_cell(o, &columns[i], columns[i].heading);
	output_headline(o, WIRE_HEAD);
}

/* ---- rows ---- */

void output_row(struct output *o)
{
	if (o->json)
		json_open(&o->rows);
	o->row = o->rows.len;
}

void output_row_end(struct output *o)
{
	buf_chr(&o->rows, o->json ? '}' : '\n');
	output_lines(o);
}

void output_lines(struct output *o)
{
	if (o->rows.len >= ROWS_MAX)
		output_pause(o);
}

bool output_shows(const struct output *o, const struct output_column *column)
{
	return o->json || !(column->needs & ~o->wanted);
}

void output_text(struct output *o, const struct output_column *column, const char *text)
{
	if (!output_shows(o, column))
		return;
	if (o->json)
		json_str(&o->rows, column->key, text);
	else
		output_cell(o, column, text ? text : column->none);
}

void output_u64(struct output *o, const struct output_column *column, uint64_t value)
{
	if (!output_shows(o, column))
		return;
	if (o->json) {
		json_u64(&o->rows, column->key, value);
	} else if (value == JSON_NONE) {
		output_cell(o, column, column->none);
	} else {
		output_blank(o);
		buf_printf(&o->rows, "%*llu", (int)column->width, (unsigned long long)value);
	}
}

void output_blank(struct output *o)
{
	if (o->rows.len > o->row)
		buf_chr(&o->rows, ' ');
}

void output_pad(struct buf *b, size_t from, size_t width)
{
	if (b->len < from + width)
		buf_fill(b, ' ', from + width - b->len);
}
