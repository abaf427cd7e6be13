/* SPDX-License-Identifier: ISC
 *
 * The event loop: watchers that remove or replace each other in the middle of a
 * turn, and signals, under load too.
 */
#include "lib/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/test.h"

static struct loop *loop;
static int calls;

struct pair {
	int r, w;
};

static struct pair pair(void)
{
	int fd[2];

	CHECK_INT(pipe2(fd, O_CLOEXEC | O_NONBLOCK), 0);
	return (struct pair){ fd[0], fd[1] };
}

static struct pair full_pair(void)
{
	struct pair p = pair();

	CHECK_INT(write(p.w, "x", 1), 1);
	return p;
}

static void close_pair(struct pair p)
{
	close(p.r);
	close(p.w);
}

static void count_fd(void *ctx, int fd, short revents)
{
	(void)fd;
	*(int *)ctx |= revents;
	calls++;
}

static void count(void *ctx)
{
	++*(int *)ctx;
}

static void descriptors(void)
{
	struct pair p = pair();
	int seen = 0;

	loop = loop_new();
	calls = 0;
	CHECK_INT(loop_add(loop, p.r, POLLIN, count_fd, &seen), 0);
	CHECK_INT(loop_turn(loop, false), 0);
	CHECK_INT(calls, 0);
	CHECK_INT(write(p.w, "x", 1), 1);
	loop_turn(loop, true);
	loop_turn(loop, true);
	CHECK_INT(calls, 2);
	CHECK_INT(seen, POLLIN);
	loop_events(loop, p.r, 0);
	loop_turn(loop, false);
	close(p.w);
	loop_turn(loop, false);		/* a paused one does not hear of a hang-up either */
	CHECK_INT(calls, 2);
	loop_events(loop, p.r, POLLIN);
	loop_turn(loop, false);
	CHECK_INT(calls, 3);
	CHECK_INT(seen, POLLIN | POLLHUP);
	loop_del(loop, p.r);
	loop_del(loop, p.r);
	loop_del(loop, 1000000);
	loop_events(loop, p.r, POLLIN);
	loop_turn(loop, false);
	CHECK_INT(calls, 3);
	close(p.r);
	loop_free(loop);
}

#define MANY 64

static struct pair many[MANY];
static int called[MANY];

static int index_of(int fd)
{
	for (int i = 0; i < MANY; i++)
		if (many[i].r == fd)
			return i;
	return -1;
}

/* The first one called removes all others and itself. */
static void remove_all(void *ctx, int fd, short revents)
{
	(void)ctx;
	(void)revents;
	called[index_of(fd)]++;
	for (int i = 0; i < MANY; i++)
		loop_del(loop, many[i].r);
}

static void plain(void *ctx, int fd, short revents)
{
	(void)revents;
	CHECK(ctx == called);
	called[index_of(fd)]++;
}

/* Removes itself and the next, so that each second one is called. */
static void remove_two(void *ctx, int fd, short revents)
{
	int i = index_of(fd);

	(void)ctx;
	(void)revents;
	called[i]++;
	loop_del(loop, fd);
	if (i + 1 < MANY)
		loop_del(loop, many[i + 1].r);
}

/* Removes every other watcher and adds it again under the same number. */
static void replace_all(void *ctx, int fd, short revents)
{
	(void)ctx;
	(void)revents;
	called[index_of(fd)]++;
	for (int i = 0; i < MANY; i++) {
		loop_del(loop, many[i].r);
		CHECK_INT(loop_add(loop, many[i].r, POLLIN, plain, called), 0);
	}
}

static void pause_all(void *ctx, int fd, short revents)
{
	(void)ctx;
	(void)revents;
	called[index_of(fd)]++;
	for (int i = 0; i < MANY; i++) {
		loop_events(loop, many[i].r, 0);
		loop_events(loop, many[i].r, POLLOUT);
	}
}

static int turn_with(loop_fd_fn *fn)
{
	int sum = 0;

	loop = loop_new();
	memset(called, 0, sizeof called);
	for (int i = 0; i < MANY; i++) {
		many[i] = full_pair();
		CHECK_INT(loop_add(loop, many[i].r, POLLIN, fn, called), 0);
	}
	loop_turn(loop, false);
	for (int i = 0; i < MANY; i++)
		sum += called[i];
	return sum;
}

static void end_turns(void)
{
	for (int i = 0; i < MANY; i++)
		close_pair(many[i]);
	loop_free(loop);
}

static void removal_in_a_turn(void)
{
	CHECK_INT(turn_with(remove_all), 1);
	loop_turn(loop, false);
	CHECK_INT(called[0], 1);
	end_turns();
	CHECK_INT(turn_with(remove_two), MANY / 2);
	for (int i = 0; i < MANY; i++)
		CHECK_INT(called[i], i % 2 == 0);
	loop_turn(loop, false);
	CHECK_INT(called[0] + called[1] + called[MANY - 1], 1);
	end_turns();
}

static void replacement_in_a_turn(void)
{
	CHECK_INT(turn_with(replace_all), 1);	/* old news is not for the new watchers */
	loop_turn(loop, false);
	for (int i = 0; i < MANY; i++)
		CHECK_INT(called[i], 1 + (i == 0));
	end_turns();
}

static void pause_in_a_turn(void)
{
	CHECK_INT(turn_with(pause_all), 1);
	end_turns();
}

/* Says whose turn it is; there is no time for a third one. */
static void count_two(void *ctx, int fd, short revents)
{
	(void)revents;
	if (calls++ < 2)
		++*(int *)ctx;
	else
		loop_postpone(loop, fd);
}

/* In each turn two of five have time, first those who had to wait. */
static void postponed(void)
{
	struct pair p[5];
	int turns[5] = { 0 };
	uint64_t before;

	loop = loop_new();
	before = loop_turns(loop);
	for (int i = 0; i < 5; i++) {
		p[i] = pair();
		CHECK_INT(write(p[i].w, "x", 1), 1);
		loop_add(loop, p[i].r, POLLIN, count_two, &turns[i]);
	}
	for (int turn = 0; turn < 5; turn++) {
		calls = 0;
		loop_turn(loop, false);
		CHECK_INT(calls, 5);
	}
	for (int i = 0; i < 5; i++)
		CHECK_INT(turns[i], 2);
	CHECK_INT(loop_turns(loop) - before, 5);
	for (int i = 0; i < 5; i++)
		close_pair(p[i]);
	loop_free(loop);
}

/* Watchers that come and go at random, against a plain table of what is watched. */
static void random_watchers(void)
{
	bool watched[MANY] = { false };

	srand(1);
	turn_with(plain);
	for (int i = 0; i < MANY; i++)
		loop_del(loop, many[i].r);
	for (int round = 0; round < 2000; round++) {
		for (int k = rand() % 8; k; k--) {
			int i = rand() % MANY;

			if (watched[i])
				loop_del(loop, many[i].r);
			else
				CHECK_INT(loop_add(loop, many[i].r, POLLIN, plain, called), 0);
			watched[i] = !watched[i];
		}
		memset(called, 0, sizeof called);
		loop_turn(loop, false);
		for (int i = 0; i < MANY; i++)
			CHECK_INT(called[i], watched[i]);
	}
	end_turns();
}

static void stop_loop(void *ctx)
{
	(void)ctx;
	loop_stop(loop, 7);
}

static void stopping(void)
{
	struct timer t = { .fn = stop_loop };

	loop = loop_new();
	timer_set(loop, &t, 5);
	CHECK_INT(loop_run(loop), 7);
	timer_set(loop, &t, 5);
	CHECK_INT(loop_run(loop), 7);
	loop_stop(loop, 3);			/* before it runs counts as well */
	CHECK_INT(loop_run(loop), 3);
	loop_free(loop);
}

static void signals(void)
{
	struct sigaction before, during, after;
	int usr1 = 0, usr2 = 0, spare = 0;
	sigset_t mask;
	struct timer t = { .fn = count, .ctx = &spare };

	sigaction(SIGUSR1, NULL, &before);
	loop = loop_new();
	CHECK_INT(loop_signal(loop, SIGUSR1, count, &spare), 0);
	CHECK_INT(loop_signal(loop, SIGUSR1, count, &usr1), 0);
	CHECK_INT(loop_signal(loop, SIGUSR2, count, &usr2), 0);
	CHECK_INT(loop_signal(loop, 1000, count, &usr2), -1);
	CHECK_INT(loop_signal(loop, SIGKILL, count, &usr2), -1);
	raise(SIGUSR1);
	raise(SIGUSR1);
	raise(SIGUSR2);
	CHECK_INT(usr1 + usr2, 0);		/* not outside of the loop */
	timer_set(loop, &t, 10000);
	loop_turn(loop, true);			/* returns at once */
	loop_turn(loop, false);
	CHECK_INT(usr1, 1);
	CHECK_INT(usr2, 1);
	loop_turn(loop, false);
	CHECK_INT(usr1 + usr2, 2);
	CHECK_INT(spare, 0);
	sigaction(SIGUSR1, NULL, &during);
	CHECK(during.sa_handler != before.sa_handler);
	raise(SIGUSR1);				/* pending at the end: must not kill us */
	loop_free(loop);
	sigaction(SIGUSR1, NULL, &after);
	CHECK(after.sa_handler == before.sa_handler);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	CHECK(!sigismember(&mask, SIGUSR1));
	CHECK(!sigismember(&mask, SIGUSR2));
}

/* A ppoll(2) that can be as on FreeBSD, where a call that does not wait delivers no signal. */
static bool is_deaf_at_once;
/* Or one that fails. */
static int poll_error;

int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout, const sigset_t *mask)
{
#ifdef SYS_ppoll_time64
	const long call = SYS_ppoll_time64;
#else
	const long call = SYS_ppoll;
#endif
	int64_t wait[2] = { timeout ? timeout->tv_sec : 0, timeout ? timeout->tv_nsec : 0 };

	if (poll_error) {
		errno = poll_error;
		return -1;
	}
	if (is_deaf_at_once && timeout && !wait[0] && !wait[1])
		return poll(fds, n, 0);
	return (int)syscall(call, fds, n, timeout ? wait : NULL, mask, (size_t)(_NSIG / 8));
}

/* A descriptor that is always ready keeps ppoll(2) from delivering signals. */
static void signal_under_load(void)
{
	struct pair p = full_pair();
	int seen = 0, usr1 = 0, usr2 = 0;

	loop = loop_new();
	loop_add(loop, p.r, POLLIN, count_fd, &seen);
	loop_signal(loop, SIGUSR1, count, &usr1);
	loop_signal(loop, SIGUSR2, count, &usr2);
	for (int deaf = 0; deaf < 2; deaf++) {
		is_deaf_at_once = deaf;
		loop_turn(loop, true);
		raise(SIGUSR1);
		raise(SIGUSR2);
		loop_turn(loop, !deaf);
		CHECK_INT(usr1, deaf + 1);
		CHECK_INT(usr2, deaf + 1);
	}
	is_deaf_at_once = false;
	loop_free(loop);
	close_pair(p);
}

/* The same for a loop that does not wait, with nothing to read. */
static void signal_without_waiting(void)
{
	int usr1 = 0;

	loop = loop_new();
	loop_signal(loop, SIGUSR1, count, &usr1);
	is_deaf_at_once = true;
	raise(SIGUSR1);
	loop_turn(loop, false);
	is_deaf_at_once = false;
	CHECK_INT(usr1, 1);
	loop_free(loop);
}

/* What the kernel lacks for a while ends nothing: signals are heard, and what is ready is seen later. */
static void poll_fails(void)
{
	struct pair p = full_pair();
	int seen = 0, usr1 = 0;

	loop = loop_new();
	loop_add(loop, p.r, POLLIN, count_fd, &seen);
	loop_signal(loop, SIGUSR1, count, &usr1);
	raise(SIGUSR1);
	poll_error = ENOMEM;
	CHECK_INT(loop_turn(loop, true), 0);
	CHECK_INT(seen, 0);
	CHECK_INT(usr1, 1);
	poll_error = 0;
	CHECK_INT(loop_turn(loop, true), 0);
	CHECK_INT(seen, 1);
	poll_error = EFAULT;
	CHECK_INT(loop_turn(loop, true), -1);
	poll_error = 0;
	loop_free(loop);
	close_pair(p);
}

static void clock_is_read(void)
{
	int64_t start, later;

	loop = loop_new();
	start = loop_now(loop);
	CHECK_INT(loop_now(loop), start);
	while ((later = loop_touch(loop)) == start)
		;
	CHECK(later > start);
	CHECK_INT(loop_now(loop), later);
	loop_free(loop);
	loop_free(NULL);
}

TEST_MAIN(
	TEST(descriptors)
	TEST(removal_in_a_turn)
	TEST(replacement_in_a_turn)
	TEST(pause_in_a_turn)
	TEST(postponed)
	TEST(random_watchers)
	TEST(stopping)
	TEST(signals)
	TEST(signal_under_load)
	TEST(signal_without_waiting)
	TEST(poll_fails)
	TEST(clock_is_read)
)
