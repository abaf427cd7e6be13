/* SPDX-License-Identifier: ISC
 *
 * How tables and JSON leave the daemon: the same calls make typed records for
 * our own client and marked-up text for clients of SMCRoute's protocol.  Knows
 * no state of the router.
 */
#ifndef APPLETS_CONTROL_OUTPUT_H
#define APPLETS_CONTROL_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "lib/wire.h"
#include "applets/control/command.h"

struct output {
	struct buf *to;		/* the reply */
	enum cmd_form form;
	bool detail, json;
	struct buf rows;	/* rows not passed on yet; append whole lines, then out_row() */
	size_t turn, end;	/* bytes for this turn, and the length of the reply that ends it */
};

/* Starts output into the reply of c. */
void out_begin(struct output *o, struct cmd *c);

/* Passes on what waits, while the output goes on: false when memory ran out on the way. */
bool out_pause(struct output *o);

/* Begins another turn.  In the first a record is enough, so that the reader has something to do; then there
 * are more and more, to 240 kB, as each time it is woken costs as much as some hundred lines. */
void out_turn(struct output *o);

/* True when that is enough for a turn. */
static inline bool out_full(const struct output *o)
{
	return o->to->len >= o->end;
}

/* As out_pause(), for good: o is empty then. */
bool out_end(struct output *o);

/* A line above a table: WIRE_TITLE, or its column headings, WIRE_HEAD. */
void out_head(struct output *o, enum wire_type type, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Bytes of rows that are worth a record: some lines less than what a doubled buffer has. */
#define OUT_ROWS (15 * 1024)

/* The line just appended to o->rows is complete, newline included. */
static inline void out_row(struct output *o)
{
	if (o->rows.len >= OUT_ROWS)
		out_pause(o);
}

/* Pads what was written since `from` (a length of b before) with blanks to `width`. */
void out_pad(struct buf *b, size_t from, size_t width);

/* JSON: a comma unless the text ends in an opening bracket or brace. */
void json_sep(struct buf *b);

/* `"key":` after such a comma; then a value. */
void json_key(struct buf *b, const char *key);
void json_str(struct buf *b, const char *key, const char *value);	/* NULL = null */
void json_u64(struct buf *b, const char *key, uint64_t value);	/* JSON_NONE = null */

/* Also what -1 becomes. */
#define JSON_NONE UINT64_MAX

/* Begins an object, after such a comma. */
void json_open(struct buf *b);

#endif
