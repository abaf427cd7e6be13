/* SPDX-License-Identifier: ISC
 *
 * What every unit test is made of.  A test program lists its cases and prints
 * TAP, so tests/run.sh counts cases, not programs:
 *
 *	static void sums(void) { CHECK(1 + 1 == 2); CHECK_STR(name(), "x"); }
 *	TEST_MAIN(TEST(sums))
 */
#ifndef TESTS_UNIT_TEST_H
#define TESTS_UNIT_TEST_H

#include <stdio.h>
#include <string.h>

struct test {
	const char *name;
	void (*fn)(void);
};

#define TEST(fn) { #fn, fn },

static int test_failed;
static const char *test_skipped;

/* At the top of a case that reads /proc, which a build root need not have. */
#define NEED_PROC() do { \
	FILE *proc_ = fopen("/proc/self/status", "re"); \
	if (!proc_) { \
		test_skipped = "no /proc here"; \
		return; \
	} \
	fclose(proc_); \
	} while (0)

#define CHECK(cond) do { \
	if (!(cond)) { \
		test_failed++; \
		printf("# %s:%d: %s\n", __FILE__, __LINE__, #cond); \
	} } while (0)

#define CHECK_INT(a, b) do { \
	long long a_ = (long long)(a), b_ = (long long)(b); \
	if (a_ != b_) { \
		test_failed++; \
		printf("# %s:%d: %s is %lld, not %lld\n", __FILE__, __LINE__, #a, a_, b_); \
	} } while (0)

#define CHECK_STR(a, b) do { \
	const char *a_ = (a), *b_ = (b); \
	if (!a_ || strcmp(a_, b_)) { \
		test_failed++; \
		printf("# %s:%d: %s is \"%s\", not \"%s\"\n", __FILE__, __LINE__, #a, \
		       a_ ? a_ : "(null)", b_); \
	} } while (0)

#define TEST_MAIN(...) \
int main(void) \
{ \
	static const struct test tests[] = { __VA_ARGS__ }; \
	unsigned i, n = sizeof tests / sizeof *tests, bad = 0; \
	setvbuf(stdout, NULL, _IOLBF, 0); \
	printf("1..%u\n", n); \
	for (i = 0; i < n; i++) { \
		test_failed = 0; \
		test_skipped = NULL; \
		tests[i].fn(); \
		bad += test_failed != 0; \
		printf("%sok %u - %s%s%s\n", test_failed ? "not " : "", i + 1, tests[i].name, \
		       test_skipped ? " # SKIP " : "", test_skipped ? test_skipped : ""); \
	} \
	return bad != 0; \
}

#endif
