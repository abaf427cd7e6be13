/* SPDX-License-Identifier: ISC
 *
 * Rows are gathered and passed on in records of moderate size, so that a client can print a long table while the rest
 * of it is still to come.
 */
#include "applets/control/output.h"

#include <string.h>

#define RECORD_SIZE (15 * 1024)		/* of rows that are worth a record: with the last row they fit into 16 KiB */

static void output_pass_as(struct output *o, enum wire_type type)
{
	if (o->rows.len && o->form == CALL_RECORDS)
		wire_put_record(o->to, type, o->rows.p, o->rows.len);
	else if (o->rows.len)
		buf_add(o->to, o->rows.p, o->rows.len);
	o->rows.len = 0;
}

bool output_pass(struct output *o)
{
	output_pass_as(o, WIRE_ROW);
	return !o->rows.failed && !o->to->failed;
}

bool output_has_room(struct output *o)
{
	if (o->rows.len >= RECORD_SIZE)
		output_pass_as(o, WIRE_ROW);
	return o->to->len < o->end && !o->rows.failed && !o->to->failed;
}

void output_widen(struct output *o, enum output_width width_of, size_t len)
{
	if (o->widths[width_of] < len)
		o->widths[width_of] = (unsigned)len;
}

void output_widen_u64(struct output *o, enum output_width width_of, uint64_t value)
{
	size_t digits = 1;

	while (value != JSON_NONE && (value /= 10))
		digits++;
	output_widen(o, width_of, digits);
}

size_t output_cell(struct output *o)
{
	if (o->rows.len > o->row)
		buf_chr(&o->rows, ' ');
	return o->rows.len;
}

void output_cell_end(struct output *o, const struct output_column *column, size_t begin)
{
	struct buf *b = &o->rows;
	size_t width = column->width > o->widths[column->width_of] ? column->width : o->widths[column->width_of];
	size_t len = b->len - begin, padding = len < width ? width - len : 0;

	if (column->is_left) {
		buf_fill(b, ' ', padding);
		return;
	}
	if (!padding || !buf_reserve(b, padding))
		return;
	memmove(b->p + begin + padding, b->p + begin, len);
	memset(b->p + begin, ' ', padding);
	b->len += padding;
}

static void output_cell_text(struct output *o, const struct output_column *column, const char *text)
{
	size_t begin = output_cell(o);

	buf_str(&o->rows, text);
	output_cell_end(o, column, begin);
}

/* Ends a line above a table, which is the first one of the rows that wait. */
static void output_headline(struct output *o, enum wire_type type)
{
	/* SMCRoute's client styles a line by its last byte. */
	if (o->rows.len && o->form == CALL_LEGACY)
		buf_str(&o->rows, type == WIRE_TITLE ? "_\n" : "=\n");
	output_pass_as(o, type);
}

void output_heading(struct output *o, const char *title, const struct output_column *columns, int n)
{
	if (o->json || o->title == title)
		return;
	o->title = title;
	output_pass_as(o, WIRE_ROW);
	buf_str(&o->rows, title);
	output_headline(o, WIRE_TITLE);
	o->row = 0;
	for (int i = 0; i < n; i++)
		if (output_shows(o, &columns[i]))
			output_cell_text(o, &columns[i], columns[i].heading);
	output_headline(o, WIRE_HEAD);
}

void output_row(struct output *o)
{
	if (o->json)
		buf_str(&o->rows, o->is_list_begun ? ",{" : "{");
	o->is_list_begun = true;
	o->row = o->rows.len;
}

void output_row_end(struct output *o)
{
	buf_chr(&o->rows, o->json ? '}' : '\n');
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
		output_cell_text(o, column, text ? text : column->none);
}

void output_u64(struct output *o, const struct output_column *column, uint64_t value)
{
	size_t begin;

	if (!output_shows(o, column))
		return;
	if (o->json) {
		json_u64(&o->rows, column->key, value);
		return;
	}
	begin = output_cell(o);
	if (value == JSON_NONE)
		buf_str(&o->rows, column->none);
	else
		buf_u64(&o->rows, value);
	output_cell_end(o, column, begin);
}

void output_bool(struct output *o, const struct output_column *column, int value)
{
	if (o->json)
		json_bool(&o->rows, column->key, value);
	else
		output_text(o, column, value < 0 ? NULL : value ? "yes" : "no");
}
