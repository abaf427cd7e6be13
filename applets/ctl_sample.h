/* SPDX-License-Identifier: ISC
 *
 * The kernel table at two moments, and what went through in between: the numbers of `top`.  Reads the rows that
 * `show routes -dd` prints; asks nobody and prints nothing.
 */
#ifndef APPLETS_CTL_SAMPLE_H
#define APPLETS_CTL_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"

#define SAMPLE_NONE UINT64_MAX		/* JSON_NONE: null there */

/* An entry of the kernel.  The texts are inside sample.text. */
struct sample_flow {
	const char *flow;		/* "(S, G)" */
	const char *iif, *idle, *state;
	const char *oifs;		/* names with blanks between them, "" = none */
	uint64_t packets, bytes, wrong;	/* SAMPLE_NONE where the kernel does not tell them */
	uint64_t packet_rate, bit_rate;	/* a second, since the sample before; 0 where that is not known */
};

struct sample {
	struct buf text;
	struct sample_flow *v;		/* n of them */
	uint32_t n, cap;
	int64_t at;			/* when it was taken, ms of clock_ms() */
	int64_t interval;		/* ms since the sample before, 0 = there was none and there are no rates */
	uint64_t packet_rate, bit_rate;	/* of all together */
};

/* Takes a sample, in the place of what *s held, from the records of a reply (lib/wire.h); those of other tables are
 * passed over.  False when memory ran out. */
bool ctl_sample_take(struct sample *s, const struct buf *records, int64_t at);

/* Computes the rates of a sample against the one before, which is put into another order; then the busiest flow is the
 * first one.  Without an earlier one, before->at is 0, there are no rates. */
void ctl_sample_compare(struct sample *s, struct sample *before);

/* Appends headings, and the first rows, `most` at most, with columns as wide as what is in them: lines. */
void ctl_sample_table(const struct sample *s, uint32_t most, struct buf *out);

/* Appends all as one line of JSON; usec: microseconds of the wall clock. */
void ctl_sample_json(const struct sample *s, int64_t usec, struct buf *out);

void ctl_sample_free(struct sample *s);

#endif
