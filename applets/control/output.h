/* SPDX-License-Identifier: ISC
 *
 * How tables leave the daemon.  The same calls make a row of text or a JSON object, and typed records for our own
 * client or marked-up text for clients of SMCRoute's protocol.  A table describes its columns once.  Knows no state of
 * the router.
 */
#ifndef APPLETS_CONTROL_OUTPUT_H
#define APPLETS_CONTROL_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "applets/control/call.h"
#include "lib/buf.h"
#include "lib/json.h"
#include "lib/wire.h"

/* What must be wanted for a column to be in a text, beside the columns that always are. */
enum {
	OUTPUT_DETAIL = 1 << 0,		/* -d */
	OUTPUT_MORE = 1 << 1,		/* -dd */
	OUTPUT_ENTRY = 1 << 2,		/* the rows are entries of the kernel, not rules */
};

/* What a column holds, when its width is known only once that was looked at: see output.widths[]. */
enum output_width {
	OUTPUT_FIXED, OUTPUT_FLOWS, OUTPUT_NAMES, OUTPUT_FLAGS, OUTPUT_PACKETS, OUTPUT_BYTES, OUTPUT_WIDTHS
};

/* A column of a table. */
struct output_column {
	const char *heading;
	const char *key;		/* its name in JSON, NULL where it has more than one value */
	unsigned width;			/* of text at least; 0 = no padding */
	enum output_width width_of;	/* not OUTPUT_FIXED: it is at least output.widths[] of this, too */
	bool is_left;			/* text begins at the left edge, not at the right one */
	const char *none;		/* the text where there is no value */
	unsigned needs;			/* all of these must be wanted, 0 = always there.  JSON has all columns */
};

/* A table that is written.  The first four are those of the call, the rest is 0 at first. */
struct output {
	struct buf *to;			/* the reply */
	enum call_form form;
	bool json;
	unsigned wanted;		/* OUTPUT_DETAIL and the others */
	unsigned widths[OUTPUT_WIDTHS];
	const char *title;		/* the last one, NULL = none yet */
	struct buf rows;		/* lines that were not passed on yet; the owner frees it */
	size_t row;			/* where the present row begins in rows */
	bool is_list_begun;		/* JSON: there is an object already in the present list */
	size_t end;			/* the length of the reply that ends this turn */
};

/* Passes on the lines that are worth a record.  True when the turn has room for more. */
bool output_has_room(struct output *o);

/* Passes on all lines at the end of a turn.  False when memory ran out. */
bool output_pass(struct output *o);

/* ---- above the rows ---- */

/* Writes the title of a table and the headings of those of its n columns that are shown, unless it was the last title
 * too.  Without a title: "".  Nothing in JSON. */
void output_heading(struct output *o, const char *title, const struct output_column *columns, int n);

/* ---- a row: output_row(), one call for each column, output_row_end() ---- */

void output_row(struct output *o);
void output_row_end(struct output *o);

/* True when a column is written: what its value costs can be spared otherwise. */
bool output_shows(const struct output *o, const struct output_column *column);

/* Takes the width of columns from a text of len bytes, or a number, unless it is wider already. */
void output_widen(struct output *o, enum output_width width_of, size_t len);
void output_widen_u64(struct output *o, enum output_width width_of, uint64_t value);

/* Begins the value of a column that holds a text: it is appended to o->rows, and output_cell_end() pads it.  Not in
 * JSON. */
size_t output_cell(struct output *o);
void output_cell_end(struct output *o, const struct output_column *column, size_t begin);

/* The value of a column that holds a text; NULL = there is none. */
void output_text(struct output *o, const struct output_column *column, const char *text);

/* The value of a column that holds a number; JSON_NONE = there is none. */
void output_u64(struct output *o, const struct output_column *column, uint64_t value);

/* The value of a column that says 1 yes or 0 no; less than 0 = that is not known. */
void output_bool(struct output *o, const struct output_column *column, int value);

#endif
