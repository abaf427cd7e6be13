/* SPDX-License-Identifier: ISC
 *
 * Reading a journal, which comes through a descriptor from elsewhere: nothing in it is trusted.  It is read twice:
 * first it is seen how far it is whole and where the last reload was, then what is in force is restored.
 */
#include "applets/control/journal_read.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/field.h"
#include "lib/number.h"

#define JOURNAL_READ (64 * 1024)

uint32_t journal_sum(uint32_t sum, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ (unsigned char)p[i]) * 16777619u;
	return sum;
}

struct journal_reader {
	struct router *router;
	int fd;
	int64_t at;			/* where the next bytes are */
	int64_t left;			/* bytes that are read at most */
	struct buf in;
	size_t used;			/* of them */
	uint32_t sum;
	bool is_damaged;		/* it ends where it should not */
	uint32_t n, reload;		/* records; number of the last reload, 0 = there is none */
	uint32_t restored, odd, failed;	/* records that were used, that say nothing, for which there was no room */
};

/* Reads more: false at the end, or when there is no memory. */
static bool journal_read_more(struct journal_reader *in)
{
	ssize_t n;

	buf_consume(&in->in, in->used);
	in->used = 0;
	if (in->in.len > JOURNAL_LINE_MAX || in->left <= 0 || !buf_reserve(&in->in, JOURNAL_READ))
		return false;
	do
		n = pread(in->fd, in->in.p + in->in.len, JOURNAL_READ, in->at);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	in->in.len += (size_t)n;
	in->at += n;
	in->left -= n;
	return true;
}

/* The next record, a NUL behind it, or NULL at the end; in->is_damaged when it is not a proper one. */
static char *journal_read_line(struct journal_reader *in)
{
	char *line, *end, sum[JOURNAL_SUM_LEN + 1];
	size_t seen = 0, len;

	for (;;) {
		line = in->in.p ? in->in.p + in->used : NULL;
		len = in->in.len - in->used;
		end = line && len > seen ? memchr(line + seen, '\n', len - seen) : NULL;
		if (end)
			break;
		seen = len;
		if (!journal_read_more(in)) {
			in->is_damaged = len && in->in.p[in->used];
			return NULL;
		}
	}
	len = (size_t)(end - line);
	in->used += len + 1;
	*end = '\0';
	if (!*line)
		return NULL;
	in->is_damaged = true;
	if (len < JOURNAL_SUM_LEN || strlen(line) != len)
		return NULL;
	in->sum = journal_sum(in->sum, line + JOURNAL_SUM_LEN, len - JOURNAL_SUM_LEN);
	snprintf(sum, sizeof sum, "%08x ", (unsigned)in->sum);
	in->is_damaged = memcmp(line, sum, JOURNAL_SUM_LEN) != 0;
	return in->is_damaged ? NULL : line + JOURNAL_SUM_LEN;
}

/* Cuts the next word off *at, "" when there is none. */
static char *journal_next_word(char **at)
{
	char *word = *at, *end = word + strcspn(word, " ");

	*at = *end ? end + 1 : end;
	*end = '\0';
	return word;
}

/* Takes an interface name: false when it is none. */
static bool journal_take_name(char **at, struct ifname *name)
{
	const char *word = journal_next_word(at);
	size_t all = strlen(word), len = all;

	if (ifname_check(word, &len) || len != all)
		return false;
	*name = ifname_of(word, len);
	return true;
}

/* Takes the words behind a verb: false when they are no proper ones, or there is no memory.  The owner is held. */
static bool journal_take(struct router *r, char *at, struct change_rule *rule, struct buf *oifs)
{
	const char *owner = journal_next_word(&at), *range[2];
	struct ifname name;

	if (!journal_take_name(&at, &rule->iif))
		return false;
	range[0] = journal_next_word(&at);
	range[1] = journal_next_word(&at);
	if (field_range(range, 2, &rule->range))
		return false;
	for (; *at && rule->noifs <= UINT16_MAX; rule->noifs++) {
		if (!journal_take_name(&at, &name))
			return false;
		buf_add(oifs, &name, sizeof name);
	}
	rule->oifs = (const struct ifname *)(void *)oifs->p;
	if (oifs->failed || *at)
		return false;
	if (!strcmp(owner, owner_name(&r->rules.owners, OWNER_CONFIG)))
		rule->owner = OWNER_CONFIG;
	else if (!strcmp(owner, owner_name(&r->rules.owners, OWNER_UNNAMED)))
		rule->owner = OWNER_UNNAMED;
	else
		rule->owner = owner_check(owner) ? HASH_NONE : owner_hold(&r->rules.owners, owner);
	return rule->owner != HASH_NONE;
}

/* Restores what a record says, which is number in->n. */
static void journal_restore(struct journal_reader *in, char *line)
{
	static const struct {
		const char *verb;
		bool is_join, is_wanted;
	} verbs[] = {
		{ "set", false, true }, { "unset", false, false }, { "join", true, true }, { "leave", true, false },
	};
	struct router *r = in->router;
	const char *verb = journal_next_word(&line);
	struct change_rule rule = { .noifs = 0 };
	struct buf oifs = { 0 };
	unsigned i = 0, n = sizeof verbs / sizeof *verbs;

	while (i < n && strcmp(verb, verbs[i].verb))
		i++;
	if (i == n || !journal_take(r, line, &rule, &oifs) ||
	    (verbs[i].is_join && (rule.noifs || conf_join_bits(&rule.range) > CONF_JOIN_BITS))) {
		in->odd++;
	} else {
		if (rule.owner < OWNER_NAMED && in->n < in->reload)
			;	/* it went with the reload */
		else if (change_restore(r, &rule, verbs[i].is_join, verbs[i].is_wanted) < 0)
			in->failed++;
		else
			in->restored++;
		owner_drop(&r->rules.owners, rule.owner);
	}
	buf_free(&oifs);
}

/* Reads the head: where the records begin, or -1 when there is none.  The counters go to *count, where they were
 * kept. */
static int64_t journal_read_head(int fd, struct router_counters *count)
{
	struct journal_reader in = { .fd = fd, .left = JOURNAL_PAGE, .sum = JOURNAL_SUM_FIRST };
	char *line = journal_read_line(&in);
	uint64_t v[JOURNAL_COUNTERS] = { 0 };
	int64_t start = -1;

	if (line && !strcmp(journal_next_word(&line), JOURNAL_WORD) &&
	    number_parse(journal_next_word(&line), INT64_MAX) == JOURNAL_VERSION)
		start = number_parse(journal_next_word(&line), INT64_MAX / 2);
	for (size_t i = 0; start > 0 && i < JOURNAL_COUNTERS && *line; i++) {
		int64_t n = number_parse(journal_next_word(&line), INT64_MAX);

		v[i] = n > 0 ? (uint64_t)n : 0;
	}
	memcpy(count, v, sizeof v);
	buf_free(&in.in);
	return start < JOURNAL_PAGE ? -1 : start;
}

/* Goes through the records, the first time with fn NULL. */
static void journal_walk(struct journal_reader *in, int64_t start, void (*fn)(struct journal_reader *in, char *line))
{
	char *line;

	in->at = start;
	in->left = JOURNAL_LIMIT + 2 * (int64_t)JOURNAL_LINE_MAX;
	in->in.len = in->used = 0;
	in->sum = JOURNAL_SUM_FIRST;
	in->n = 0;
	while ((line = journal_read_line(in))) {
		in->n++;
		if (fn)
			fn(in, line);
		else if (!strcmp(line, "reload"))
			in->reload = in->n;
	}
}

static void journal_restore_one(struct journal_reader *in, char *line)
{
	if (strcmp(line, "reload"))
		journal_restore(in, line);
}

int journal_replay(struct router *r, int fd)
{
	struct journal_reader in = { .router = r, .fd = fd };
	struct router_counters count;
	int64_t start = journal_read_head(fd, &count);

	if (start < 0)
		return -1;
	r->count = count;
	journal_walk(&in, start, NULL);
	journal_walk(&in, start, journal_restore_one);
	buf_free(&in.in);
	if (in.is_damaged)
		log_err("the journal of what clients asked for is damaged behind record %u: what was asked for later "
			"is lost; smcroutectl -d show config has what is in force", in.n);
	if (in.odd)
		log_err("the journal of what clients asked for has %u records that say nothing to this version",
			in.odd);
	if (in.failed)
		log_err("%u things that clients asked for could not be restored: out of memory", in.failed);
	log_info("restored from the journal: %u records", in.restored);
	return 0;
}
