/* SPDX-License-Identifier: ISC
 *
 * The parts of libc of the small build, under other names beside those of the
 * libc at hand.
 */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lines.h"
#include "tests/unit/test.h"

static int (*const libc_vsnprintf)(char *, size_t, const char *, va_list) = vsnprintf;
static int (*const libc_getopt)(int, char *const [], const char *) = getopt;
static int *const libc_optind = &optind;

/* A declaration of a function under its new name. */
#define vsnprintf small_vsnprintf
#define snprintf small_snprintf
#define vasprintf small_vasprintf
#define asprintf small_asprintf
#define vfprintf small_vfprintf
#define fprintf small_fprintf
#define printf small_printf
int vsnprintf(char *, size_t, const char *, va_list);
int snprintf(char *, size_t, const char *, ...);
int vasprintf(char **, const char *, va_list);
int asprintf(char **, const char *, ...);
int vfprintf(FILE *, const char *, va_list);
int fprintf(FILE *, const char *, ...);
int printf(const char *, ...);
#include "lib/small/printf.c"

#define strtoull small_strtoull
#define strtoll small_strtoll
#define strtoul small_strtoul
#define strtol small_strtol
#define atoi small_atoi
unsigned long long strtoull(const char *restrict, char **restrict, int);
long long strtoll(const char *restrict, char **restrict, int);
unsigned long strtoul(const char *restrict, char **restrict, int);
long strtol(const char *restrict, char **restrict, int);
int atoi(const char *);
#include "lib/small/number.c"

#define qsort small_qsort
void qsort(void *, size_t, size_t, int (*)(const void *, const void *));
#include "lib/small/sort.c"

#define memcpy small_memcpy
#define memmove small_memmove
#define memcmp small_memcmp
void *memcpy(void *restrict, const void *restrict, size_t);
void *memmove(void *, const void *, size_t);
int memcmp(const void *, const void *, size_t);
#include "lib/small/memory.c"
#undef memcpy
#undef memmove
#undef memcmp

#define getopt small_getopt
#define optarg small_optarg
#define optind small_optind
#define opterr small_opterr
#define optopt small_optopt
extern char *optarg;
extern int optind, opterr, optopt;
int getopt(int, char *const [], const char *);
#include "lib/small/getopt.c"

#define getpwnam small_getpwnam
#define getpwuid small_getpwuid
#define getgrnam small_getgrnam
#define setuid small_setuid
#define setresuid small_setresuid
#define setresgid small_setresgid
#define setgroups small_setgroups
struct passwd *getpwnam(const char *);
struct passwd *getpwuid(uid_t);
struct group *getgrnam(const char *);
int setuid(uid_t);
int setresuid(uid_t, uid_t, uid_t);
int setresgid(gid_t, gid_t, gid_t);
int setgroups(size_t, const gid_t *);
#include "lib/small/ids.c"

#define FILE struct small_file
#define _IO_FILE small_file
#define fflush small_fflush
#define fwrite small_fwrite
#define fputs small_fputs
#define fputc small_fputc
#define putc small_putc
#define putchar small_putchar
#define puts small_puts
#define ferror small_ferror
#define fileno small_fileno
#define write small_write
FILE;
extern FILE *const small_stdout, *const small_stderr;
int fflush(FILE *);
size_t fwrite(const void *restrict, size_t, size_t, FILE *restrict);
int fputs(const char *restrict, FILE *restrict);
int fputc(int, FILE *);
int putc(int, FILE *);
int putchar(int);
int puts(const char *);
int ferror(FILE *);
int fileno(FILE *);
static ssize_t small_write(int, const void *, size_t);
#undef stdout
#undef stderr
#define stdout small_stdout
#define stderr small_stderr
#include "lib/small/stdio.c"
#undef stdout
#undef stderr
#define stdout stdout
#define stderr stderr
#undef FILE
#undef getpwnam
#undef getpwuid
#undef getgrnam
#undef snprintf
#undef printf
#undef strtoull
#undef strtoll
#undef strtoul
#undef strtol
#undef atoi

static void same(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Both write the same, whatever the room. */
static void same(const char *fmt, ...)
{
	char a[200], b[200];
	va_list ap, again;

	for (size_t room = 0; room < sizeof a; room += room < 8 ? 1 : 96) {
		memset(a, '#', sizeof a);
		memset(b, '#', sizeof b);
		va_start(ap, fmt);
		va_copy(again, ap);
		CHECK_INT(small_vsnprintf(a, room, fmt, ap), libc_vsnprintf(b, room, fmt, again));
		va_end(again);
		va_end(ap);
		CHECK(!memcmp(a, b, sizeof a));
	}
}

static void texts(void)
{
	same("%s", "");
	same("plain");
	same("100 %% %s %%", "sure");
	same("%s%s %s\n", "one", "", "two");
	same("[%10s] [%-10s] [%2s] [%-2s]", "abc", "abc", "abc", "abc");
	same("[%.2s] [%.0s] [%.10s] [%-6.2s] [%6.2s]", "abc", "abc", "abc", "abc", "abc");
	same("[%*s] [%-*s] [%*s]", 7, "abc", 7, "abc", -7, "abc");
	same("[%.*s] [%-*.*s] [%.*s]", 2, "abc", 6, 1, "abc", -1, "abc");
	same("%c%c [%3c]", 'a', 'b', 'c');
	same("%s", "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
		   "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789");
}

static void integers(void)
{
	same("%d %d %d %d %i", 0, 1, -1, INT_MAX, INT_MIN);
	same("%u %u %x %x", 0u, UINT_MAX, 0u, UINT_MAX);
	same("%ld %ld %lu %lx", LONG_MAX, LONG_MIN, ULONG_MAX, ULONG_MAX);
	same("%lld %lld %llu %llx", LLONG_MAX, LLONG_MIN, ULLONG_MAX, ULLONG_MAX);
	same("%zu %zd %jd %ju %td", SIZE_MAX, (ssize_t)-1, INTMAX_MIN, UINTMAX_MAX, (ptrdiff_t)-5);
	same("[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
	same("[%02x] [%06d] [%03ld] [%2d] [%02d]", 10u, 17, -1L, 12345, 12345);
	same("[%*d] [%-*d] [%0*d]", 6, 42, 6, 42, 6, 42);
	same("%d %s %llu %s %u %c %ld %s", 1, "two", 3ULL, "four", 5u, '6', 7L, "eight");
}

static void streams(void)
{
	char *text = NULL;
	FILE *f = tmpfile();
	char got[64] = "";

	CHECK_INT(small_asprintf(&text, "%s-%d", "a", 5), 3);
	CHECK_STR(text, "a-5");
	free(text);
	CHECK_INT(small_fprintf(f, "%s %d\n", "line", 7), 7);
	CHECK_INT(small_fprintf(f, "%s", ""), 0);
	rewind(f);
	CHECK(fgets(got, sizeof got, f));
	CHECK_STR(got, "line 7\n");
	fclose(f);
}

static char wrote[8192];
static size_t wrote_n;
static int writes, full;

/* A device that takes at most 700 bytes at a time. */
static ssize_t small_write(int fd, const void *p, size_t n)
{
	(void)fd;
	if (full) {
		errno = ENOSPC;
		return -1;
	}
	n = n < 700 ? n : 700;
	memcpy(wrote + wrote_n, p, n);
	wrote_n += n;
	writes++;
	return (ssize_t)n;
}

static void output(void)
{
	static char large[3000];

	memset(large, 'x', sizeof large);
	CHECK_INT(small_puts("one"), 0);
	CHECK_INT(small_putchar('2'), '2');
	CHECK_INT(writes, 0);
	CHECK_INT(small_fputs("error", small_stderr), 0);
	CHECK(wrote_n == 5 && !memcmp(wrote, "error", 5));
	CHECK_INT(small_fwrite(large, 1, 1020, small_stdout), 1020);
	CHECK(wrote_n == 10 && !memcmp(wrote + 5, "one\n2", 5));
	CHECK_INT(small_fwrite(large, 1, sizeof large, small_stdout), sizeof large);
	CHECK_INT(wrote_n, 10 + 1020 + sizeof large);
	CHECK(!small_ferror(small_stdout));
	full = 1;
	CHECK_INT(small_puts("lost"), 0);
	CHECK_INT(small_fflush(small_stdout), EOF);
	CHECK(small_ferror(small_stdout));
	CHECK_INT(small_fflush(small_stdout), 0);
	full = 0;
}

static void numbers(void)
{
	static const char *const texts_[] = {
		"", "0", "1", "-1", "+5", " \t12x", "x", "-", "0x1f", "0x", "ff", "FFg", "-0x10", "99999999999999999999",
		"18446744073709551615", "18446744073709551616", "9223372036854775807", "9223372036854775808",
		"-9223372036854775807", "4294967296", "007", "- 1", "12 34",
	};

	for (unsigned i = 0; i < sizeof texts_ / sizeof *texts_; i++) {
		for (int base = 10; base <= 16; base += 6) {
			const char *s = texts_[i];
			char *a, *b;
			int e;

#define NUMBER(fn) do { \
			errno = 0; \
			CHECK_INT(small_##fn(s, &a, base), fn(s, &b, base)); \
			e = errno; \
			CHECK(a == b); \
			errno = 0; \
			small_##fn(s, NULL, base); \
			CHECK_INT(errno, e); } while (0)
			NUMBER(strtoull);
			NUMBER(strtoll);
			NUMBER(strtoul);
			NUMBER(strtol);
			CHECK_INT(small_atoi(s), (int)strtol(s, NULL, 10));
		}
	}
}

static int by_value(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return x < y ? -1 : x > y;
}

static void sorting(void)
{
	unsigned v[1000], n, seed = 1;

	for (n = 0; n <= 1000; n += n < 20 ? 1 : 245) {
		unsigned long sum = 0;

		for (unsigned i = 0; i < n; i++) {
			seed = seed * 1103515245 + 12345;
			sum += v[i] = seed >> 16 & (n & 1 ? 7 : 0xffff);
		}
		small_qsort(v, n, sizeof *v, by_value);
		for (unsigned i = 0; i < n; i++)
			sum -= v[i];
		CHECK(!sum);
		for (unsigned i = 1; i < n; i++)
			CHECK(v[i - 1] <= v[i]);
	}
}

static void options(void)
{
	static char p[] = "p", ab[] = "-ab", c[] = "-c", val[] = "val", cval[] = "-cval", dash[] = "-", end[] = "--",
		    bad[] = "-azb", word[] = "word";
	static char *lines[][6] = {
		{ p }, { p, ab, c, val, word }, { p, cval, end, ab }, { p, dash, ab }, { p, bad, word }, { p, c },
		{ p, word, ab }, { p, ab, c, end, end, c }, { p, cval, cval, c, cval },
	};

	small_opterr = 0;
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		int argc = 0, opt, opt2;
		char *argv[7] = { 0 };

		for (; argc < 6 && lines[i][argc]; argc++)
			argv[argc] = lines[i][argc];
		small_optind = *libc_optind = 1;
		do {
			opt = small_getopt(argc, argv, "+abc:");
#undef optarg
#undef opterr
			opterr = 0;
			opt2 = libc_getopt(argc, argv, "+abc:");
			CHECK_INT(opt, opt2);
			CHECK_INT(small_optind, *libc_optind);
			if (opt == 'c')
				CHECK_STR(small_optarg, optarg);
		} while (opt != -1 && opt2 != -1);
	}
}

static void ids(void)
{
	struct passwd *pw;
	struct group *gr;

	while ((pw = getpwent())) {
		struct passwd *by_name = small_getpwnam(pw->pw_name), *by_id = small_getpwuid(pw->pw_uid);

		CHECK(by_name && by_name->pw_uid == pw->pw_uid && by_name->pw_gid == pw->pw_gid);
		CHECK(by_id && by_id->pw_uid == pw->pw_uid);
	}
	while ((gr = getgrent())) {
		struct group *by_name = small_getgrnam(gr->gr_name);

		CHECK(by_name && by_name->gr_gid == gr->gr_gid);
	}
	CHECK(!small_getpwnam("no:such") && !small_getpwnam("") && !small_getgrnam("nobody knows"));
	CHECK(!small_getpwuid(4294967294u));
}

/* Each length, from and to each alignment, and over each other. */
static void memory(void)
{
	unsigned char from[96], a[96], b[96];

	for (unsigned i = 0; i < sizeof from; i++)
		from[i] = (unsigned char)(i * 7 + 1);
	for (size_t n = 0; n <= 40; n++)
		for (size_t x = 0; x < 18; x++) {
			size_t y = (x * 5 + n) % 18;

			memset(a, 0, sizeof a);
			memset(b, 0, sizeof b);
			CHECK(small_memcpy(a + x, from + y, n) == a + x);
			memcpy(b + x, from + y, n);
			CHECK(!memcmp(a, b, sizeof a));
			memcpy(a, from, sizeof a);
			memcpy(b, from, sizeof b);
			CHECK(small_memmove(a + x, a + y, n) == a + x);
			memmove(b + x, b + y, n);
			CHECK(!memcmp(a, b, sizeof a));
			CHECK(!small_memcmp(a + x, b + x, n));
			for (size_t i = 0; i < n; i++) {
				b[x + i] ^= 0x80;
				CHECK((small_memcmp(a + x, b + x, n) < 0) == (memcmp(a + x, b + x, n) < 0));
				b[x + i] ^= 0x80;
			}
		}
}

TEST_MAIN(TEST(memory) TEST(texts) TEST(integers) TEST(streams) TEST(output) TEST(numbers) TEST(sorting) TEST(options) TEST(ids))
