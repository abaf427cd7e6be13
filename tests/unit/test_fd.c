/* SPDX-License-Identifier: ISC
 *
 * A file that somebody removes or replaces, in a directory that somebody moves.
 */
#include "lib/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/test.h"

static char base[] = "/tmp/test_fd.XXXXXX";

/* Makes an empty file, whose numbers are in *st then. */
static void make(const char *path, struct stat *st)
{
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	CHECK(fd >= 0 && fstat(fd, st) == 0 && close(fd) == 0);
}

static void begin(void)
{
	CHECK(mkdtemp(base));
	CHECK_INT(chdir(base), 0);
	CHECK_INT(mkdir("run", 0700), 0);
}

static void closes(void)
{
	int fd = open("run", O_RDONLY | O_CLOEXEC);

	errno = EBUSY;
	CHECK_INT(fd_fail(fd), -1);
	CHECK_INT(errno, EBUSY);
	CHECK(fcntl(fd, F_GETFD) < 0);
	errno = EPERM;
	CHECK_INT(fd_fail(-1), -1);
	CHECK_INT(errno, EPERM);
}

/* Only that file counts, and no link to it. */
static void is_at(void)
{
	struct stat st;

	make("run/a", &st);
	CHECK(fd_is_at("run/a", st.st_dev, st.st_ino));
	CHECK_INT(symlink("a", "run/b"), 0);
	CHECK(!fd_is_at("run/b", st.st_dev, st.st_ino));
	CHECK(!fd_is_at("run/c", st.st_dev, st.st_ino));
	CHECK_INT(unlink("run/a") | unlink("run/b"), 0);
}

static void removed(void)
{
	struct stat st, other;
	int dir;

	make("run/a", &st);
	dir = fd_directory("run/a");
	CHECK(dir > 0);
	CHECK_INT(fd_directory("none/a"), 0);
	/* Its directory is elsewhere, and another file of that name where it was. */
	CHECK_INT(rename("run", "old"), 0);
	CHECK_INT(mkdir("run", 0700), 0);
	make("run/a", &other);
	CHECK_INT(fd_remove(dir, "run/a", st.st_dev, st.st_ino), 0);
	CHECK(access("old/a", F_OK) < 0);
	CHECK(access("run/a", F_OK) == 0);
	/* There is none of these numbers any more. */
	make("old/a", &other);
	CHECK_INT(fd_remove(dir, "run/a", st.st_dev, st.st_ino + 1), 0);
	CHECK(access("old/a", F_OK) == 0);
	CHECK_INT(unlink("old/a") | rmdir("old") | close(dir), 0);
	/* Without a directory, by its path; and what cannot be removed. */
	CHECK_INT(stat("run/a", &st), 0);
	CHECK_INT(fd_remove(0, "run/a", st.st_dev, st.st_ino), 0);
	CHECK(access("run/a", F_OK) < 0);
	CHECK_INT(stat("run", &st), 0);
	CHECK(fd_remove(0, "run", st.st_dev, st.st_ino) < 0 && (errno == EISDIR || errno == EPERM));
}

/* Lost is what was in a directory that is still at its place. */
static void lost(void)
{
	struct stat st;
	int dir;

	NEED_PROC();
	make("run/a", &st);
	dir = fd_directory("run/a");
	CHECK(!fd_is_lost(dir, "run/a"));
	CHECK_INT(unlink("run/a"), 0);
	CHECK(fd_is_lost(dir, "run/a"));
	CHECK(!fd_is_lost(0, "run/a"));
	/* The directory has moved, with the file in it: others have its place, or nobody. */
	CHECK_INT(rename("run", "old"), 0);
	CHECK(!fd_is_lost(dir, "run/a"));
	CHECK_INT(mkdir("run", 0700), 0);
	CHECK(!fd_is_lost(dir, "run/a"));
	CHECK_INT(rmdir("run") | rmdir("old") | close(dir), 0);
}

static void end(void)
{
	/* Where lost() was skipped. */
	rmdir("run");
	CHECK_INT(chdir("/"), 0);
	CHECK_INT(rmdir(base), 0);
}

TEST_MAIN(TEST(begin) TEST(closes) TEST(is_at) TEST(removed) TEST(lost) TEST(end))
