/* SPDX-License-Identifier: ISC
 *
 * The bytes of the control socket, pure: no descriptor, no allocation.
 *
 * Request, as SMCRoute 2.4 to 2.6 send it: total length in a native word, u16 command, u16 count, padding up to
 * WIRE_HDR bytes, count arguments each ended by NUL, one more NUL.  Our own client uses the same frame with WIRE_WORDS
 * as the command and the command line as arguments, option word first.  A program of 32 bits may ask one of 64 and the
 * other way round: both headers are read.
 *
 * Reply to WIRE_WORDS: records of a type byte, three zero bytes, u32 length in native order and that many bytes of
 * text.  WIRE_END closes it: one byte, the exit status of the client.  Replies to the old commands are plain text and a
 * NUL, see applets/control/request.h.
 */
#ifndef LIB_WIRE_H
#define LIB_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

#define WIRE_HDR (sizeof(size_t) + 2 * sizeof(uint16_t) <= sizeof(void *) ? sizeof(void *) : 2 * sizeof(void *))

/* No request is longer or has more words; what the daemon takes before it says no. */
#define WIRE_MAX (64 * 1024)
#define WIRE_MAX_WORDS 4096

/* Command of our own client: its words follow. */
#define WIRE_WORDS 'W'

/* Of a new daemon to the one that runs, see struct call_daemon: its version is the only word.  The reply is as for our
 * own client. */
#define WIRE_TAKEOVER 'T'

enum wire_type {
	WIRE_TITLE = 'T',	/* a title above a table */
	WIRE_HEAD = 'H',	/* column headings */
	WIRE_ROW = 'R',		/* rows: any number of lines, each with its newline */
	WIRE_ERROR = 'E',	/* for stderr: one line, no newline */
	WIRE_NOTE = 'N',	/* for stderr, but no failure */
	WIRE_DIAG = 'D',	/* config diagnostics for stderr, lines with newlines */
	WIRE_END = 'X',		/* one byte: exit status */
};

struct wire_request {
	uint16_t cmd;
	uint16_t argc;
	size_t len;		/* bytes of the whole frame */
	const char *args;	/* argc strings, each NUL-ended, inside the input */
	const char *args_end;	/* behind the NUL of the last one */
};

enum wire_result { WIRE_OK, WIRE_MORE, WIRE_BAD };

/* Reads one request from n bytes.  WIRE_MORE: not all there yet.  WIRE_BAD: no frame can come of it, *why says what is
 * wrong (a constant). */
enum wire_result wire_request(const void *p, size_t n, struct wire_request *req, const char **why);

/* The command of bytes that are no request, as far as it can be read; else 0. */
uint16_t wire_command(const void *p, size_t n);

/* Steps through req->args: pass NULL first, then the string before; NULL after the last. */
const char *wire_next_arg(const struct wire_request *req, const char *prev);

/* Appends a request; false when it is over WIRE_MAX or WIRE_MAX_WORDS or memory ran out. */
bool wire_put_request(struct buf *b, uint16_t cmd, int argc, const char *const *argv);

struct wire_record {
	enum wire_type type;
	const char *text;	/* inside the input, no NUL behind it */
	size_t len;
	size_t size;		/* bytes of the whole record */
};

/* Reads one record of a reply from n bytes; as wire_request(). */
enum wire_result wire_record(const void *p, size_t n, struct wire_record *rec);

/* Appends a record. */
void wire_put_record(struct buf *b, enum wire_type type, const char *text, size_t len);

#endif
