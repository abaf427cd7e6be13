/* SPDX-License-Identifier: ISC
 *
 * Timers of the event loop: their order, and what they do to each other in the
 * middle of a turn.
 */
#include "lib/loop.h"

#include "tests/unit/test.h"

static struct loop *loop;

static struct timer timers[500];
static int64_t last_due;
static int fired;

static void in_order(void *ctx)
{
	struct timer *t = ctx;
	int64_t asked = (int64_t)(intptr_t)(t - timers) % 97;

	CHECK_INT(t->due, 0);
	CHECK(asked >= last_due);
	last_due = asked;
	fired++;
}

static void timers_in_order(void)
{
	loop = loop_new();
	last_due = -1;
	fired = 0;
	for (int i = 0; i < 500; i++) {
		timers[i] = (struct timer){ .fn = in_order, .ctx = &timers[i] };
		timer_set(loop, &timers[i], 1000);
	}
	for (int i = 499; i >= 0; i--)		/* moves them all to the front */
		timer_set(loop, &timers[i], i % 97);
	for (int i = 0; i < 500; i += 5)
		timer_stop(loop, &timers[i]);
	timer_stop(loop, &timers[0]);
	CHECK_INT(timers[0].due, 0);
	int64_t start = loop_now(loop);
	while (fired < 400)
		loop_turn(loop, true);
	CHECK(loop_now(loop) - start >= 96);
	CHECK_INT(last_due, 96);
	loop_turn(loop, false);
	CHECK_INT(fired, 400);
	loop_free(loop);
}

static void again_at_once(void *ctx)
{
	fired++;
	timer_set(loop, ctx, -5);
}

static void stop_others(void *ctx)
{
	(void)ctx;
	fired++;
	for (int i = 0; i < 500; i++)
		timer_stop(loop, &timers[i]);
}

static void timers_in_a_turn(void)
{
	struct timer t = { .fn = again_at_once, .ctx = &t };

	loop = loop_new();
	fired = 0;
	timer_set(loop, &t, 0);
	loop_turn(loop, true);
	CHECK_INT(fired, 1);			/* once a turn, or the loop would hang here */
	loop_turn(loop, true);
	CHECK_INT(fired, 2);
	timer_stop(loop, &t);
	fired = 0;
	for (int i = 0; i < 500; i++) {
		timers[i] = (struct timer){ .fn = stop_others };
		timer_set(loop, &timers[i], 0);
	}
	loop_turn(loop, true);
	CHECK_INT(fired, 1);
	loop_free(loop);
}

TEST_MAIN(
	TEST(timers_in_order)
	TEST(timers_in_a_turn)
)
