/* SPDX-License-Identifier: ISC
 *
 * The journal: what a daemon restores from it is what there was, whatever clients and reloads did before; and of a
 * damaged one it is what there was before the damage.
 */
#include "applets/control/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/control/command.h"
#include "lib/memfile.h"
#include "router/claims.h"
#include "tests/fake/memory.h"
#include "tests/unit/engine.h"

static struct journal journal;

static void on_event(void *ctx, const struct event *ev)
{
	(void)ctx;
	journal_event(&journal, ev);
}

static const struct router_ops ops = { .event = on_event };

static void begin(const char *conf)
{
	start();
	fake_journal_on(false);
	r.ops = &ops;
	journal_init(&journal, &r);
	CHECK_INT(apply(conf), 0);
}

static void finish(void)
{
	journal_free(&journal);
	end();
}

/* Runs a command line: the exit status. */
static int run(const char *owner, const char *line, char *error)
{
	struct call_daemon daemon = { .router = &r, .journal = &journal };
	struct buf out = { 0 };
	struct call call = { .daemon = &daemon, .router = &r, .out = &out, .owner = owner };
	const char *argv[8];
	char words[256];
	int status;

	snprintf(words, sizeof words, "%s", line);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[call.argc++] = word;
	call.argv = argv;
	status = command_run(&call);
	if (error)
		snprintf(error, sizeof call.error, "%s", call.error);
	buf_free(&out);
	return status;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All claims of a router, a line each, in the order of their text. */
static void dump(const struct router *of, struct buf *out)
{
	const struct ruleset *s = &of->rules;
	const struct rules *tables[] = { &s->routes, &s->joins };
	char *lines[512], *copy;
	struct buf text = { 0 };
	struct claim claim;
	size_t n = 0;

	for (int k = 0; k < 2; k++)
		for (uint32_t id = tables[k]->first; id != HASH_NONE; id = tables[k]->v[id].next)
			for (struct claim_walk w = claims_walk(tables[k], id); claims_next(&w, &claim);) {
				struct rule one = tables[k]->v[id];

				one.oifs = claim.oifs;
				ruleset_print(&text, s, &one, k ? "mgroup" : "mroute", 0);
				buf_printf(&text, " # %s\n", owner_name(&s->owners, claim.owner));
			}
	copy = strdup(buf_cstr(&text));
	for (char *line = strtok(copy, "\n"); line && n < 512; line = strtok(NULL, "\n"))
		lines[n++] = line;
	qsort(lines, n, sizeof *lines, by_text);
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s\n", lines[i]);
	free(copy);
	buf_free(&text);
}

/* What a daemon that begins with this file and this journal has. */
static int restore(const char *conf, int fd, struct buf *out, struct router_counters *count)
{
	struct router fresh;
	struct conf *c = parse(conf);
	int res;

	CHECK_INT(router_init(&fresh, NULL, NULL), 0);
	CHECK_INT(router_apply(&fresh, c, 1000), 0);
	conf_free(c);
	res = journal_replay(&fresh, fd);
	if (count)
		*count = fresh.count;
	dump(&fresh, out);
	router_shutdown(&fresh);
	router_free(&fresh);
	return res;
}

/* The journal's file gives what is in force now. */
static void compare(const char *conf)
{
	struct buf want = { 0 }, got = { 0 };

	dump(&r, &want);
	CHECK_INT(restore(conf, journal.fd, &got, NULL), 0);
	CHECK_STR(buf_cstr(&got), buf_cstr(&want));
	buf_free(&want);
	buf_free(&got);
}

/* ---- histories ---- */

static const char *const owners[] = { NULL, NULL, "a", "b", "c" };

/* A file of some rules. */
static void write_conf(char *conf, size_t size, uint32_t bits)
{
	static const char *const lines[] = {
		"mroute from eth0 group 225.1.1.0 to eth1", "mroute from eth0 group 225.1.1.1 to eth1 eth2 eth3",
		"mroute from eth0 source 10.0.0.0/8 group 225.1.1.2", "mgroup from eth0 group 225.1.1.0",
		"mgroup from eth0 group 225.1.1.1", "mroute from eth1 group ff05::/16 to from 10.0.0.1",
	};

	*conf = '\0';
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (bits >> i & 1) {
			size_t len = strlen(conf);

			snprintf(conf + len, size - len, "%s\n", lines[i]);
		}
}

static void random_histories(void)
{
	static const char *const verbs[] = { "add", "replace", "remove", "remove", "join", "leave" };
	static const char *const oifs[] = { "", "eth1", "eth2", "eth3", "eth1 eth2", "eth2 wan+", "eth1 eth2 eth3" };
	static const char *const groups[] = {
		"225.1.1.0", "225.1.1.1", "10.0.0.0/8 225.1.1.2", "ff05::/16", "ff05::1",
	};
	uint64_t random = 7;
	char conf[1024], line[256];

	write_conf(conf, sizeof conf, ~0u);
	begin(conf);
	/* At first nobody holds it: what is taken back of the file is known nevertheless. */
	for (int i = 0; i < 3000; i++) {
		random = random * 6364136223846793005u + 1442695040888963407u;
		uint32_t bits = (uint32_t)(random >> 33);
		unsigned verb = bits / 5 % 6;
		bool joins = verb >= 4;

		if (i == 200) {
			CHECK_INT(journal_begin(&journal), 0);
			/* So that it is written anew now and then. */
			journal.whole = -50000;
		}
		if (i > 200 && i % 400 == 0)
			CHECK_INT(journal_rewrite(&journal), 0);
		snprintf(line, sizeof line, "%s eth%u %s %s", verbs[verb], bits / 64 % 2,
			 groups[bits / 128 % (joins ? 2 : 5)], joins ? "" : oifs[bits / 1024 % 7]);
		if (bits / 8192 % 64 == 1) {
			write_conf(conf, sizeof conf, bits);
			CHECK_INT(apply(conf), 0);
			journal_reloaded(&journal);
			CHECK_INT(journal_flush(&journal), 0);
		} else if (bits / 8192 % 64 == 2) {
			run("b", "disown", NULL);
		} else {
			run(owners[bits % 5], line, NULL);
		}
		if (i >= 200)
			compare(conf);
	}
	finish();
}

/* One that goes on in the file of another: a second restart gives the same as the first. */
static void twice(void)
{
	const char *conf = "mroute from eth0 group 225.1.1.0 to eth1 eth2\nmgroup from eth0 group 225.1.1.1\n";
	struct buf want = { 0 };
	int fd;

	begin(conf);
	CHECK_INT(journal_begin(&journal), 0);
	CHECK_INT(run(NULL, "remove eth0 225.1.1.0 eth1", NULL), 0);
	CHECK_INT(run("x.y-z", "add eth0 225.1.1.0 wan+ eth1", NULL), 0);
	CHECK_INT(run(NULL, "leave eth0 225.1.1.1", NULL), 0);
	CHECK_INT(run("x", "join eth1 232.1.1.0/30", NULL), 0);
	r.count.learned = 5;
	r.count.errors = 9;
	CHECK_INT(run(NULL, "ping", NULL), 0);
	dump(&r, &want);
	CHECK(strstr(buf_cstr(&want), "to eth2 # config") && strstr(want.p, "to wan+ eth1 # x.y-z"));
	fd = dup(journal.fd);
	finish();

	begin(conf);
	CHECK(memfile_is(fd));
	CHECK_INT(journal_replay(&r, fd), 0);
	CHECK_INT(r.count.learned, 5);
	CHECK_INT(r.count.errors, 9);
	CHECK_INT(journal_begin_in(&journal, fd), 0);
	compare(conf);
	CHECK_INT(run("x", "leave eth1 232.1.1.0/30", NULL), 0);
	CHECK_INT(run("x", "join eth1 232.1.1.0/30", NULL), 0);
	compare(conf);

	struct buf got = { 0 };

	CHECK_INT(restore(conf, journal.fd, &got, NULL), 0);
	CHECK_STR(buf_cstr(&got), buf_cstr(&want));
	/* Of another file there is only what it says, less what was taken back. */
	buf_free(&got);
	CHECK_INT(restore("mroute from eth0 group 225.1.1.0 to eth3\n", journal.fd, &got, NULL), 0);
	CHECK_STR(buf_cstr(&got), "mgroup from eth1 group 232.1.1.0/30 # x\n"
				  "mroute from eth0 group 225.1.1.0 to eth3 # config\n"
				  "mroute from eth0 group 225.1.1.0 to wan+ eth1 # x.y-z\n");
	buf_free(&got);
	buf_free(&want);
	finish();
}

/* ---- damage ---- */

#define STEPS 7

static const char *const step_owners[STEPS] = { "a", NULL, NULL, "a", "b", NULL, "a" };
static const char *const steps[STEPS] = {
	"add eth0 225.1.1.1 eth1", "remove eth0 225.1.1.0 eth2", "join eth0 225.2.2.2", "join eth0 10.0.0.5 232.1.1.1",
	"add eth0 10.0.0.0/8 225.1.0.0/16 eth1 eth2", "remove eth0 225.1.1.0", "remove eth0 225.1.1.1",
};

/* The file as it was after each step, in one buffer. */
static struct buf whole;
static size_t ends[STEPS + 1], head;	/* the latter without its newline */
static struct buf states[STEPS + 1];

static int copy_of(const char *p, size_t n)
{
	int fd = memfile_new("copy");

	CHECK_INT(pwrite(fd, p, n, 0), n);
	return fd;
}

/* The state that the steps before byte `good` lead to is what is restored of these bytes; *what* was done to them. */
static void restores(const char *conf, const char *p, size_t n, size_t good, const char *what)
{
	int fd = copy_of(p, n), wanted = good <= head ? -1 : 0, k = 0;
	struct buf got = { 0 };
	int res = restore(conf, fd, &got, NULL);

	while (k < STEPS && good >= ends[k + 1])
		k++;
	/* A step may have two records, of which the first one is everything. */
	if (k < STEPS && good > ends[k] && memchr(whole.p + ends[k], '\n', good - ends[k]))
		k++;
	if (res != wanted || strcmp(buf_cstr(&got), buf_cstr(&states[k]))) {
		CHECK_INT(res, wanted);
		CHECK_STR(buf_cstr(&got), buf_cstr(&states[k]));
		printf("# %s at %zu\n", what, good);
	}
	buf_free(&got);
	close(fd);
}

static void damage(void)
{
	const char *conf = "mroute from eth0 group 225.1.1.0 to eth1 eth2\n";

	begin(conf);
	CHECK_INT(journal_begin(&journal), 0);
	ends[0] = (size_t)journal.out.at;
	dump(&r, &states[0]);
	for (int k = 0; k < STEPS; k++) {
		CHECK_INT(run(step_owners[k], steps[k], NULL), 0);
		dump(&r, &states[k + 1]);
		ends[k + 1] = (size_t)journal.out.at;
	}
	CHECK_INT(journal.start, ends[0]);
	buf_reserve(&whole, ends[STEPS]);
	whole.len = ends[STEPS];
	CHECK_INT(pread(journal.fd, whole.p, whole.len, 0), whole.len);
	CHECK(whole.p[head = strcspn(whole.p, "\n")] && head < 1000);
	/* Every place, but few in the page of NULs behind the head. */
	for (size_t at = 0; at <= whole.len; at += at > head && at + 100 < ends[0] ? 97 : 1) {
		restores(conf, whole.p, at, at, "cut");
		for (int bit = 0; bit < 8 && at < whole.len; bit++) {
			whole.p[at] ^= (char)(1 << bit);
			restores(conf, whole.p, whole.len, at > head && at < ends[0] ? whole.len : at, "flipped");
			whole.p[at] ^= (char)(1 << bit);
		}
	}
	for (int k = 0; k <= STEPS; k++)
		buf_free(&states[k]);
	buf_free(&whole);
	finish();
}

/* Records with right sums that no daemon writes, and descriptors that are something else. */
static void hostile(void)
{
	static const char *const lines[] = {
		"", " ", "set", "set a", "set a eth0", "set a eth0 10.0.0.1", "set a eth0 10.0.0.1 10.0.0.2",
		"set config eth0 0.0.0.0 225.1.1.9 eth1", "set -a eth0 0.0.0.0 225.1.1.1",
		"set a eth0 :: 225.1.1.1 eth1",
		"set a eth0:1 0.0.0.0 225.1.1.1", "set a 0123456789abcdef 0.0.0.0 225.1.1.1",
		"join a eth0 0.0.0.0 224.0.0.0/4", "join a eth0 0.0.0.0 225.1.1.1 eth1",
		"unset b eth0 0.0.0.0 225.1.1.1",
		"leave config eth0 0.0.0.0 225.1.1.1", "fly a eth0 0.0.0.0 225.1.1.1", "set a  0.0.0.0 225.1.1.1",
		"set a eth0 0.0.0.0 225.1.1.1  eth1",
		"set a eth0 0.0.0.0 225.1.1.77 eth1",
	};
	struct buf b = { 0 }, got = { 0 };
	char line[128], big[5000];
	uint32_t sum = JOURNAL_SUM_FIRST;
	int fd, ends_at[2];

	begin("");
	snprintf(line, sizeof line, JOURNAL_WORD " 1 4096 1 2 x -5 99999999999999999999");
	buf_printf(&b, "%08x %s\n", (unsigned)journal_sum(JOURNAL_SUM_FIRST, line, strlen(line)), line);
	buf_fill(&b, '\0', JOURNAL_PAGE - b.len);
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		sum = journal_sum(sum, lines[i], strlen(lines[i]));
		buf_printf(&b, "%08x %s\n", (unsigned)sum, lines[i]);
	}
	fd = copy_of(b.p, b.len);
	CHECK_INT(restore("mgroup from eth0 group 225.1.1.1\n", fd, &got, NULL), 0);
	CHECK_STR(buf_cstr(&got), "mroute from eth0 group 225.1.1.77 to eth1 # a\n");
	close(fd);
	buf_free(&got);
	memset(big, 'x', sizeof big);
	fd = copy_of(big, sizeof big);
	CHECK_INT(journal_replay(&r, fd), -1);
	close(fd);
	CHECK_INT(pipe(ends_at), 0);
	CHECK_INT(journal_replay(&r, ends_at[0]), -1);
	CHECK(!memfile_is(ends_at[0]));
	CHECK_INT(journal_begin_in(&journal, ends_at[1]), -1);
	CHECK_INT(journal.fd, -1);
	close(ends_at[0]);
	close(ends_at[1]);
	fd = open("/dev/zero", O_RDWR);
	CHECK(!memfile_is(fd));
	CHECK_INT(journal_replay(&r, fd), -1);
	close(fd);
	CHECK_INT(journal_replay(&r, -1), -1);
	buf_free(&b);
	finish();
}

/* ---- bounds ---- */

/* However much is done, the file is not much larger than what is in force. */
static void bounded(void)
{
	struct stat st;

	begin("mroute from eth0 group 225.9.9.9 to eth1\n");
	CHECK_INT(journal_begin(&journal), 0);
	for (int i = 0; i < 20000; i++) {
		CHECK_INT(run("someone", "add eth0 225.1.1.1 eth1", NULL), 0);
		CHECK_INT(run("someone", "remove eth0 225.1.1.1", NULL), 0);
	}
	CHECK_INT(fstat(journal.fd, &st), 0);
	CHECK(st.st_blocks * 512 < 256 * 1024);
	CHECK(st.st_size > 256 * 1024);
	/* A limit is told; who takes something back may ask for more. */
	char line[64], error[512];
	int status = 0, n = 0;

	journal.limit = 20000;
	CHECK_INT(journal_rewrite(&journal), 0);
	for (; n < 2000 && !status; n++) {
		snprintf(line, sizeof line, "add eth0 225.1.%d.%d eth1", n / 256, n % 256);
		status = run(n % 2 ? NULL : "much", line, error);
	}
	CHECK_INT(status, 71);
	CHECK(n > 100 && n < 1000);
	CHECK(strstr(error, "the journal of what clients ask for is full"));
	CHECK_INT(run("much", "join eth0 225.1.1.1", NULL), 71);
	CHECK_INT(run("much", "disown", NULL), 0);
	CHECK_INT(run("much", "join eth0 225.1.1.1", NULL), 0);
	compare("mroute from eth0 group 225.9.9.9 to eth1\n");
	/* What cannot be written is not acknowledged. */
	CHECK_INT(fcntl(journal.fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	CHECK_INT(run("much", "join eth0 225.1.1.2", error), 71);
	CHECK(!strncmp(error, "it is done, but a restart would forget it: ", 43));
	finish();
}

/* One piece of memory that is not had, each in turn: what is told to be kept is kept, the rest by the next command. */
static void scarce(void)
{
	const char *conf = "mroute from eth0 group 225.9.9.9 to eth1\n";
	char line[64];
	unsigned refused = 0;

	begin(conf);
	CHECK_INT(journal_begin(&journal), 0);
	for (unsigned n = 0; n < 24; n++) {
		snprintf(line, sizeof line, "add eth0 225.1.1.%u eth1", n);
		/* A head with as many digits as can be, another one each time. */
		memset(&r.count, 0xff, sizeof r.count);
		r.count.refused -= n;
		memory_scarce(n, 1);
		run("a", line, NULL);
		refused += memory_plenty();
		CHECK_INT(run("a", line, NULL), 0);
		compare(conf);
	}
	CHECK(refused > 2);
	finish();
}

/* The same with something of the file that a client takes back, of which nothing but the journal knows. */
static void taken_scarce(void)
{
	const char *conf = "mroute from eth0 group 225.9.9.9 to eth1 eth2\n";
	unsigned lost = 0, kept = 0;

	for (unsigned n = 0; n < 24; n++) {
		int status;

		begin(conf);
		CHECK_INT(journal_begin(&journal), 0);
		memory_scarce(n, 1);
		status = run(NULL, "remove eth0 225.9.9.9 eth2", NULL);
		memory_plenty();
		if (!status)
			compare(conf);
		kept += !status;
		lost += journal.lost;
		/* It is told once, what comes then is kept. */
		CHECK(!journal.lost || status);
		CHECK_INT(run("a", "add eth0 225.1.1.1 eth1", NULL), 0);
		finish();
	}
	CHECK(lost > 0 && kept > 0);
}

TEST_MAIN(TEST(random_histories) TEST(twice) TEST(damage) TEST(hostile) TEST(bounded) TEST(scarce) TEST(taken_scarce))
