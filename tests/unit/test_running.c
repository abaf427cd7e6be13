/* SPDX-License-Identifier: ISC
 *
 * What the running router said, looked up: which rule waits and why, a metric.
 */
#include "applets/doctor/running.h"

#include "conf/read.h"
#include "tests/unit/test.h"

static void pending(void)
{
	static const char text[] = "mroute from a1 group 225.1.2.3 to a2\nmroute from a1 group 225.1.2.3/24 to a2\n";
	struct running r = { .conf = conf_new() };
	struct diags d = { 0 };
	struct buf why = { 0 };

	conf_parse_text(r.conf, &d, "", text, strlen(text));
	CHECK(!running_pending(&r, &r.conf->mroutes[0], &why));
	buf_str(&r.pending, "mgroup  from a1 group 225.1.2.3  # a1: no such interface\n"
			    "mroute  from a1 group 225.1.2.3 to a2 a3  # a3: no such interface\n"
			    "mroute  from a1 group 225.1.2.3 to a2  # a2: no free VIF");
	CHECK(running_pending(&r, &r.conf->mroutes[0], &why));
	CHECK_STR(buf_cstr(&why), "a2: no free VIF");
	CHECK(!running_pending(&r, &r.conf->mroutes[1], &why));
	buf_free(&why);
	diags_free(&d);
	running_free(&r);
}

static void metric(void)
{
	struct running r = { .answers = true };

	CHECK_INT(running_metric(&r, RUNNING_REFUSED), 0);
	buf_str(&r.metrics, "# HELP smcroute_refused_total New sources\nsmcroute_refused_totals 7\n"
			    "smcroute_refused_total{family=\"IPv4\"} 3\nsmcroute_refused_total{family=\"IPv6\"} 4\n"
			    "smcroute_rules 12");
	CHECK_INT(running_metric(&r, RUNNING_REFUSED), 7);
	CHECK_INT(running_metric(&r, "smcroute_rules"), 12);
	CHECK_INT(running_metric(&r, "nothing"), 0);
	running_free(&r);
}

/* Nobody is there: the usual names. */
static void nobody(void)
{
	struct running r = { 0 };

	CHECK_STR(running_ctl(&r), "smcroutectl");
	running_free(&r);
}

TEST_MAIN(TEST(pending) TEST(metric) TEST(nobody))
