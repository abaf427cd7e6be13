/* SPDX-License-Identifier: ISC
 *
 * Copying a conf where memory runs out for one of its names: there is no copy
 * then, whichever name it was.
 */
#include <errno.h>
#include <stdlib.h>

#include "conf/conf.h"
#include "tests/unit/test.h"

static int left;		/* names that can be had before one cannot */

static uint16_t failing_name(struct conf *c, const char *s, size_t n)
{
	return left-- ? conf_name(c, s, n) : CONF_NONE;
}

#define conf_name(c, s, n) failing_name(c, s, n)
#define conf_copy copy
struct conf *copy(const struct conf *c);
#include "conf/copy.c"

static void no_name(void)
{
	static const char text[] = "phyint a enable\nmgroup from b group 225.1.1.1\n"
				   "mroute from c group 225.1.1.1 to d e f\n";
	struct conf *c = conf_new(), *to = NULL;
	struct diags d = { 0 };
	int n = 0;

	CHECK(conf_parse_text(c, &d, "test", text, sizeof text - 1));
	CHECK_INT(d.errors, 0);
	for (; n < 100 && !to; n++) {
		left = n;
		errno = 0;
		to = copy(c);
		CHECK(to || errno == ENOMEM);
	}
	CHECK_INT(n, 7);		/* a to f, and the one time when none was missing */
	conf_free(to);
	conf_free(c);
	diags_free(&d);
}

TEST_MAIN(TEST(no_name))
