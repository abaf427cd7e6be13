/* SPDX-License-Identifier: ISC
 *
 * Texts, the environment and the words for errors in the small build, beside the
 * libc at hand.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/test.h"

/* Both are asked through pointers, as compilers know what these functions do. */
#define LIBC(type, name, args) static type (*const volatile libc_##name) args = name
LIBC(char *, strchr, (const char *, int));
LIBC(size_t, strspn, (const char *, const char *));
LIBC(size_t, strcspn, (const char *, const char *));
LIBC(char *, strstr, (const char *, const char *));
LIBC(char *, stpcpy, (char *restrict, const char *restrict));
LIBC(char *, strcpy, (char *restrict, const char *restrict));
LIBC(char *, strncpy, (char *restrict, const char *restrict, size_t));
LIBC(size_t, strlen, (const char *));
LIBC(size_t, strnlen, (const char *, size_t));
LIBC(int, strcmp, (const char *, const char *));
LIBC(int, strncmp, (const char *, const char *, size_t));
LIBC(void *, memchr, (const void *, int, size_t));
LIBC(void *, memrchr, (const void *, int, size_t));
LIBC(char *, strrchr, (const char *, int));
LIBC(char *, strpbrk, (const char *, const char *));
LIBC(char *, strsep, (char **, const char *));
LIBC(char *, strtok_r, (char *restrict, const char *restrict, char **restrict));
LIBC(char *, strerror, (int));

#undef strchr
#undef strspn
#undef strcspn
#undef strstr
#undef stpcpy
#undef strcpy
#undef strncpy
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef memchr
#undef memrchr
#undef strrchr
#undef strpbrk
#undef strsep
#undef strtok_r
#define strlen small_strlen
#define strnlen small_strnlen
#define strcmp small_strcmp
#define strncmp small_strncmp
#define memchr small_memchr
#define memrchr small_memrchr
#define strrchr small_strrchr
#define strpbrk small_strpbrk
#define strsep small_strsep
#define strtok_r small_strtok_r
#define strchr small_strchr
#define strspn small_strspn
#define strcspn small_strcspn
#define strstr small_strstr
#define stpcpy small_stpcpy
#define strcpy small_strcpy
#define strncpy small_strncpy
char *strchr(const char *, int);
size_t strspn(const char *, const char *);
size_t strcspn(const char *, const char *);
char *strstr(const char *, const char *);
char *stpcpy(char *restrict, const char *restrict);
char *strcpy(char *restrict, const char *restrict);
char *strncpy(char *restrict, const char *restrict, size_t);
size_t strlen(const char *);
size_t strnlen(const char *, size_t);
int strcmp(const char *, const char *);
int strncmp(const char *, const char *, size_t);
void *memchr(const void *, int, size_t);
void *memrchr(const void *, int, size_t);
char *strrchr(const char *, int);
char *strpbrk(const char *, const char *);
char *strsep(char **, const char *);
char *strtok_r(char *restrict, const char *restrict, char **restrict);
#include "lib/small/string.c"

#define environ small_environ
#define getenv small_getenv
#define unsetenv small_unsetenv
static char **environ;
char *getenv(const char *);
int unsetenv(const char *);
#include "lib/small/environ.c"

#define strerror small_strerror
char *strerror(int);
#include "lib/small/errors.c"

static const char *const samples[] = { "", "a", "aa", "ab", "aab", "abcabd", "xabd", "b", "c", "abd", "abcabde", "\377a" };
enum { N = sizeof samples / sizeof *samples };

static void searching(void)
{
	for (unsigned i = 0; i < N; i++) {
		for (int c = -1; c < 256; c++) {
			CHECK(strchr(samples[i], c) == libc_strchr(samples[i], c));
			CHECK(strrchr(samples[i], c) == libc_strrchr(samples[i], c));
			for (size_t n = 0; n <= libc_strlen(samples[i]); n++) {
				CHECK(memchr(samples[i], c, n) == libc_memchr(samples[i], c, n));
				CHECK(memrchr(samples[i], c, n) == libc_memrchr(samples[i], c, n));
			}
		}
		for (unsigned k = 0; k < N; k++) {
			CHECK(strstr(samples[i], samples[k]) == libc_strstr(samples[i], samples[k]));
			CHECK(strpbrk(samples[i], samples[k]) == libc_strpbrk(samples[i], samples[k]));
			CHECK_INT(strspn(samples[i], samples[k]), libc_strspn(samples[i], samples[k]));
			CHECK_INT(strcspn(samples[i], samples[k]), libc_strcspn(samples[i], samples[k]));
		}
	}
}

static int sign(int n)
{
	return (n > 0) - (n < 0);
}

static void comparing(void)
{
	for (unsigned i = 0; i < N; i++) {
		CHECK_INT(strlen(samples[i]), libc_strlen(samples[i]));
		for (size_t n = 0; n < 8; n++)
			CHECK_INT(strnlen(samples[i], n), libc_strnlen(samples[i], n));
		for (unsigned k = 0; k < N; k++) {
			CHECK_INT(sign(strcmp(samples[i], samples[k])), sign(libc_strcmp(samples[i], samples[k])));
			for (size_t n = 0; n < 8; n++)
				CHECK_INT(sign(strncmp(samples[i], samples[k], n)),
					  sign(libc_strncmp(samples[i], samples[k], n)));
		}
	}
}

static const char *const lists[] = { "", " ", "a", " a", "a ", "a::b", ":a b: ", "::", "a:b" };

/* Both take the same text apart, and leave it the same. */
static void words(void)
{
	for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++)
		for (int empty = 0; empty < 2; empty++) {
			char a[8], b[8], *a_at = a, *b_at = b, *v, *w;

			libc_strcpy(a, lists[i]);
			libc_strcpy(b, lists[i]);
			v = empty ? a : strtok_r(a, ": ", &a_at);
			w = empty ? b : libc_strtok_r(b, ": ", &b_at);
			while (v && w) {
				CHECK_INT(v - a, w - b);
				v = empty ? strsep(&a_at, ": ") : strtok_r(NULL, ": ", &a_at);
				w = empty ? libc_strsep(&b_at, ": ") : libc_strtok_r(NULL, ": ", &b_at);
			}
			CHECK(!v && !w);
			CHECK(!memcmp(a, b, libc_strlen(lists[i]) + 1));
		}
}

static void copying(void)
{
	for (unsigned i = 0; i < N; i++) {
		char a[16], b[16];

		for (size_t n = 0; n <= sizeof a; n++) {
			memset(a, '#', sizeof a);
			memset(b, '#', sizeof b);
			CHECK(strncpy(a, samples[i], n) == a);
			libc_strncpy(b, samples[i], n);
			CHECK(!memcmp(a, b, sizeof a));
		}
		memset(a, '#', sizeof a);
		memset(b, '#', sizeof b);
		CHECK(strcpy(a, samples[i]) == a);
		libc_strcpy(b, samples[i]);
		CHECK(!memcmp(a, b, sizeof a));
		CHECK_INT(stpcpy(a, samples[i]) - a, libc_stpcpy(b, samples[i]) - b);
		CHECK(!memcmp(a, b, sizeof a));
	}
}

static void environment(void)
{
	static char ab[] = "AB=1", a[] = "A=x=y", none[] = "C=", again[] = "AB=2", odd[] = "D";
	char *vars[] = { ab, a, none, again, odd, NULL };

	CHECK(!getenv("A"));
	CHECK_INT(unsetenv("A"), 0);
	environ = vars;
	CHECK_STR(getenv("A"), "x=y");
	CHECK_STR(getenv("AB"), "1");
	CHECK_STR(getenv("C"), "");
	CHECK(!getenv("B"));
	CHECK(!getenv("D"));
	CHECK_INT(unsetenv("AB"), 0);
	CHECK(!getenv("AB"));
	CHECK(vars[0] == a && vars[1] == none && vars[2] == odd && !vars[3]);
}

static void errors(void)
{
	static const int odd[] = { -1, INT32_MIN, INT32_MAX, 99999, EDEADLK };
	/* What open, connect, link, exec, setsockopt and sendmsg say of files and sockets that are not as meant. */
	static const int met[] = {
		0, EPERM, ENOENT, ESRCH, EINTR, EIO, ENXIO, E2BIG, ENOEXEC, EBADF, ECHILD, EAGAIN, ENOMEM, EACCES, EBUSY,
		EEXIST, EXDEV, ENODEV, ENOTDIR, EISDIR, EINVAL, ENFILE, EMFILE, ENOTTY, ETXTBSY, EFBIG, ENOSPC, EROFS,
		EMLINK, EPIPE, ENAMETOOLONG, ENOSYS, ELOOP, EPROTO, EOVERFLOW, ENOTSOCK, EMSGSIZE, EPROTOTYPE, ENOPROTOOPT,
		EPROTONOSUPPORT, ESOCKTNOSUPPORT, EOPNOTSUPP, EAFNOSUPPORT, EADDRINUSE, EADDRNOTAVAIL, ENETDOWN,
		ENETUNREACH, ECONNABORTED, ECONNRESET, ENOBUFS, ENOTCONN, ETIMEDOUT, ECONNREFUSED, EHOSTUNREACH, ESTALE,
		EDQUOT,
	};

	for (unsigned i = 0; i < sizeof met / sizeof *met; i++)
		CHECK(strncmp(strerror(met[i]), "Unknown", 7));
	for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
		char expect[40];

		snprintf(expect, sizeof expect, "Unknown error %d", odd[i]);
		CHECK_STR(strerror(odd[i]), expect);
	}
#ifdef __GLIBC__
	for (int e = 0; e < 134; e++)
		if (strncmp(strerror(e), "Unknown", 7))
			CHECK_STR(strerror(e), libc_strerror(e));
#endif
	CHECK_STR(strerror(ENOENT), "No such file or directory");
	CHECK_STR(strerror(EDQUOT), "Disk quota exceeded");
}

TEST_MAIN(TEST(searching) TEST(comparing) TEST(words) TEST(copying) TEST(environment) TEST(errors))
