/* SPDX-License-Identifier: ISC
 *
 * Rows to numbers, numbers to rates, and back to rows.  An entry is the one of the sample before when it is for the
 * same source and group; of the kernel's entries for any source there is one for each iif.
 */
#include "applets/ctl_sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"
#include "lib/json.h"
#include "lib/wire.h"

enum { SAMPLE_FLOW, SAMPLE_IIF, SAMPLE_PACKET_RATE, SAMPLE_BIT_RATE, SAMPLE_PACKETS, SAMPLE_BYTES, SAMPLE_WRONG,
       SAMPLE_IDLE, SAMPLE_STATE, SAMPLE_OIFS, SAMPLE_COLUMNS };

static const struct {
	const char *heading;
	bool is_left;
} sample_columns[SAMPLE_COLUMNS] = {
	[SAMPLE_FLOW] = { "ROUTE (S,G)", true },
	[SAMPLE_IIF] = { "IIF", true },
	[SAMPLE_PACKET_RATE] = { "PKTS/S", false },
	[SAMPLE_BIT_RATE] = { "BITS/S", false },
	[SAMPLE_PACKETS] = { "PACKETS", false },
	[SAMPLE_BYTES] = { "BYTES", false },
	[SAMPLE_WRONG] = { "WRONG", false },
	[SAMPLE_IDLE] = { "IDLE", false },
	[SAMPLE_STATE] = { "STATE", true },
	[SAMPLE_OIFS] = { "OIFS", true },
};

/* ---- rows to numbers ---- */

/* Copies the rows of the kernel's table. */
static bool sample_gather(struct buf *text, const struct buf *records)
{
	static const char title[] = "Kernel MFC Table";
	bool is_kernel = false;
	struct wire_record rec;

	text->len = 0;
	for (size_t at = 0; wire_record(records->p + at, records->len - at, &rec) == WIRE_OK; at += rec.size) {
		if (rec.type == WIRE_TITLE)
			is_kernel = rec.len == strlen(title) && !memcmp(rec.text, title, rec.len);
		else if (rec.type == WIRE_ROW && is_kernel)
			buf_add(text, rec.text, rec.len);
	}
	buf_cstr(text);
	return !text->failed;
}

/* A counter, or "-". */
static uint64_t sample_number(const char *word)
{
	return *word == '-' ? SAMPLE_NONE : strtoull(word, NULL, 10);
}

/* Parts a row, which is overwritten; false when it is none. */
static bool sample_row(char *row, struct sample_flow *f)
{
	char *end = strchr(row, ')'), *words[6];

	if (*row != '(' || !end || end[1] != ' ')
		return false;
	*f = (struct sample_flow){ .flow = row };
	end[1] = '\0';
	row = end + 2;
	for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
		if (!(words[i] = strtok_r(row, " ", &row)))
			return false;
	f->iif = words[0];
	f->packets = sample_number(words[1]);
	f->bytes = sample_number(words[2]);
	f->wrong = sample_number(words[3]);
	f->idle = words[4];
	f->state = words[5];
	f->oifs = row ? row + strspn(row, " ") : "";
	return true;
}

bool ctl_sample_take(struct sample *s, const struct buf *records, int64_t at)
{
	s->n = 0;
	s->at = at;
	if (!sample_gather(&s->text, records))
		return false;
	for (char *row, *rest = s->text.p; (row = strtok_r(rest, "\n", &rest)); ) {
		struct sample_flow *v = grow(s->v, &s->cap, s->n + 1u, sizeof *v);

		if (!v)
			return false;
		s->v = v;
		s->n += sample_row(row, &v[s->n]);
	}
	return true;
}

void ctl_sample_free(struct sample *s)
{
	buf_free(&s->text);
	free(s->v);
	*s = (struct sample){ .n = 0 };
}

/* ---- rates ---- */

static int sample_by_flow(const void *a, const void *b)
{
	const struct sample_flow *x = a, *y = b;
	int order = strcmp(x->flow, y->flow);

	return order || x->flow[1] != '*' ? order : strcmp(x->iif, y->iif);
}

static uint64_t sample_known(uint64_t count)
{
	return count == SAMPLE_NONE ? 0 : count;
}

static int sample_by_rate(const void *a, const void *b)
{
	const struct sample_flow *x = a, *y = b;

	if (x->bit_rate != y->bit_rate)
		return x->bit_rate < y->bit_rate ? 1 : -1;
	if (x->packet_rate != y->packet_rate)
		return x->packet_rate < y->packet_rate ? 1 : -1;
	if (sample_known(x->bytes) != sample_known(y->bytes))
		return sample_known(x->bytes) < sample_known(y->bytes) ? 1 : -1;
	return sample_by_flow(a, b);
}

/* How much a counter has grown, which began anew when it is smaller now. */
static uint64_t sample_growth(uint64_t now, uint64_t before)
{
	return now < before ? now : now - before;
}

void ctl_sample_compare(struct sample *s, struct sample *before)
{
	static const struct sample_flow none = { .flow = "" };
	/* Two answers may come in the same millisecond. */
	uint64_t ms = (uint64_t)(s->at > before->at ? s->at - before->at : 1);

	s->interval = before->at ? (int64_t)ms : 0;
	s->packet_rate = s->bit_rate = 0;
	if (before->n)
		qsort(before->v, before->n, sizeof *before->v, sample_by_flow);
	for (struct sample_flow *f = s->v; s->interval && s->n && f < s->v + s->n; f++) {
		const struct sample_flow *old = NULL;

		if (before->n)
			old = bsearch(f, before->v, before->n, sizeof *f, sample_by_flow);
		if (!old)
			old = &none;
		if (f->packets == SAMPLE_NONE || old->packets == SAMPLE_NONE)
			continue;
		f->packet_rate = sample_growth(f->packets, old->packets) * 1000 / ms;
		f->bit_rate = sample_growth(f->bytes, old->bytes) * 8000 / ms;
		s->packet_rate += f->packet_rate;
		s->bit_rate += f->bit_rate;
	}
	if (s->n)
		qsort(s->v, s->n, sizeof *s->v, sample_by_rate);
}

/* ---- numbers to rows ---- */

/* The text of a column; number is room for one. */
static const char *sample_cell(const struct sample *s, const struct sample_flow *f, int column, char number[24])
{
	const char *const texts[SAMPLE_COLUMNS] = {
		[SAMPLE_FLOW] = f->flow, [SAMPLE_IIF] = f->iif, [SAMPLE_IDLE] = f->idle, [SAMPLE_STATE] = f->state,
		[SAMPLE_OIFS] = f->oifs,
	};
	const uint64_t numbers[SAMPLE_COLUMNS] = {
		[SAMPLE_PACKET_RATE] = f->packet_rate, [SAMPLE_BIT_RATE] = f->bit_rate, [SAMPLE_PACKETS] = f->packets,
		[SAMPLE_BYTES] = f->bytes, [SAMPLE_WRONG] = f->wrong,
	};

	if (texts[column])
		return texts[column];
	if (numbers[column] == SAMPLE_NONE || ((column == SAMPLE_PACKET_RATE || column == SAMPLE_BIT_RATE) &&
					       (!s->interval || f->packets == SAMPLE_NONE)))
		return "-";
	snprintf(number, 24, "%" PRIu64, numbers[column]);
	return number;
}

/* Appends a row; f is NULL for the headings. */
static void sample_put(const struct sample *s, const struct sample_flow *f, const int *widths, struct buf *out)
{
	char number[24];

	for (int c = 0; c < SAMPLE_COLUMNS; c++) {
		const char *text = f ? sample_cell(s, f, c, number) : sample_columns[c].heading;

		if (c == SAMPLE_OIFS)
			buf_printf(out, "  %s\n", text);
		else
			buf_printf(out, "%s%*s", c ? " " : "", widths[c] * (sample_columns[c].is_left ? -1 : 1), text);
	}
}

void ctl_sample_table(const struct sample *s, uint32_t most, struct buf *out)
{
	uint32_t n = s->n < most ? s->n : most;
	int widths[SAMPLE_COLUMNS];
	char number[24];

	for (int c = 0; c < SAMPLE_COLUMNS; c++) {
		widths[c] = (int)strlen(sample_columns[c].heading);
		for (uint32_t i = 0; i < n; i++) {
			int len = (int)strlen(sample_cell(s, &s->v[i], c, number));

			widths[c] = len > widths[c] ? len : widths[c];
		}
	}
	sample_put(s, NULL, widths, out);
	for (uint32_t i = 0; i < n; i++)
		sample_put(s, &s->v[i], widths, out);
}

/* "source" and "group" of "(S, G)". */
static void sample_json_flow(const char *flow, struct buf *out)
{
	const char *comma = strchr(flow, ','), *end = strchr(flow, ')');

	json_key(out, "source");
	if (flow[1] == '*' || !comma)
		buf_str(out, "null");
	else
		buf_json(out, flow + 1, (size_t)(comma - flow - 1));
	json_key(out, "group");
	if (comma && end > comma + 2)
		buf_json(out, comma + 2, (size_t)(end - comma - 2));
	else
		buf_str(out, "null");
}

static void sample_json_row(const struct sample_flow *f, struct buf *out)
{
	json_open(out);
	sample_json_flow(f->flow, out);
	json_str(out, "iif", f->iif);
	json_list(out, "oifs");
	for (const char *name = f->oifs; *name; name += strspn(name, " ")) {
		size_t len = strcspn(name, " ");

		json_sep(out);
		buf_json(out, name, len);
		name += len;
	}
	buf_chr(out, ']');
	json_u64(out, "packets", f->packets);
	json_u64(out, "bytes", f->bytes);
	json_u64(out, "wrong_if", f->wrong);
	json_u64(out, "idle_sec", sample_number(f->idle));
	json_str(out, "state", f->state);
	json_u64(out, "packets_per_sec", f->packets == SAMPLE_NONE ? SAMPLE_NONE : f->packet_rate);
	json_u64(out, "bits_per_sec", f->bytes == SAMPLE_NONE ? SAMPLE_NONE : f->bit_rate);
	buf_chr(out, '}');
}

void ctl_sample_json(const struct sample *s, int64_t usec, struct buf *out)
{
	buf_printf(out, "{\"time\":%" PRId64 ".%06d,\"interval\":%" PRId64 ".%03d", usec / 1000000,
		   (int)(usec % 1000000), s->interval / 1000, (int)(s->interval % 1000));
	json_u64(out, "packets_per_sec", s->packet_rate);
	json_u64(out, "bits_per_sec", s->bit_rate);
	json_list(out, "routes");
	for (uint32_t i = 0; i < s->n; i++)
		sample_json_row(&s->v[i], out);
	buf_str(out, "]}\n");
}
