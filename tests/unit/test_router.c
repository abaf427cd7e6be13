/* SPDX-License-Identifier: ISC
 *
 * The engine against a model of what rules mean; `make fuzz` goes on where this ends.
 */
#include "router/router.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fake/model.h"
#include "tests/unit/test.h"

#define STEPS 20000

/* splitmix64: the same steps on each machine. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static bool is_right(const char *wrong, int step)
{
	if (wrong) {
		printf("# step %d: %s\n", step, wrong);
		test_failed++;
	}
	return !wrong;
}

static void against_the_model(uint64_t state, bool is_freebsd)
{
	const char *emulator = getenv("EMULATOR");
	/* Each takes ten times as long on a machine that is emulated. */
	int steps = emulator && strstr(emulator, "qemu") ? STEPS / 10 : STEPS;
	bool goes_on = true;

	for (int step = 0; goes_on && step < steps; step++) {
		if (step % 500 == 0)
			model_begin(next(&state), is_freebsd);
		goes_on = is_right(model_step(next(&state)), step);
		if (step % 500 == 499)
			goes_on &= is_right(model_end(), step);
	}
}

static void on_linux(void)
{
	against_the_model(14, false);
}

static void on_freebsd(void)
{
	against_the_model(15, true);
}

TEST_MAIN(TEST(on_linux) TEST(on_freebsd))
