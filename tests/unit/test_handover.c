/* SPDX-License-Identifier: ISC
 *
 * Descriptors by the environment: which are taken, under which names, and that nothing of it stays.
 */
#include "applets/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/fake/kernel.h"
#include "tests/unit/test.h"

#define FDS 5

static struct handover h;

/* Has descriptors 3 to 7, and the environment say so; NULL: nothing of it. */
static int take(const char *pid, const char *fds, const char *names)
{
	char self[16];
	int null = open("/dev/null", O_RDONLY), res;

	for (int fd = 3; fd < 3 + FDS; fd++)
		if (fd != null)
			dup2(null, fd);
	close(3 + FDS);
	snprintf(self, sizeof self, "%d", (int)getpid());
	unsetenv("LISTEN_FDNAMES");
	setenv("LISTEN_PID", pid ? pid : self, 1);
	setenv("LISTEN_FDS", fds, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
	h = (struct handover){ 0 };
	res = handover_take_environment(&h);
	CHECK(!getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES"));
	for (uint32_t i = 0; i < h.n; i++)
		CHECK(fcntl(h.v[i].fd, F_GETFD) & FD_CLOEXEC);
	return res;
}

static void names(void)
{
	static char longest[70000];

	CHECK_INT(take(NULL, "3", "mroute4:a b:x\x1b"), 0);
	CHECK_INT(h.n, 3);
	CHECK_STR(h.v[0].name, "mroute4");
	CHECK_STR(h.v[1].name, "a b");
	CHECK_STR(h.v[2].name, "x\x1b");
	CHECK(handover_has_routes(&h));
	CHECK_INT(handover_take(&h, "none"), -1);
	CHECK_INT(handover_take(&h, "a b"), 4);
	CHECK_INT(h.n, 2);
	CHECK_INT(handover_take(&h, "a b"), -1);
	handover_free(&h);
	CHECK(fcntl(3, F_GETFD) < 0 && fcntl(4, F_GETFD) >= 0 && fcntl(5, F_GETFD) < 0 && fcntl(6, F_GETFD) >= 0);
	/* Fewer names, more, empty ones, none, a very long one. */
	CHECK_INT(take(NULL, "4", "x::y"), 0);
	CHECK_INT(h.n, 4);
	CHECK_STR(h.v[1].name, "");
	CHECK_STR(h.v[2].name, "y");
	CHECK_STR(h.v[3].name, "unknown");
	CHECK(!handover_has_routes(&h));
	handover_free(&h);
	CHECK_INT(take(NULL, "1", "x:y:z"), 0);
	CHECK_INT(h.n, 1);
	handover_free(&h);
	CHECK_INT(take(NULL, "2", NULL), 0);
	CHECK_STR(h.v[1].name, "unknown");
	handover_free(&h);
	memset(longest, 'm', sizeof longest - 1);
	CHECK_INT(take(NULL, "2", longest), 0);
	CHECK_INT(strlen(h.v[0].name), HANDOVER_NAME - 1);
	handover_free(&h);
}

static void numbers(void)
{
	static const char *const wrong[] = { "", "x", "-1", "3x", " 3", "99999999999999999999", "1000000000" };

	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		CHECK_INT(take(NULL, wrong[i], "a"), 0);
		CHECK_INT(h.n, 0);
		CHECK(strstr(h.error, wrong[i]));
	}
	/* More than there are. */
	CHECK_INT(take(NULL, "200", "a"), 0);
	CHECK(h.n >= FDS && h.n < 200 && !*h.error);
	for (uint32_t i = 0; i < h.n; i++)
		h.v[i].fd = -1;		/* the test's own may be among them */
	handover_free(&h);
	CHECK_INT(take("1", "3", "a"), 0);
	CHECK_INT(h.n, 0);
	CHECK_INT(take("x", "3", "a"), 0);
	CHECK_INT(h.n, 0);
}

/* What the kernel room does not take is closed; the words that are logged are in tests/net/test_adopt.py. */
static void adopted(void)
{
	fake_reset();
	log_set_level(LOG_LVL_NONE);
	kernel_mroute_open(FAM_4, 0);
	kernel_release();
	fake_journal();
	CHECK_INT(take(NULL, "4", "mroute4:mroute4:x\x1b[31m:mroute6"), 0);
	handover_adopt(&h, 0);
	CHECK_INT(h.n, 0);
	CHECK(fcntl(3, F_GETFD) >= 0);
	CHECK(fcntl(4, F_GETFD) < 0 && fcntl(5, F_GETFD) < 0 && fcntl(6, F_GETFD) < 0);
	CHECK_STR(fake_journal(), "adopt mroute4\nadopt mroute4 = EEXIST\nadopt x\x1b[31m = EINVAL\n"
		  "adopt mroute6 = ESTALE\n");
	fake_reset();
}

TEST_MAIN(TEST(names) TEST(numbers) TEST(adopted))
