/* SPDX-License-Identifier: ISC
 *
 * Long tables, which are written in several turns: the same text as in one go,
 * others are answered in between, and the rules may become others meanwhile.
 */
#include "applets/control/show.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "applets/control/client.h"
#include "conf/read.h"
#include "tests/unit/server.h"

#define RULES 9000			/* more than one turn of each table */

static void link_up(int ifindex, const char *name)
{
	struct link_event ev = { .kind = LINK_NEW, .ifindex = ifindex, .flags = LINK_UP | LINK_MULTICAST };

	snprintf(ev.name, sizeof ev.name, "%s", name);
	fake_link_add(ifindex);
	router_link_event(&router, &ev);
}

static void on_link(void *ctx, const struct link_event *ev)
{
	(void)ctx;
	router_link_event(&router, ev);
}

/* IPv4, a1 and another interface. */
static void begin_links(const char *other)
{
	begin();
	log_set_level(LOG_LVL_NONE);
	CHECK_INT(kernel_mroute_open(FAM_4, 0), 0);
	CHECK_INT(kernel_link_open(), 0);
	router_family(&router, FAM_4, true);
	link_up(2, "a1");
	link_up(3, other);
}

/* Takes a configuration, and frees its text. */
static void apply(struct buf *text)
{
	struct diags d = { 0 };
	struct conf *c = conf_new();

	CHECK(conf_parse_text(c, &d, "test", text->p, text->len));
	CHECK_INT(d.errors, 0);
	CHECK_INT(router_apply(&router, c, 1000), 0);
	while (router_is_busy(&router))
		router_sync(&router);
	conf_free(c);
	CHECK(kernel_link_drain(1000, on_link, NULL) >= 0);
	diags_free(&d);
	buf_free(text);
}

/* Rules that work, and 5000 that wait for an interface. */
static void begin_full(void)
{
	struct buf text = { 0 };

	begin_links("a2");
	for (int i = 0; i < RULES; i++)
		buf_printf(&text, "mroute from a1 source 10.1.%d.%d group 225.1.1.%d to %s\n", i >> 8, i & 255,
			   1 + i % 3, i < 4000 ? "a2" : "a3");
	buf_printf(&text, "mroute from a1 group 225.2.0.0/16 to a2\nmroute from a1 group 225.1.1.1 to a2\n");
	for (int i = 0; i < 5000; i++)
		buf_printf(&text, "mgroup from a1 group 226.1.%d.%d\n", i >> 8, i & 255);
	apply(&text);
	CHECK(router.mfc.by_sg.used >= 4000);
}

/* The text of all records, each kind of headline with its letter; nothing of where records end. */
static char *text_of(const struct buf *got, int *status)
{
	struct buf text = { 0 };
	struct wire_record rec;

	*status = -1;
	for (size_t at = 0; wire_record(got->p + at, got->len - at, &rec) == WIRE_OK; at += rec.size) {
		if (rec.type == WIRE_END)
			*status = (unsigned char)*rec.text;
		else if (rec.type != WIRE_ROW)
			buf_printf(&text, "%c:%.*s\n", rec.type, (int)rec.len, rec.text);
		else
			buf_add(&text, rec.text, rec.len);
	}
	buf_chr(&text, '\0');
	return text.p;
}

/* A table without others in between. */
static char *whole(const char *table, const char *options)
{
	const char *words[] = { "show", table };
	struct buf out = { 0 };
	struct call c = { .daemon = &for_clients, .router = &router, .out = &out };
	int status;

	c.argc = 2;
	c.argv = words;
	for (const char *o = options; (o = strchr(o, 'd')); o++)
		c.detail++;
	c.json = strchr(options, 'j');
	do
		CHECK_INT(show_run(&c), 0);
	while (c.show);
	char *text = text_of(&out, &status);

	buf_free(&out);
	return text;
}

static void ask(int fd, const char *table, const char *options)
{
	struct buf req = { 0 };

	put(&req, WIRE_WORDS, 3, options, "show", table);
	CHECK_INT(send(fd, req.p, req.len, 0), req.len);
	buf_free(&req);
}

/* A reply of which got is there already. */
static char *rest(int fd, struct buf *got, int *status)
{
	char *text = NULL;

	/* While entries are counted there is nothing to read. */
	for (int n = 0; n < 100 && (!text || *status < 0); n++) {
		free(text);
		exchange(fd, NULL, got);
		text = text_of(got, status);
	}
	buf_free(got);
	return text;
}

static char *answer(int fd, int *status)
{
	struct buf got = { 0 };

	return rest(fd, &got, status);
}

/* A part of a reply, at least n bytes. */
static void part(int fd, struct buf *got, size_t n)
{
	while (got->len < n) {
		turns(1);
		buf_reserve(got, 4096);
		ssize_t m = recv(fd, got->p + got->len, 4096, 0);

		got->len += m > 0 ? (size_t)m : 0;
	}
}

static void same_text(void)
{
	static const char *const options[] = { "", "-d", "-dd", "-dj" };
	static const char *const tables[] = { "routes", "groups", "interfaces", "pending", "config", "metrics",
					      "graph" };
	int fd, status;

	begin_full();
	fd = join();
	for (unsigned t = 0; t < sizeof tables / sizeof *tables; t++)
		for (int o = 0; o < 4; o++) {
			char *want = whole(tables[t], options[o]);

			ask(fd, tables[t], options[o]);
			char *got = answer(fd, &status);

			CHECK_INT(status, 0);
			if (strcmp(got, want))
				printf("# show %s %s differs\n", options[o], tables[t]);
			CHECK(!strcmp(got, want));
			free(want);
			free(got);
		}
	close(fd);
	end();
}

/* One who asks for little does not wait for a table of somebody else. */
static void in_between(void)
{
	int table, ping, status, n = 0;
	struct buf req = { 0 };
	char byte[64];

	begin_full();
	table = join();
	ping = join();
	ask(table, "routes", "-d");
	turns(2);
	put(&req, WIRE_WORDS, 2, "", "ping");
	CHECK_INT(send(ping, req.p, req.len, 0), req.len);
	while (recv(ping, byte, sizeof byte, 0) <= 0 && n < 100) {
		turns(1);
		n++;
	}
	CHECK(n < 3);
	free(answer(table, &status));
	CHECK_INT(status, 0);
	buf_free(&req);
	close(table);
	close(ping);
	end();
}

/* The configuration as text, which is to be freed. */
static char *config(void)
{
	return whole("config", "");
}

static void applied_again(const char *lines)
{
	struct buf text = { 0 };

	buf_str(&text, lines);
	apply(&text);
}

/* Rules go and a reload brings some of them back, in another order, while their table is written: what was there
 * all the time is there once. */
static void reloaded(void)
{
	struct buf got = { 0 };
	int fd, status;
	char *before, *text, *cut;

	begin_full();
	before = config();
	fd = join();
	ask(fd, "config", "");
	part(fd, &got, strlen(before) / 2);
	applied_again(before);
	text = rest(fd, &got, &status);
	CHECK_INT(status, 0);
	CHECK(!strcmp(text, before));
	free(text);
	/* The first half of the rules goes, and with them the one that comes next. */
	ask(fd, "config", "");
	part(fd, &got, strlen(before) / 4);
	cut = strchr(before + strlen(before) / 2, '\n') + 1;
	applied_again(cut);
	text = rest(fd, &got, &status);
	CHECK_INT(status, 0);
	CHECK(strlen(text) > strlen(cut) && !strcmp(text + strlen(text) - strlen(cut), cut));
	free(text);
	free(before);
	/* And the connection goes on. */
	CHECK(strstr(ours(fd, 2, "", "ping", ""), "X:0"));
	close(fd);
	end();
}

/* Groups are joined while the configuration is written: each rule stays there once. */
static void grown(void)
{
	struct buf got = { 0 };
	int fd, status;
	char *want, *text, group[32];

	begin_full();
	want = whole("config", "");
	fd = join();
	ask(fd, "config", "");
	part(fd, &got, strlen(want) / 2);
	for (int i = 0; i < 50; i++) {
		struct ifname a1 = ifname_of("a1", 2);
		struct flow_range range = { .group_len = 128 };

		snprintf(group, sizeof group, "227.1.1.%d", i);
		addr_any(FAM_4, &range.flow.source, &range.source_len);
		CHECK_INT(addr_parse(group, strlen(group), &range.flow.group), ADDR_OK);
		CHECK(group_join(&router, &a1, &range) == 0);
	}
	text = rest(fd, &got, &status);
	CHECK_INT(status, 0);
	CHECK(!strcmp(text, want));
	free(want);
	free(text);
	close(fd);
	end();
}

/* While the table is written an entry goes and another comes into its place: it has its own counters. */
static void replaced(void)
{
	struct buf got = { 0 };
	struct flow old, fresh;
	int fd, status;

	begin_full();
	addr_parse("10.1.15.0", 9, &old.source);
	addr_parse("10.9.9.9", 8, &fresh.source);
	addr_parse("225.1.1.1", 9, &old.group);
	fresh.group = old.group;
	uint32_t at = mfc_find(&router.mfc, &old);

	CHECK(at != HASH_NONE && router.mfc.v[at].flags & MFC_INSTALLED);
	fake_set_stats(&old, 777777, 0, 0);
	fd = join();
	ask(fd, "routes", "-d");
	part(fd, &got, 1);
	CHECK_INT(kernel_mfc_del(&old, 0), 0);
	mfc_del(&router.mfc, at);
	CHECK_INT(mfc_get(&router.mfc, &fresh, MFC_LEARNED), at);
	router.mfc.v[at].iif = 0;
	router.mfc.v[at].flags |= MFC_INSTALLED;
	CHECK_INT(kernel_mfc_add(&fresh, 0, 2, router.ttl), 0);
	fake_set_stats(&fresh, 88, 0, 0);
	char *text = rest(fd, &got, &status), *line = strstr(text, "Kernel MFC Table");

	CHECK_INT(status, 0);
	line = line ? strstr(line, "(10.9.9.9, 225.1.1.1)") : NULL;
	CHECK(line && strtol(line + 47, NULL, 10) == 88);
	free(text);
	close(fd);
	end();
}

/* A rule comes before all others while their counters are written: each has its own still. */
static void put_in_front(void)
{
	struct buf got = { 0 }, text = { 0 };
	struct flow last;
	int fd, status;

	begin_full();
	addr_parse("10.1.15.159", 11, &last.source);
	addr_parse("225.1.1.1", 9, &last.group);
	fake_set_stats(&last, 777777, 0, 0);
	fd = join();
	ask(fd, "routes", "-d");
	part(fd, &got, 1);
	char *before = config(), *rules = strstr(before, "mroute");

	buf_add(&text, before, (size_t)(rules - before));
	buf_printf(&text, "mroute from a1 source 10.7.7.7 group 225.7.7.7 to a2\n%s", rules);
	apply(&text);
	char *all = rest(fd, &got, &status), *line = strstr(all, "(S,G) Rules");

	CHECK_INT(status, 0);
	line = line ? strstr(line, "(10.1.15.159, 225.1.1.1)") : NULL;
	CHECK(line && strtol(line + 47, NULL, 10) == 777777);
	free(before);
	free(all);
	close(fd);
	end();
}

/* An interface gets another name between two turns: lines that end alike are of one turn. */
static void renamed(void)
{
	struct buf text = { 0 }, got = { 0 };
	int fd, status;

	begin_links("b1");
	for (int i = 0; i < RULES; i++)
		buf_printf(&text, "mroute from a+ source 10.1.%d.%d group 225.1.1.1 to b1\n", i >> 8, i & 255);
	apply(&text);

	/* Into the second table, of entries, which are those of a1. */
	char *before = whole("routes", "");
	char *entries = strstr(before, "Kernel MFC Table");

	CHECK(entries && strstr(entries, " a1 "));
	fd = join();
	ask(fd, "routes", "");
	part(fd, &got, (size_t)(entries - before) + 4096);
	link_up(2, "a9");
	router_sync(&router);
	char *all = rest(fd, &got, &status), *last = strrchr(all, '(');

	CHECK_INT(status, 0);
	CHECK(last && strstr(last, " a9 ") && !strstr(last, " a1 "));
	free(before);
	free(all);
	close(fd);
	end();
}

/* An interface comes into the place of another between two turns: what was known of that one is not told of it. */
static void successor(void)
{
	const struct link_event gone = { .kind = LINK_DEL, .ifindex = 1000 };
	struct buf text = { 0 }, got = { 0 };
	int fd, status;
	char name[8];

	begin_links("a2");
	for (int i = 100; i < 1000; i++) {
		snprintf(name, sizeof name, "b%d", i);
		link_up(i, name);
	}
	link_up(1000, "old");
	buf_printf(&text, "mroute from a1 group 225.1.1.1 to old\n");
	apply(&text);
	char *before = whole("interfaces", "-j"), *line = strstr(before, "\"old\"");

	CHECK(line && strstr(line, "\"allmulti\":true"));
	fd = join();
	ask(fd, "interfaces", "-j");
	part(fd, &got, 1);
	router_link_event(&router, &gone);
	link_up(1001, "fresh");
	router_sync(&router);
	char *all = rest(fd, &got, &status);

	CHECK_INT(status, 0);
	CHECK(!strstr(all, "\"old\""));
	line = strstr(all, "\"fresh\"");
	CHECK(line && strstr(line, "\"allmulti\":false"));
	free(before);
	free(all);
	close(fd);
	end();
}

/* The place of a heading, behind its first word, in the line that begins with `first`; less than 0: it is not there. */
static int column_of(const char *text, const char *first, const char *heading)
{
	const char *line = strstr(text, first), *end = line ? strchr(line, '\n') : NULL;
	const char *at = end ? strstr(line + strlen(first), heading) : NULL;

	return at && at < end ? (int)(at - line) : -1;
}

/* Columns are as wide as what is in them; for SMCRoute's clients they stay as they are there. */
static void fitted(void)
{
	static const char pair[] = "(2001:db8:1111:2222:3333:4444:5555:6666, ff0e:1111:2222:3333:4444:5555:6666:7777)";
	const char *words[] = { "show", "routes" };
	struct buf text = { 0 }, out = { 0 };
	struct call c = { .router = &router, .out = &out, .form = CALL_LEGACY, .argc = 2, .argv = words };
	struct flow flow;

	begin_links("a2");
	CHECK_INT(kernel_mroute_open(FAM_6, 0), 0);
	router_family(&router, FAM_6, true);
	buf_printf(&text, "mroute from a1 source 2001:db8:1111:2222:3333:4444:5555:6666 "
		   "group ff0e:1111:2222:3333:4444:5555:6666:7777 to a2\n"
		   "mroute from a1 source 10.1.0.1 group 225.1.1.1 to a2\n");
	apply(&text);
	addr_parse("10.1.0.1", 8, &flow.source);
	addr_parse("225.1.1.1", 9, &flow.group);
	fake_set_stats(&flow, 1234567890123, 9876543210987654, 0);
	for (int detail = 0; detail < 3; detail++) {
		char *s = whole("routes", detail ? detail > 1 ? "-dd" : "-d" : "");

		CHECK_INT(column_of(s, "H:ROUTE (S,G)", "IIF"), 2 + (int)strlen(pair) + 1);
		CHECK_INT(column_of(s, pair, "a1 "), (int)strlen(pair) + 1);
		CHECK_INT(column_of(s, "(10.1.0.1, 225.1.1.1)", "a1 "), (int)strlen(pair) + 1);
		CHECK_INT(column_of(s, "(10.1.0.1, 225.1.1.1)", "a2"), column_of(s, pair, "a2"));
		CHECK_INT(column_of(s, "(10.1.0.1, 225.1.1.1)", "a2"), column_of(s, "H:ROUTE (S,G)", "OIFS") - 2);
		CHECK((column_of(s, "H:ROUTE (S,G)", "BYTES") > 0) == (detail > 0));
		CHECK((column_of(s, "(10.1.0.1, 225.1.1.1)", "1234567890123 9876543210987654") > 0) == (detail > 0));
		char *kernel = strstr(s, "Kernel MFC Table");
		CHECK((column_of(kernel, "H:ROUTE (S,G)", "WRONG") > 0) == (detail > 1));
		CHECK((column_of(kernel, "(10.1.0.1, 225.1.1.1)", "static") > 0) == (detail > 1));
		CHECK_INT(column_of(kernel, "(10.1.0.1, 225.1.1.1)", "a2"), column_of(kernel, pair, "a2"));
		free(s);
	}
	do
		CHECK_INT(show_run(&c), 0);
	while (c.show);
	CHECK_INT(column_of(buf_cstr(&out), "(10.1.0.1, 225.1.1.1)", "a1 "), 43);
	buf_free(&out);
	end();
}

/* What cannot be read is unknown, not 0. */
static void unread(void)
{
	struct buf text = { 0 };

	begin_links("a2");
	buf_printf(&text, "mroute from a1 source 10.1.0.1 group 225.1.1.1 to a2\n");
	apply(&text);
	fake_fail("mfc_stats", ENOMEM, -1);
	fake_fail("vif_stats", ENOMEM, -1);
	char *routes = whole("routes", "-d"), *json = whole("routes", "-dj"), *ifs = whole("interfaces", "-d");
	char *metrics = whole("metrics", ""), *kernel = strstr(routes, "Kernel MFC Table");

	CHECK(kernel && column_of(kernel, "(10.1.0.1, 225.1.1.1)", "         -          -") > 0);
	CHECK(strstr(json, "\"packets\":null,\"bytes\":null") && !strstr(json, "\"packets\":0"));
	CHECK(strstr(ifs, "         -          -          -          -"));
	CHECK(strstr(metrics, "smcroute_entry_packets") && !strstr(metrics, "smcroute_entry_packets_total{"));
	CHECK(!strstr(metrics, "smcroute_vif_in_packets_total{"));
	free(routes);
	free(json);
	free(ifs);
	free(metrics);
	end();
}

static void given_up(void)
{
	begin_full();

	int fd = join();

	ask(fd, "routes", "-dj");
	turns(2);
	CHECK(router.rules.routes.walks || router.mfc.n);
	close(fd);
	turns(3);
	CHECK(!router.rules.routes.walks);
	end();
}

TEST_MAIN(TEST(same_text) TEST(in_between) TEST(reloaded) TEST(grown) TEST(replaced)
	  TEST(put_in_front) TEST(renamed) TEST(successor)
	  TEST(fitted) TEST(unread) TEST(given_up))
