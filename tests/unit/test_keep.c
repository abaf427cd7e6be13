/* SPDX-License-Identifier: ISC
 *
 * The store of descriptors: what messages do to it, and what no message does.
 */
#include "applets/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/notify.h"
#include "tests/unit/test.h"

static struct keep keep;

static void begin(void)
{
	keep = (struct keep){ .main = getpid() };
	CHECK_INT(keep_open(&keep), 0);
	CHECK(keep.address[0] == '@' && strlen(keep.address) > 3);
	log_set_level(LOG_LVL_NONE);
	setenv("NOTIFY_SOCKET", keep.address, 1);
	notify_init();
}

/* The store's own messages must not come back to it. */
static void take(void)
{
	unsetenv("NOTIFY_SOCKET");
	notify_init();
	CHECK(keep_receive(&keep, 100));
	setenv("NOTIFY_SOCKET", keep.address, 1);
	notify_init();
}

static void finish(void)
{
	close(keep.fd);
	keep_drop(&keep, NULL);
	unsetenv("NOTIFY_SOCKET");
	notify_init();
}

static const char *names(void)
{
	static char text[1024];

	*text = '\0';
	for (uint32_t i = 0; i < keep.store.n; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i ? " " : "", keep.store.v[i].name);
	return text;
}

/* How many descriptors are open. */
static int count_open(void)
{
	int n = 0;

	for (int fd = 0; fd < 200; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void stores(void)
{
	int fd[2], before;

	CHECK_INT(pipe(fd), 0);
	begin();
	before = count_open();
	CHECK_INT(notify_send_fd(fd[0], "FDSTORE=1\nFDNAME=a.1\nFDPOLL=0"), 0);
	CHECK_INT(notify_send_fd(fd[1], "FDNAME=b\nFDSTORE=1"), 0);
	CHECK_INT(notify_send_fd(fd[1], "FDSTORE=1"), 0);
	CHECK_INT(notify_send_fd(fd[1], "FDSTORE=1\nFDNAME=b"), 0);		/* there already */
	take();
	CHECK_STR(names(), "a.1 b stored");
	CHECK_INT(fcntl(keep.store.v[0].fd, F_GETFD), FD_CLOEXEC);
	CHECK_INT(count_open(), before + 3);
	/* No names, no store, no descriptor. */
	CHECK_INT(notify_send_fd(fd[1], "FDSTORE=1\nFDNAME=a:b"), 0);
	CHECK_INT(notify_send_fd(fd[1], "FDSTORE=1\nFDNAME="), 0);
	CHECK_INT(notify_send_fd(fd[1], "FDSTORE=1\nFDNAME=a\tb"), 0);
	CHECK_INT(notify_send_fd(fd[1], "FDSTORE=1\nFDNAME=%0300d", 1), 0);
	CHECK_INT(notify_send_fd(fd[1], "FDSTORE=11\nFDNAME=x"), 0);
	CHECK_INT(notify_send_fd(fd[1], "READY=1"), 0);
	notify_send("FDSTORE=1\nFDNAME=y");
	CHECK(!keep.is_ready);
	take();
	CHECK(keep.is_ready);
	CHECK_STR(names(), "a.1 b stored");
	CHECK_INT(count_open(), before + 3);
	notify_send("FDSTOREREMOVE=1\nFDNAME=b");
	notify_send("FDSTOREREMOVE=1\nFDNAME=none");
	notify_send("FDSTOREREMOVE=1\nFDNAME=:");
	take();
	CHECK_STR(names(), "a.1 stored");
	CHECK_INT(keep_drop(&keep, "a.1"), 1);
	CHECK_INT(keep_drop(&keep, NULL), 1);
	CHECK_INT(count_open(), before);
	finish();
	close(fd[0]);
	close(fd[1]);
}

/* In a child: what it says is heard when it is the one, or was. */
static void say_as_child(const char *text, bool is_main, bool is_former)
{
	pid_t pid = fork();

	if (!pid) {
		notify_send_fd(0, "%s", text);
		_exit(0);
	}
	keep.main = is_main ? pid : 1;
	keep.former = is_former ? pid : 0;
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static void of_one_alone(void)
{
	begin();
	say_as_child("FDSTORE=1\nFDNAME=stranger", false, false);
	take();
	CHECK_STR(names(), "");
	say_as_child("FDSTORE=1\nFDNAME=child", true, false);
	take();
	say_as_child("FDSTORE=1\nFDNAME=parent", false, true);
	take();
	CHECK_STR(names(), "child parent");
	finish();
}

static void follows(void)
{
	char me[64];

	begin();
	snprintf(me, sizeof me, "MAINPID=%d\nREADY=1", (int)getppid());
	notify_send("MAINPID=0");
	notify_send("MAINPID=-1");
	notify_send("MAINPID=99999999999");
	notify_send("MAINPID=%d", (int)getpid());
	take();
	CHECK_INT(keep.main, getpid());
	if (getppid() > 1) {
		notify_send("%s", me);
		take();
		CHECK_INT(keep.main, getppid());
		CHECK_INT(keep.former, getpid());
		CHECK(keep.is_ready);
	}
	finish();
}

/* Without room for descriptors it goes on with what it has. */
static void no_room(void)
{
	struct rlimit all, few = { 0, 0 };
	int fd[2], last;

	CHECK_INT(pipe(fd), 0);
	begin();
	last = dup(0);
	close(last);
	notify_send_fd(fd[0], "FDSTORE=1\nFDNAME=one");
	notify_send_fd(fd[1], "FDSTORE=1\nFDNAME=two");
	CHECK_INT(getrlimit(RLIMIT_NOFILE, &all), 0);
	few = (struct rlimit){ (rlim_t)last + 1, all.rlim_max };
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &few), 0);
	take();
	CHECK_STR(names(), "one");
	CHECK(keep.is_told);
	CHECK_INT(setrlimit(RLIMIT_NOFILE, &all), 0);
	notify_send_fd(fd[1], "FDSTORE=1\nFDNAME=two");
	take();
	CHECK_STR(names(), "one two");
	finish();
	close(fd[0]);
	close(fd[1]);
}

TEST_MAIN(TEST(stores) TEST(of_one_alone) TEST(follows) TEST(no_room))
