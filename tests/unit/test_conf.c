/* SPDX-License-Identifier: ISC
 *
 * The values: names, sets, and the references by which VIFs are handed out;
 * the fields that client commands share with the file.
 */
#include "conf/conf.h"
#include "conf/field.h"
#include "conf/print.h"
#include "conf/read.h"

#include "tests/unit/test.h"

static uint16_t name(struct conf *c, const char *s)
{
	return conf_name(c, s, strlen(s));
}

static struct conf *parse(const char *text, struct diags *d)
{
	struct conf *c = conf_new();

	*d = (struct diags){ 0 };
	conf_parse_text(c, d, "test", text, strlen(text));
	return c;
}

static void finish(struct conf *c, struct diags *d)
{
	diags_free(d);
	conf_free(c);
}

static void names(void)
{
	struct conf *c = conf_new();
	uint16_t a = name(c, "eth0"), b = name(c, "eth+");

	CHECK_INT(name(c, "eth0"), a);
	CHECK(a != b);
	CHECK(!c->names[a].ifname.is_wildcard && c->names[b].ifname.is_wildcard);
	CHECK_INT(c->names[a].ifname.len, 4);
	CHECK_INT(c->names[b].ifname.len, 3);
	CHECK_STR(c->names[b].ifname.text, "eth+");
	CHECK_INT(conf_name_find(c, "eth", 3), CONF_NONE);
	CHECK_INT(conf_name_find(c, "eth0xxx", 4), a);
	CHECK_INT(name(c, ""), CONF_NONE);
	CHECK_INT(name(c, "abcdefghijklmnop"), CONF_NONE);
	CHECK(name(c, "abcdefghijklmno") != CONF_NONE);
	conf_free(c);
}

static void names_run_out(void)
{
	struct conf *c = conf_new();
	char s[IFNAME_SIZE];

	for (unsigned i = 0; i < CONF_NONE; i++) {
		snprintf(s, sizeof s, "i%u", i);
		if (name(c, s) != i)
			test_failed++;
	}
	CHECK_INT(name(c, "more"), CONF_NONE);
	CHECK_INT(name(c, "i77"), 77);
	conf_free(c);
}

static void sets(void)
{
	struct conf *c = conf_new();
	uint16_t ab[] = { name(c, "a"), name(c, "b") }, ba[] = { ab[1], ab[0] };
	uint32_t s = conf_set(c, ab, 2), t = conf_set(c, ba, 2), u = conf_set(c, ab, 1);

	CHECK(s && t && u && s != t && s != u && t != u);
	CHECK_INT(conf_set(c, ab, 2), s);
	CHECK_INT(conf_set(c, ab, 1), u);
	CHECK_INT(conf_set(c, ab, 0), 0);
	CHECK_INT(c->sets[0].n, 0);
	CHECK_INT(c->nsets, 4);
	conf_free(c);
}

static void ifnames(void)
{
	static const char *const bad[] = {
		"", ":", ":1", "eth0:", ".", "..", "a/b", "abcdefghijklmnop", "a b", "a\x01", "a#b",
	};
	size_t n = 6;

	CHECK(!ifname_check("eth0:1", &n));
	CHECK_INT(n, 4);
	n = 15;
	CHECK(!ifname_check("abcdefghijklmno", &n));
	n = 4;
	CHECK(!ifname_check("q\"u\\", &n));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		n = strlen(bad[i]);
		CHECK(ifname_check(bad[i], &n));
	}
}

/* The rank of a name's first reference, or 0 when no line wants a VIF for it. */
static unsigned rank(const struct conf *c, const char *s, enum fam fam)
{
	const struct conf_name *n = &c->names[conf_name_find(c, s, strlen(s))];

	return n->first[fam];
}

static void ranks(void)
{
	struct diags d;
	struct conf *c = parse("phyint e9 disable\n"
			       "mroute from e3 group 225.1.1.1 to e2 e1\n"
			       "phyint e0 enable\n"
			       "mgroup from e5 group ff05::1\n"
			       "mroute from e2 group ff05::1 to e3\n", &d);

	CHECK_INT(d.errors, 0);
	CHECK_INT(rank(c, "e9", FAM_4), 0);
	CHECK_INT(rank(c, "e3", FAM_4), 1);
	CHECK_INT(rank(c, "e2", FAM_4), 2);
	CHECK_INT(rank(c, "e1", FAM_4), 3);
	CHECK_INT(rank(c, "e0", FAM_4), 4);
	CHECK_INT(rank(c, "e5", FAM_4), 0);
	CHECK(rank(c, "e0", FAM_6) < rank(c, "e5", FAM_6));
	CHECK(rank(c, "e5", FAM_6) < rank(c, "e2", FAM_6));
	CHECK(rank(c, "e2", FAM_6) < rank(c, "e3", FAM_6));
	CHECK_INT(rank(c, "e1", FAM_6), 0);
	finish(c, &d);
}

static void phyint_lines_add_up(void)
{
	struct diags d;
	struct conf *c = parse("phyint a mrdisc\nphyint a enable\nphyint a enable ttl-threshold 7\n"
			       "phyint b threshold 3\nphyint b refresh 9\n", &d);

	CHECK_INT(d.errors, 0);
	CHECK_INT(c->nphyints, 2);
	CHECK(c->phyints[0].enable == 1 && c->phyints[0].mrdisc && c->phyints[0].ttl == 7);
	CHECK(c->phyints[1].ttl == 3 && c->phyints[1].refresh == 9 && !c->phyints[0].refresh);
	CHECK_INT(c->phyints[1].enable, -1);
	CHECK_INT(rank(c, "a", FAM_4), 1);
	CHECK_INT(rank(c, "b", FAM_4), 0);
	struct phyint off = { .name = name(c, "a"), .enable = 0 };

	conf_add_phyint(c, &off);
	CHECK_INT(c->phyints[0].enable, 0);
	finish(c, &d);
}

/* Parses the words of a client command: the flow as text, or the reason. */
static const char *flow(const char *a, const char *b)
{
	static char out[2 * ADDR_STRLEN + 2];
	const char *w[] = { a, b };
	struct flow_range f;
	char x[ADDR_STRLEN], y[ADDR_STRLEN];
	const char *why = field_range(w, b ? 2 : 1, &f);

	if (why)
		return why;
	sprintf(out, "%s %s", prefix_str(&f.flow.source, f.source_len, x), prefix_str(&f.flow.group, f.group_len, y));
	return out;
}

static void client_words(void)
{
	CHECK_STR(flow("225.1.2.3", NULL), "0.0.0.0/0 225.1.2.3");
	CHECK_STR(flow("10.0.0.9/24", "225.1.2.3/8"), "10.0.0.0/24 225.0.0.0/8");
	CHECK_STR(flow("::", "ff05::1"), "::/0 ff05::1");
	CHECK_STR(flow("10.0.0.9", "ff0e::1"), "source is IPv4 but group is IPv6: both must be of one family");
	CHECK_STR(flow("225.1.1.1", "225.1.2.3"),
		  "source \"225.1.1.1\" is a multicast address: a source is a host or a network");
	CHECK_STR(flow("10.0.0.1", "10.0.0.2"),
		  "\"10.0.0.2\" is not a multicast group: IPv4 groups lie in 224.0.0.0/4");
	CHECK_STR(flow("225.1.1.9/abc", NULL),
		  "bad prefix length in \"225.1.1.9/abc\": an IPv4 group takes /4 to /32, digits only");
	CHECK_STR(flow("", NULL), "\"\" is no address: write a group such as 225.1.2.3 or ff05::1");
}

static void caret(void)
{
	struct diags d;
	struct conf *c = parse("mroute\tfrom e\xc3\xbc\x1b group 1 to x", &d);
	struct buf out = { 0 };

	CHECK_INT(d.n, 2);
	diag_print(&out, c, &d.v[1], true);
	CHECK_STR(buf_cstr(&out), "test:1:24: error: \"1\" is no address: write a group such as "
		  "225.1.2.3 or ff05::1\n"
		  "mroute\tfrom e\xc3\xbc\\x1b group 1 to x\n"
		  "      \t                  ^\n");
	buf_free(&out);
	finish(c, &d);
}

TEST_MAIN(TEST(names) TEST(names_run_out) TEST(sets) TEST(ifnames) TEST(ranks) TEST(phyint_lines_add_up)
	  TEST(client_words) TEST(caret))
