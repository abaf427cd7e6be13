/* SPDX-License-Identifier: ISC
 *
 * A receiver that has stopped to read: whoever tells it something is not held up again and again.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/notify.h"
#include "tests/unit/test.h"

#define NOTIFY_MESSAGES 40
#define NOTIFY_MS 2000		/* each of them would wait 100 ms */

static int notify_receiver(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	char name[sizeof a.sun_path];

	snprintf(name, sizeof name, "@smcroute-test-notify-%d", (int)getpid());
	memcpy(a.sun_path + 1, name + 1, strlen(name + 1));
	CHECK(!bind(fd, (struct sockaddr *)&a, (socklen_t)(sizeof a.sun_family + strlen(name))));
	setenv("NOTIFY_SOCKET", name, 1);
	notify_init();
	return fd;
}

static void stopped_receiver(void)
{
	int fd = notify_receiver(), sent = 0;
	char text[64];
	int64_t start;

	while (notify_send_fd(fd, "FDSTORE=1") == 0)
		CHECK(++sent < 100000);
	start = clock_ms();
	for (int i = 0; i < NOTIFY_MESSAGES; i++)
		CHECK(notify_send_fd(fd, "FDSTORE=1\nFDNAME=member.%d", i) < 0);
	CHECK(clock_ms() - start < NOTIFY_MS);
	/* It goes on: so do we. */
	while (recv(fd, text, sizeof text, 0) > 0)
		;
	CHECK(notify_send_fd(fd, "FDSTORE=1\nFDNAME=again") == 0);
	CHECK(recv(fd, text, sizeof text, 0) == (ssize_t)strlen("FDSTORE=1\nFDNAME=again"));
	close(fd);
}

/* What the environment says of the receiver; that nothing is told on order, or to nobody. */
static void receiver(void)
{
	char text[64], *name;
	int fd;

	setenv("FDSTORE", "512", 1);
	fd = notify_receiver();
	name = strdup(notify_socket());
	CHECK(strstr(name, "@smcroute-test-notify-"));
	CHECK(notify_is_heard() && notify_has_store());
	CHECK_INT(notify_store_size(), 512);
	CHECK(!getenv("FDSTORE"));
	notify_mute(true);
	notify_send("READY=1");
	CHECK_INT(notify_send_fd(fd, "FDSTORE=1"), 0);
	CHECK(recv(fd, text, sizeof text, 0) < 0);
	notify_mute(false);
	notify_send("READY=1");
	CHECK_INT(recv(fd, text, sizeof text, 0), 7);
	notify_leave();
	CHECK(!notify_is_heard() && !notify_has_store() && !notify_socket());
	notify_send("READY=1");
	CHECK(recv(fd, text, sizeof text, 0) < 0);
	/* One without a store, and one that says something else. */
	setenv("NOTIFY_SOCKET", name, 1);
	notify_init();
	CHECK(notify_is_heard() && !notify_has_store());
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("FDSTORE", "many", 1);
	notify_init();
	CHECK(notify_is_heard() && !notify_has_store());
	free(name);
	close(fd);
}

TEST_MAIN(TEST(receiver) TEST(stopped_receiver))
