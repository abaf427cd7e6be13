/* SPDX-License-Identifier: ISC
 *
 * Writing the journal.
 */
#include "applets/control/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/memfile.h"
#include "router/claims.h"

/* Bytes that are written at once, and that records may grow by before they are written as a whole. */
#define JOURNAL_CHUNK (64 * 1024)
#define JOURNAL_SLACK (64 * 1024)


void journal_init(struct journal *j, struct router *r)
{
	*j = (struct journal){ .router = r, .fd = -1, .limit = JOURNAL_LIMIT };
}

void journal_free(struct journal *j)
{
	fd_fail(j->fd);
	buf_free(&j->out.lines);
	buf_free(&j->taken);
	j->fd = -1;
}

/* ---- lines ---- */

/* Appends a record: n bytes of a line. */
static void journal_put(struct journal_out *out, const char *line, size_t n)
{
	char sum[JOURNAL_SUM_LEN + 1];

	out->sum = journal_sum(out->sum, line, n);
	snprintf(sum, sizeof sum, "%08x ", (unsigned)out->sum);
	buf_add(&out->lines, sum, JOURNAL_SUM_LEN);
	buf_add(&out->lines, line, n);
	buf_chr(&out->lines, '\n');
}

/* Appends what an owner asks for of a rule or join, claim being NULL for nothing. */
static void journal_put_claim(struct buf *b, const struct ruleset *s, const struct rules *t, uint32_t id,
			      uint32_t owner, const struct claim *claim)
{
	static const char *const verbs[2][2] = { { "leave", "join" }, { "unset", "set" } };
	const struct rule *rule = &t->v[id];
	char text[ADDR_STRLEN];

	buf_printf(b, "%s %s %s ", verbs[t == &s->routes][claim != NULL], owner_name(&s->owners, owner),
		   s->names.v[rule->iif].ifname.text);
	if (flow_range_any_source(&rule->range))
		buf_str(b, flow_range_fam(&rule->range) == FAM_4 ? "0.0.0.0" : "::");
	else
		buf_str(b, prefix_str(&rule->range.flow.source, rule->range.source_len, text));
	buf_printf(b, " %s", prefix_str(&rule->range.flow.group, rule->range.group_len, text));

	const struct oif_list *list = &s->names.lists[claim ? claim->oifs : 0];

	for (uint32_t i = 0; i < list->n; i++)
		buf_printf(b, " %s", s->names.v[list->names[i]].ifname.text);
}

/* Keeps a line of what was taken back of the configuration.  Nothing else knows it: what there is no memory for is
 * counted, so that whoever took it back is told. */
static void journal_note_taken(struct journal *j, const struct buf *line)
{
	size_t before = j->taken.len;

	buf_add(&j->taken, line->p, line->len);
	buf_chr(&j->taken, '\n');
	if (!line->failed && !j->taken.failed)
		return;
	j->taken.len = before;
	j->taken.failed = false;
	j->lost++;
}

/* Notes what an owner asks for now, or nothing when is_gone. */
static void journal_note(struct journal *j, const struct rules *t, uint32_t id, uint32_t owner, bool is_gone)
{
	struct claim claim;
	bool is_asked = !is_gone && claims_find(t, id, owner, &claim);
	struct buf line = { 0 };

	journal_put_claim(&line, &j->router->rules, t, id, owner, is_asked ? &claim : NULL);
	if (owner == OWNER_CONFIG)
		journal_note_taken(j, &line);
	if (j->fd >= 0)
		journal_put(&j->out, line.p, line.len);
	j->is_less |= !is_asked;
	j->is_stale |= line.failed || j->out.lines.failed;
	buf_free(&line);
}

void journal_event(struct journal *j, const struct event *ev)
{
	bool is_join = ev->kind == EVENT_JOINED || ev->kind == EVENT_LEFT;
	const struct rules *t = is_join ? &j->router->rules.joins : &j->router->rules.routes;
	uint32_t id;

	if (!is_join && ev->kind != EVENT_ADDED && ev->kind != EVENT_REMOVED)
		return;
	id = (uint32_t)((is_join ? ev->join : ev->rule) - t->v);
	if (ev->of_config)
		journal_note(j, t, id, OWNER_CONFIG, ev->is_gone);
	if (j->fd >= 0 && ev->owner != OWNER_CONFIG)
		journal_note(j, t, id, ev->owner, ev->is_gone);
}

void journal_reloaded(struct journal *j)
{
	buf_free(&j->taken);
	j->lost = j->told = 0;
	if (j->fd >= 0)
		journal_put(&j->out, "reload", strlen("reload"));
	j->is_less = true;
}

/* ---- the file ---- */

/* Writes all of it at a place: 0, or -1 with errno. */
static int journal_write_at(int fd, const char *p, size_t n, int64_t at)
{
	while (n) {
		ssize_t done = pwrite(fd, p, n, at);

		if (done < 0 && errno != EINTR)
			return -1;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
			at += done;
		}
	}
	return 0;
}

/* Writes records that wait: 0, or -1 with errno and some of them may be written. */
static int journal_write(int fd, struct journal_out *out)
{
	size_t n = out->lines.len;

	if (out->lines.failed) {
		errno = ENOMEM;
		return -1;
	}
	if (journal_write_at(fd, out->lines.p, n, out->at) < 0)
		return -1;
	out->at += (int64_t)n;
	out->lines.len = 0;
	/* Most often it is one command at a time. */
	if (n > JOURNAL_CHUNK)
		buf_free(&out->lines);
	return 0;
}

/* Writes the head: 0, or -1 with errno. */
static int journal_write_head(struct journal *j)
{
	uint64_t v[JOURNAL_COUNTERS];
	struct journal_out out = { .sum = JOURNAL_SUM_FIRST };
	struct buf line = { 0 };
	int res;

	memcpy(v, &j->router->count, sizeof v);
	buf_printf(&line, JOURNAL_WORD " %d %lld", JOURNAL_VERSION, (long long)j->start);
	for (size_t i = 0; i < JOURNAL_COUNTERS; i++) {
		buf_chr(&line, ' ');
		buf_u64(&line, v[i]);
	}
	journal_put(&out, line.p, line.len);
	res = line.failed ? -1 : journal_write(j->fd, &out);
	if (!res)
		j->counters = j->router->count;
	buf_free(&line);
	buf_free(&out.lines);
	return res;
}

/* Appends what clients ask for of all rules of a kind.  0, or -1 with errno. */
static int journal_put_rules(const struct journal *j, const struct rules *t, struct journal_out *out)
{
	struct claim claim;
	struct buf line = { 0 };
	int res = 0;

	for (uint32_t id = t->first; !res && id != HASH_NONE; id = t->v[id].next) {
		for (struct claim_walk w = claims_walk(t, id); claims_next(&w, &claim);) {
			if (claim.owner == OWNER_CONFIG)
				continue;
			line.len = 0;
			journal_put_claim(&line, &j->router->rules, t, id, claim.owner, &claim);
			out->lines.failed |= line.failed;
			journal_put(out, line.p, line.len);
		}
		if (out->lines.len >= JOURNAL_CHUNK || out->lines.failed)
			res = journal_write(j->fd, out);
	}
	buf_free(&line);
	return res;
}

/* Appends what was taken back of the configuration, and what clients ask for. */
static int journal_put_all(const struct journal *j, struct journal_out *out)
{
	const char *end;

	for (size_t at = 0; at < j->taken.len; at = (size_t)(end - j->taken.p) + 1) {
		end = memchr(j->taken.p + at, '\n', j->taken.len - at);
		journal_put(out, j->taken.p + at, (size_t)(end - j->taken.p) - at);
	}
	return journal_put_rules(j, &j->router->rules.routes, out) < 0 ||
	       journal_put_rules(j, &j->router->rules.joins, out) < 0 ? -1 : journal_write(j->fd, out);
}

int journal_rewrite(struct journal *j)
{
	/* Behind at least one NUL, which ends the records that are there. */
	int64_t start = (j->out.at / JOURNAL_PAGE + 1) * JOURNAL_PAGE, before = j->start;
	struct journal_out out = { .sum = JOURNAL_SUM_FIRST, .at = start };
	int res = journal_put_all(j, &out);

	if (!res) {
		j->start = start;
		res = journal_write_head(j);
	}
	if (res) {
		int err = errno;

		j->start = before;
		j->is_stale = true;
		memfile_drop(j->fd, start, out.at + JOURNAL_CHUNK);
		buf_free(&out.lines);
		errno = err;
		return -1;
	}
	memfile_drop(j->fd, JOURNAL_PAGE, start);
	buf_free(&j->out.lines);
	j->out = out;
	j->whole = out.at - start;
	j->is_stale = j->is_less = false;
	return 0;
}

int journal_begin_in(struct journal *j, int fd)
{
	int64_t size = lseek(fd, 0, SEEK_END);

	/* Far more than anything can grow to, and far from where numbers end. */
	if (size < 0 || size > INT64_MAX / 2) {
		errno = EFBIG;
		return -1;
	}
	j->fd = fd;
	j->start = 0;
	j->out.at = size;
	if (journal_rewrite(j) < 0) {
		j->fd = -1;
		return -1;
	}
	return 0;
}

int journal_begin(struct journal *j)
{
	int fd;

	if (j->fd >= 0)
		return 0;
	fd = memfile_new("journal");
	return fd < 0 || journal_begin_in(j, fd) < 0 ? fd_fail(fd) : 0;
}

int journal_flush(struct journal *j)
{
	bool is_lost = j->lost != j->told;
	int64_t size;
	int res = 0;

	j->told = j->lost;
	if (j->fd < 0)
		return 0;
	j->is_stale |= !j->is_stale && j->out.lines.len && journal_write(j->fd, &j->out) < 0;
	size = j->out.at - j->start;
	if (j->is_stale || size > 2 * j->whole + JOURNAL_SLACK || (size > j->limit && j->is_less))
		res = journal_rewrite(j);
	else if (memcmp(&j->counters, &j->router->count, sizeof j->counters))
		res = journal_write_head(j);
	if (!res && is_lost) {
		errno = ENOMEM;
		res = -1;
	}
	return res;
}

bool journal_is_full(const struct journal *j)
{
	return j && j->fd >= 0 && j->out.at - j->start > j->limit;
}
