/* SPDX-License-Identifier: ISC
 *
 * The numbers of top: rates of an interval, which entry was which, what is not known.
 */
#include "applets/ctl_sample.h"

#include <string.h>

#include "lib/wire.h"
#include "tests/unit/test.h"

/* Takes a sample of rows of the kernel, behind a table of rules. */
static void take(struct sample *s, const char *rows, int64_t at)
{
	static const char rule[] = "(*, 225.1.1.1)   a1   7   7  a2\n", kernel[] = "Kernel MFC Table";
	struct buf records = { 0 };

	wire_put_record(&records, WIRE_TITLE, "(S,G) Rules", strlen("(S,G) Rules"));
	wire_put_record(&records, WIRE_ROW, rule, strlen(rule));
	wire_put_record(&records, WIRE_TITLE, kernel, strlen(kernel));
	wire_put_record(&records, WIRE_ROW, rows, strlen(rows));
	CHECK(ctl_sample_take(s, &records, at));
	buf_free(&records);
}

static void rates(void)
{
	struct sample before = { .n = 0 }, now = { .n = 0 }, none = { .n = 0 };
	struct buf out = { 0 };

	take(&before, "(10.1.0.1, 225.1.1.1) a1 100 1000 0 5 learned  a2\n"
	     "(10.1.0.2, 225.1.1.1) a1 50 500 1 0 learned\n"
	     "(*, 225.2.2.2) a1 10 100 0 - kernel  a2\n(*, 225.2.2.2) a3 20 200 0 - kernel  a2\n"
	     "(*, 225.3.3.3) a1 - - - - kernel  a2\nno row\n(10.1.0.9\n(1, 2) a1 3\n", 1000);
	CHECK_INT(before.n, 5);
	ctl_sample_compare(&before, &none);
	CHECK_INT(before.interval, 0);
	ctl_sample_table(&before, 1, &out);
	CHECK_STR(buf_cstr(&out),
		  "ROUTE (S,G)           IIF PKTS/S BITS/S PACKETS BYTES WRONG IDLE STATE    OIFS\n"
		  "(10.1.0.1, 225.1.1.1) a1       -      -     100  1000     0    5 learned  a2\n");
	/* The first one moved, the second began anew, one is new, and of the kernel's each has its own iif. */
	take(&now, "(10.1.0.1, 225.1.1.1) a3 104 1500 0 0 learned  a2 a4\n"
	     "(10.1.0.2, 225.1.1.1) a1 2 40 1 0 learned\n(10.1.0.3, 225.1.1.1) a1 1 10 0 0 blocked\n"
	     "(*, 225.2.2.2) a1 10 100 0 - kernel  a2\n(*, 225.2.2.2) a3 30 300 0 - kernel  a2\n"
	     "(*, 225.3.3.3) a1 8 80 0 - kernel  a2\n", 3000);
	ctl_sample_compare(&now, &before);
	out.len = 0;
	ctl_sample_table(&now, 100, &out);
	CHECK_STR(buf_cstr(&out),
		  "ROUTE (S,G)           IIF PKTS/S BITS/S PACKETS BYTES WRONG IDLE STATE    OIFS\n"
		  "(10.1.0.1, 225.1.1.1) a3       2   2000     104  1500     0    0 learned  a2 a4\n"
		  "(*, 225.2.2.2)        a3       5    400      30   300     0    - kernel   a2\n"
		  "(10.1.0.2, 225.1.1.1) a1       1    160       2    40     1    0 learned  \n"
		  "(10.1.0.3, 225.1.1.1) a1       0     40       1    10     0    0 blocked  \n"
		  "(*, 225.2.2.2)        a1       0      0      10   100     0    - kernel   a2\n"
		  "(*, 225.3.3.3)        a1       0      0       8    80     0    - kernel   a2\n");
	CHECK_INT(now.packet_rate, 8);
	/* And from there on nothing is known of the last one. */
	take(&before, "(*, 225.3.3.3) a1 - - - - kernel  a2 a3\n", 3500);
	ctl_sample_compare(&before, &now);
	out.len = 0;
	ctl_sample_json(&before, 1795955696789999, &out);
	CHECK_STR(buf_cstr(&out), "{\"time\":1795955696.789999,\"interval\":0.500,\"packets_per_sec\":0,"
		  "\"bits_per_sec\":0,\"routes\":[{\"source\":null,\"group\":\"225.3.3.3\",\"iif\":\"a1\","
		  "\"oifs\":[\"a2\",\"a3\"],\"packets\":null,\"bytes\":null,\"wrong_if\":null,\"idle_sec\":null,"
		  "\"state\":\"kernel\",\"packets_per_sec\":null,\"bits_per_sec\":null}]}\n");
	ctl_sample_free(&before);
	ctl_sample_free(&now);
	buf_free(&out);
}

static void nothing(void)
{
	struct sample now = { .n = 0 }, before = { .n = 0 };
	struct buf out = { 0 };

	take(&before, "", 1);
	take(&now, "", 1);
	ctl_sample_compare(&now, &before);
	ctl_sample_table(&now, 10, &out);
	CHECK_STR(buf_cstr(&out), "ROUTE (S,G) IIF PKTS/S BITS/S PACKETS BYTES WRONG IDLE STATE  OIFS\n");
	ctl_sample_free(&before);
	ctl_sample_free(&now);
	buf_free(&out);
}

TEST_MAIN(TEST(rates) TEST(nothing))
