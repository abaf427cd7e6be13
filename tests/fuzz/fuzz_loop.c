/* SPDX-License-Identifier: ISC
 *
 * The event loop and the queue of hooks, which lives in it: timers, descriptors, signals and programs in any order,
 * also from within each other's callbacks, while memory and calls of the system fail.  The clock stands still but for
 * what the input says; programs are numbers here, that run until the input has them end.  Each byte is a step, with
 * bytes behind it that the step wants.
 *
 * A naive model knows which callback may come when, how long a turn may wait, which program is next and when its time
 * is over; and each run that was not, or went wrong, is told of in the log or counted there.
 */
#include "tests/fuzz/loop.h"

/* ---- callbacks ---- */

static void fuzz_on_timer(void *ctx)
{
	struct model_timer *m = ctx;

	if (!m->due || m->due > loop_now(fuzz_loop) || m->t.due)
		fuzz_wrong("a timer fires too early, or does not run");
	for (const struct model_timer *o = fuzz_timers; o < fuzz_timers + TIMERS; o++)
		if (o->due && (o->due < m->due || (o->due == m->due && o->order < m->order)))
			fuzz_wrong("another timer is due before");
	if (++fuzz_fired > TIMERS + 3)
		fuzz_wrong("timers hold the turn");
	m->due = 0;
	fuzz_inside();
}

static void fuzz_on_ready(void *ctx, int fd, short revents)
{
	struct model_pair *w = ctx;
	uint64_t turn = loop_turns(fuzz_loop);
	char bytes[16];

	if (w->fd != fd || !w->is_watched || !w->events || w->is_called || w->added == turn ||
	    (w->since < turn && !w->is_ready))
		fuzz_wrong("a descriptor is reported that should not be");
	if (!revents || (revents & ~(w->events | POLLERR | POLLHUP | POLLNVAL)))
		fuzz_wrong("nobody asked for these events");
	if (!fuzz_is_called && fuzz_first >= 0 && w != &fuzz_pairs[fuzz_first]) {
		const struct model_pair *first = &fuzz_pairs[fuzz_first];

		if (first->is_watched && first->events && first->is_ready && first->since < turn)
			fuzz_wrong("it is another one's turn");
	}
	if (!fuzz_is_called)
		fuzz_first = -1;
	fuzz_is_called = w->is_called = true;
	if (fuzz_byte() & 1)
		(void)!read(fd, bytes, sizeof bytes);
	fuzz_inside();
}

static void fuzz_reap(void)
{
	pid_t pid;
	int status;

	pid = fuzz_waitpid(&status);
	if (pid)
		hook_ended(fuzz_hook, pid, status);
}

static void fuzz_on_signal(void *ctx)
{
	int k = (int)((const int *)ctx - fuzz_signals);
	sigset_t waiting;

	if (!fuzz_is_raised[k])
		fuzz_wrong("nobody has sent this signal");
	/* In another callback of this turn it may have been sent once more. */
	sigpending(&waiting);
	fuzz_is_raised[k] = sigismember(&waiting, fuzz_signals[k]);
	if (fuzz_signals[k] == SIGCHLD)
		fuzz_reap();
	fuzz_inside();
}

static void fuzz_on_stop(void *ctx)
{
	loop_stop(fuzz_loop, *(int *)ctx);
}

/* ---- a turn ---- */

static void fuzz_check_turn(void)
{
	uint64_t turn = loop_turns(fuzz_loop);

	for (const struct model_timer *m = fuzz_timers; m < fuzz_timers + TIMERS; m++)
		if (m->due && m->due <= fuzz_turn_at && m->since < turn)
			fuzz_wrong("a timer was left out");
	for (const struct model_pair *w = fuzz_pairs; w < fuzz_pairs + PAIRS; w++)
		if (w->is_watched && w->is_ready && !w->is_called && w->since < turn && !fuzz_is_held)
			fuzz_wrong("a descriptor was left out");
	for (int k = 0; k < SIGNALS; k++)
		if (fuzz_is_raised[k] != loop_has_signal(fuzz_loop, fuzz_signals[k]))
			fuzz_wrong("a signal was lost, or comes again");
	if (fuzz_program.pid && !fuzz_program.is_killed && fuzz_turn_at >= fuzz_program.since + LIMIT_MS)
		fuzz_wrong("a program may go on");
	if (fuzz_is_ready && !fuzz_is_called)
		fuzz_first = -2;
}

static void fuzz_turns(bool block, int64_t run_for)
{
	int code = 0, r;

	fuzz_blocks = block || run_for >= 0;
	if (run_for < 0) {
		r = loop_turn(fuzz_loop, block);
	} else {
		code = (int)run_for;
		fuzz_stopper = (struct timer){ .fn = fuzz_on_stop, .ctx = &code };
		timer_set(fuzz_loop, &fuzz_stopper, run_for);
		r = loop_run(fuzz_loop);
		timer_stop(fuzz_loop, &fuzz_stopper);
		if (r >= 0 && r != code)
			fuzz_wrong("it ends with another code");
	}
	if (r >= 0)
		fuzz_check_turn();
}

/* ---- steps ---- */

static void fuzz_open_pair(struct model_pair *w)
{
	int fd[2];

	if (w->fd >= 0)
		close(w->fd);
	if (w->peer >= 0)
		close(w->peer);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) < 0)
		fuzz_wrong(strerror(errno));
	*w = (struct model_pair){ .fd = fd[0], .peer = fd[1] };
}

static void fuzz_do_timer(unsigned k)
{
	struct model_timer *m = &fuzz_timers[k % TIMERS];
	int64_t ms = k >= 128 ? 0 : (int64_t)fuzz_byte() * 4 - 8;

	if (k % 8 == 7) {
		timer_stop(fuzz_loop, &m->t);
		m->due = 0;
		return;
	}
	timer_set(fuzz_loop, &m->t, ms);
	m->due = loop_now(fuzz_loop) + (ms > 0 ? ms : 0);
	m->order = ++fuzz_order;
	m->since = loop_turns(fuzz_loop);
	if (m->t.due != m->due)
		fuzz_wrong("it is due at another time");
}

static short fuzz_events(unsigned k)
{
	return (short)((k & 16 ? POLLIN : 0) | (k & 32 ? POLLOUT : 0));
}

/* A descriptor comes, goes, or other events are asked for. */
static void fuzz_do_watch(unsigned k)
{
	struct model_pair *w = &fuzz_pairs[k % PAIRS];
	short events = fuzz_events(k);

	if (!w->is_watched) {
		if (w->fd < 0 || k & 64)
			fuzz_open_pair(w);
		memory_scarce(k & 64 ? 1 : 0, k & 128 ? 1 : 0);
		w->is_watched = loop_add(fuzz_loop, w->fd, events, fuzz_on_ready, w) == 0;
		if (memory_plenty() == w->is_watched)
			fuzz_wrong("it is watched without memory, or not watched with it");
		w->added = loop_turns(fuzz_loop);
		fuzz_first = -2;
	} else if (k & 128) {
		loop_del(fuzz_loop, w->fd);
		w->is_watched = false;
		fuzz_first = -2;
	} else {
		loop_events(fuzz_loop, w->fd, events);
	}
	w->events = events;
	w->since = loop_turns(fuzz_loop);
}

/* Something happens at the other end. */
static void fuzz_do_peer(unsigned k)
{
	struct model_pair *w = &fuzz_pairs[k % PAIRS];
	char bytes[16];

	if (w->fd < 0)
		return;
	if (k & 128 && w->peer >= 0) {
		close(w->peer);
		w->peer = -1;
	} else if (k & 64) {
		(void)!read(w->fd, bytes, sizeof bytes);
	} else if (w->peer >= 0) {
		(void)!write(w->peer, "x", 1);
	}
}

static void fuzz_do_signal(unsigned k)
{
	fuzz_is_raised[k % SIGNALS] = true;
	raise(fuzz_signals[k % SIGNALS]);
	if (!loop_has_signal(fuzz_loop, fuzz_signals[k % SIGNALS]) ||
	    loop_is_told_to_end(fuzz_loop) != fuzz_is_raised[0])
		fuzz_wrong("a signal is not seen");
}

static void fuzz_do_run(unsigned k)
{
	const char *arg = fuzz_args[k % 4], *pairs = fuzz_lines[k / 4 % 6];
	unsigned times = k >= 250 ? 600 : 1;
	bool is_idle = !hook_is_at_work(fuzz_hook);

	memory_scarce(0, k >= 192 && k < 200 && is_idle ? 1 : 0);
	while (times--) {
		if (fuzz_runs_n == HOOK_QUEUE) {
			fuzz_losses++;
		} else {
			fuzz_runs[(fuzz_runs_at + fuzz_runs_n) % (HOOK_QUEUE + 1)].arg = arg;
			fuzz_runs[(fuzz_runs_at + fuzz_runs_n) % (HOOK_QUEUE + 1)].pairs = pairs;
			fuzz_runs_n++;
		}
		hook_run(fuzz_hook, arg, pairs);
	}
	if (memory_plenty()) {
		/* Without memory it was not run. */
		fuzz_runs_n--;
		fuzz_losses++;
	}
	if (hook_is_at_work(fuzz_hook) != (fuzz_program.pid || fuzz_runs_n))
		fuzz_wrong("a hook is at work and says it is not, or the other way round");
}

static void fuzz_do_end(unsigned k)
{
	if (!fuzz_program.pid)
		return;
	fuzz_program.is_ended = true;
	fuzz_program.status = fuzz_program.is_killed ? SIGKILL : k & 1 ? (int)(k & 0xfe) << 8 : k & 2 ? SIGTERM : 0;
	if (k & 4)
		fuzz_do_signal(3);
	else
		fuzz_reap();
	if (k & 8)
		hook_ended(fuzz_hook, 1, SIGKILL);
}

/* Another runner takes the place of this one, which may wait for its programs before. */
static void fuzz_another_hook(bool finishes)
{
	int64_t begin = fuzz_clock;

	if (finishes) {
		hook_finish(fuzz_hook);
		if (hook_is_at_work(fuzz_hook) && fuzz_clock < begin + HOOK_FINISH_MS &&
		    !loop_is_told_to_end(fuzz_loop))
			fuzz_wrong("it does not wait");
		fuzz_is_raised[0] = loop_has_signal(fuzz_loop, SIGTERM);
		fuzz_losses += fuzz_hook->waiting != 0;
	}
	/* What was not told by then is not. */
	fuzz_losses -= fuzz_hook->dropped.dropped + fuzz_hook->failed.dropped;
	hook_free(fuzz_hook);
	fuzz_program.pid = 0;
	fuzz_runs_n = 0;
	fuzz_hook = hook_new(fuzz_loop, "hook", LIMIT_MS);
}

static void fuzz_do_other(unsigned k)
{
	static const int refusals[] = { 0, ENOMEM, EINTR, EINVAL };
	static const int errors[] = { 0, ENOENT, EAGAIN, EACCES };

	switch (k % 8) {
	case 0: fuzz_refusal = refusals[k / 8 % 4]; break;
	case 1: fuzz_spawn_error = errors[k / 8 % 4]; break;
	case 2: case 3: fuzz_clock += k / 8; break;
	case 4: fuzz_clock += LOG_LIMIT_MS; break;
	case 5:
		fuzz_is_held = k & 8;
		loop_hold(fuzz_loop, fuzz_is_held);
		break;
	case 6:
		if (!fuzz_pairs[k / 8 % PAIRS].is_watched)
			break;
		loop_postpone(fuzz_loop, fuzz_pairs[k / 8 % PAIRS].fd);
		if (fuzz_first == -1)
			fuzz_first = (int)(k / 8 % PAIRS);
		break;
	default:
		if (loop_touch(fuzz_loop) != fuzz_clock)
			fuzz_wrong("it is another time");
	}
}

static void fuzz_step(void)
{
	unsigned step = fuzz_byte(), k = fuzz_byte();

	switch (step % 16) {
	case 0: case 1: case 2: fuzz_do_timer(k); break;
	case 3: case 4: case 5: fuzz_do_watch(k); break;
	case 6: fuzz_do_peer(k); break;
	case 7: fuzz_do_signal(k); break;
	case 8: case 9: fuzz_do_run(k); break;
	case 10: fuzz_do_end(k); break;
	case 11: case 12: fuzz_do_other(k); break;
	case 13:
		if (!fuzz_depth && k % 4 == 0)
			fuzz_another_hook(k & 4);
		break;
	default:
		if (!fuzz_depth)
			fuzz_turns(k & 1, k & 2 ? (int)k / 4 : -1);
	}
}

/* ---- beginning and end ---- */

/* All that went wrong was told, at the latest when the limits of the log have ended. */
static void fuzz_check_told(int console)
{
	for (unsigned k = 0; fuzz_hook->report.due; k++) {
		fuzz_clock += LOG_LIMIT_MS;
		fuzz_turns(false, -1);
		fuzz_read_log(console);
		if (k > 4)
			fuzz_wrong("it is never told");
	}
	if (fuzz_told != fuzz_losses) {
		fprintf(stderr, "%lu losses, %lu are told\n", fuzz_losses, fuzz_told);
		fuzz_wrong("what went wrong is not told");
	}
}

static void fuzz_begin(void)
{
	fuzz_clock = 1000000;
	fuzz_order = fuzz_losses = fuzz_told = 0;
	fuzz_refusal = fuzz_spawn_error = 0;
	fuzz_runs_n = fuzz_depth = 0;
	fuzz_program.pid = 0;
	fuzz_first = -1;
	fuzz_is_held = false;
	fuzz_stopper = (struct timer){ 0 };
	memset(fuzz_is_raised, 0, sizeof fuzz_is_raised);
	fuzz_loop = loop_new();
	fuzz_hook = hook_new(fuzz_loop, "hook", LIMIT_MS);
	for (int k = 0; k < TIMERS; k++)
		fuzz_timers[k] = (struct model_timer){ .t = { .fn = fuzz_on_timer, .ctx = &fuzz_timers[k] } };
	for (int k = 0; k < PAIRS; k++)
		fuzz_pairs[k] = (struct model_pair){ .fd = -1, .peer = -1 };
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static int console[2];
	struct sigaction was[SIGNALS];
	char **own = environ;

	if (!console[1] && pipe2(console, O_CLOEXEC | O_NONBLOCK) < 0)
		fuzz_wrong(strerror(errno));
	fuzz_console = console[1];
	log_open("fuzz", LOG_TO_STDERR);
	for (int k = 0; k < SIGNALS; k++)
		sigaction(fuzz_signals[k], NULL, &was[k]);
	fuzz_at = p;
	fuzz_end = p + n;
	environ = fuzz_environ;
	fuzz_begin();
	for (int k = 0; k < SIGNALS; k++)
		loop_signal(fuzz_loop, fuzz_signals[k], fuzz_on_signal, (void *)(uintptr_t)&fuzz_signals[k]);
	for (unsigned steps = 0; fuzz_at < fuzz_end && steps < STEPS; steps++) {
		fuzz_step();
		fuzz_read_log(console[0]);
	}
	fuzz_at = fuzz_end;
	fuzz_another_hook(true);
	fuzz_read_log(console[0]);
	fuzz_check_told(console[0]);
	hook_free(fuzz_hook);
	loop_free(fuzz_loop);
	environ = own;
	for (int k = 0; k < SIGNALS; k++)
		sigaction(fuzz_signals[k], &was[k], NULL);
	for (int k = 0; k < PAIRS; k++) {
		if (fuzz_pairs[k].fd >= 0)
			close(fuzz_pairs[k].fd);
		if (fuzz_pairs[k].peer >= 0)
			close(fuzz_pairs[k].peer);
	}
	return 0;
}
