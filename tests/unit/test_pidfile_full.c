/* SPDX-License-Identifier: ISC
 *
 * The PID file on file systems that are full, or have no hard links, and when others come between two steps.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int full_mkostemp(char *name, int flags), full_link(const char *from, const char *to);
static int full_open(const char *path, int flags);

#define mkostemp full_mkostemp
#define link full_link
#define open(path, flags) full_open(path, flags)
#include "lib/pidfile.c"
#undef mkostemp
#undef link
#undef open

#include "tests/unit/test.h"

static char folder[] = "/tmp/test_pidfile_full.XXXXXX";
static bool is_full;			/* for as long as "a" is there */
static const char *swapped_for;		/* what somebody puts in the place of the new file */
static int link_errno, links_refused;	/* so many times */
static struct pidfile *comes_between;	/* who writes the file once it was seen that nobody has it */

static int full_open(const char *path, int flags)
{
	struct pidfile *other = comes_between;
	int fd = open(path, flags), err = errno;

	if (fd < 0 && other && (err == ENOENT || err == ELOOP)) {
		comes_between = NULL;
		CHECK_INT(pidfile_write(other, path), 0);
	}
	errno = err;
	return fd;
}

static int full_mkostemp(char *name, int flags)
{
	int fd;

	if (is_full && access("a", F_OK) == 0) {
		errno = ENOSPC;
		return -1;
	}
	fd = mkostemp(name, flags);
	if (swapped_for && (unlink(name) < 0 || link(swapped_for, name) < 0))
		CHECK(!"it is swapped");
	return fd;
}

static int full_link(const char *from, const char *to)
{
	if (!links_refused)
		return link(from, to);
	links_refused--;
	errno = link_errno;
	return -1;
}

static void begin(void)
{
	CHECK(mkdtemp(folder) && chdir(folder) == 0);
}

static void end(void)
{
	CHECK_INT(chdir("/"), 0);
	CHECK_INT(rmdir(folder), 0);	/* nothing is left */
}

/* The file of one that is dead makes room; that of a living one does not. */
static void no_space(void)
{
	struct pidfile f, other;
	int fd = open("a", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	is_full = true;
	CHECK_INT(write(fd, "1\n", 2), 2);
	CHECK_INT(flock(fd, LOCK_EX), 0);
	CHECK(pidfile_write(&f, "a") < 0 && errno == ENOSPC);
	CHECK_INT(access("a", F_OK), 0);
	close(fd);
	CHECK_INT(pidfile_write(&f, "a"), 0);
	CHECK_INT(pidfile_owner("a"), getpid());
	CHECK(pidfile_write(&other, "a") < 0 && errno == ENOSPC);
	CHECK_INT(pidfile_owner("a"), getpid());
	is_full = false;
	pidfile_remove(&f);
}

static void no_links(void)
{
	static const int errors[] = { EPERM, EOPNOTSUPP };
	struct pidfile f;

	for (unsigned i = 0; i < 2; i++) {
		link_errno = errors[i];
		links_refused = 1;
		CHECK_INT(pidfile_write(&f, "a"), 0);
		CHECK_INT(pidfile_owner("a"), getpid());
		pidfile_remove(&f);
	}
	link_errno = EROFS;
	links_refused = 1;
	CHECK(pidfile_write(&f, "a") < 0 && errno == EROFS);
}

/* Somebody else makes the file, and removes it again, between two steps: it is tried again, not for ever. */
static void others_come(void)
{
	struct pidfile f;

	link_errno = EEXIST;
	links_refused = 9;
	CHECK_INT(pidfile_write(&f, "a"), 0);
	pidfile_remove(&f);
	links_refused = 1000;
	CHECK(pidfile_write(&f, "a") < 0 && errno == EAGAIN);
	CHECK_INT(links_refused, 990);
	links_refused = 0;
}

/* Another starter is between two steps of this one, where those look that cannot link(2) their file to its name. */
static void others_start(void)
{
	struct pidfile f, other;

	for (int is_link = 0; is_link < 2; is_link++) {
		comes_between = &other;
		link_errno = EPERM;
		links_refused = is_link ? 0 : 2;	/* the other one's, too */
		if (is_link)
			CHECK_INT(symlink("nowhere", "a"), 0);
		CHECK(pidfile_write(&f, "a") < 0 && errno == EBUSY);
		CHECK(!comes_between && !links_refused);
		CHECK(other.path && pidfile_owner("a") == getpid());
		pidfile_remove(&other);
		CHECK(access("a", F_OK) < 0);
	}
}

/* Somebody gives another file the name of the new one: it is not held, and never written to. */
static void others_swap(void)
{
	struct pidfile f;
	char text[16] = "";
	int fd = open("precious", O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	CHECK_INT(write(fd, "1\n", 2), 2);
	swapped_for = "precious";
	CHECK(pidfile_write(&f, "a") < 0 && errno == ESTALE);
	swapped_for = NULL;
	CHECK(!f.path);
	pidfile_retake(&f);
	pidfile_remove(&f);
	CHECK(pread(fd, text, sizeof text - 1, 0) == 2 && !strcmp(text, "1\n"));
	CHECK(access("a", F_OK) < 0);
	close(fd);
	unlink("precious");
}

TEST_MAIN(TEST(begin) TEST(no_space) TEST(no_links) TEST(others_come) TEST(others_start)
	  TEST(others_swap) TEST(end))
