/* SPDX-License-Identifier: ISC
 *
 * The daemon as a process: any sequence of closed and inherited descriptors, helpers, the step into the background, the
 * verdict for whoever started it, programs, and rights that are given up, in a child of each input.  Each byte is a
 * step, with a byte behind it.
 *
 * The child has a naive model of what is open and permitted; what it finds wrong stands in memory that it shares with
 * the fuzzer, which sees the exit status, and that no process is left.  Coverage does not come back from there, so the
 * fuzzer learns from which steps follow each other.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/priv.h"
#include "lib/proc.h"
#include "lib/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define STEPS 12
#define KINDS 16
#define DESCRIPTORS 64

/* As in include/uapi/linux/capability.h. */
#define FUZZ_SETGID ((enum priv_cap)6)
#define FUZZ_SETUID ((enum priv_cap)7)

/* Shared by all processes of an input. */
static struct {
	char wrong[80];
	int verdict;			/* the exit status that whoever started us is to see */
	pid_t daemon;			/* who goes on after that, or 0 */
} *fuzz_shared;

/* As libFuzzer looks for them (its FuzzerExtraCounters.cpp). */
__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t fuzz_follows[KINDS * KINDS * 4];

static bool fuzz_is_daemon, fuzz_has_status, fuzz_is_helper;
static bool fuzz_permits, fuzz_has, fuzz_rests, fuzz_is_dropped;
static unsigned fuzz_raised;

/* In the child; the first thing that was wrong is kept. */
static _Noreturn void fuzz_wrong(const char *what)
{
	if (!*fuzz_shared->wrong)
		snprintf(fuzz_shared->wrong, sizeof fuzz_shared->wrong, "%s", what);
	_exit(99);
}

static void fuzz_check(bool is_right, const char *what)
{
	if (!is_right)
		fuzz_wrong(what);
}

/* ---- descriptors ---- */

/* FD_CLOEXEC, 0, or -1 when it is not open. */
static void fuzz_look(int flags[DESCRIPTORS])
{
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		flags[fd] = fcntl(fd, F_GETFD);
}

static bool fuzz_is_null(int fd)
{
	struct stat null, st;

	return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
}

/* From 3 on those that are closed on exec, or the others, are closed, but `keep`; nothing else has changed. */
static void fuzz_check_closed(const int was[DESCRIPTORS], int ours, int keep)
{
	int is[DESCRIPTORS];

	fuzz_look(is);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		fuzz_check(is[fd] == (fd > STDERR_FILENO && fd != keep && was[fd] == ours ? -1 : was[fd]),
			   "a descriptor is closed, or not");
}

static void fuzz_open_std(void)
{
	int was[DESCRIPTORS], is[DESCRIPTORS];

	fuzz_look(was);
	fuzz_check(proc_open_std() == 0, "0 to 2 cannot be opened");
	fuzz_look(is);
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (fd > STDERR_FILENO || was[fd] >= 0)
			fuzz_check(is[fd] == was[fd], "another descriptor has changed");
		else
			fuzz_check(is[fd] == 0 && fuzz_is_null(fd), "a descriptor is not what takes everything");
}

static void fuzz_has_left(void)
{
	char cwd[8];

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		fuzz_check(fuzz_is_null(fd) && fcntl(fd, F_GETFD) == 0, "the terminal is still there");
	fuzz_check(getcwd(cwd, sizeof cwd) && !strcmp(cwd, "/"), "the directory is still there");
}

static void fuzz_leave(void)
{
	proc_leave();
	fuzz_has_left();
}

static void fuzz_descriptors(unsigned what, unsigned k)
{
	int was[DESCRIPTORS], fd;

	fuzz_look(was);
	switch (what) {
	case 0:
		close((int)k % 3);
		break;
	case 1:
		fd = open("/dev/null", O_RDWR | (k & 1 ? O_CLOEXEC : 0));
		/* Others may not be known here. */
		if (fd >= DESCRIPTORS)
			close(fd);
		break;
	case 2:
		fuzz_open_std();
		break;
	case 3:
		proc_close_inherited();
		fuzz_check_closed(was, 0, -1);
		break;
	case 4:
		proc_keep_inherited();
		for (fd = STDERR_FILENO + 1; fd < DESCRIPTORS; fd++)
			fuzz_check(fcntl(fd, F_GETFD) != 0, "a program gets what was inherited");
		break;
	default:
		/* Only a helper does that, who has no verdict to give. */
		if (fuzz_is_daemon)
			break;
		proc_close_own((int)k % 16);
		fuzz_check_closed(was, FD_CLOEXEC, (int)k % 16);
	}
}

/* ---- processes ---- */

/* Its exit status, 256 more than the signal that has ended it, or -1: it is no child of ours. */
static int fuzz_wait_for(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

/* A helper says that it is there and ends when it is told; or goes on with the steps in place of this process. */
static void fuzz_helper(unsigned k)
{
	int was[DESCRIPTORS], fd;
	struct pollfd p;
	char byte = 0;
	pid_t pid;

	fuzz_look(was);
	pid = proc_fork(&fd);
	fuzz_check(pid >= 0, "there is no helper");
	if (!pid) {
		if (fd < DESCRIPTORS && !fuzz_is_dropped) {
			was[fd] = FD_CLOEXEC;
			fuzz_check_closed(was, FD_CLOEXEC, fd);
		}
		if (k & 1) {
			fuzz_is_helper = true;
			fuzz_has_status = false;
			return;
		}
		byte = 'y';
		fuzz_check(write(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1, "the parent has gone");
		_exit(byte);
	}
	fuzz_check(fcntl(fd, F_GETFD) == FD_CLOEXEC, "a program gets the pair");
	if (k & 1) {
		fuzz_check(fuzz_wait_for(pid) == 0, "a helper has failed");
		_exit(0);
	}
	fuzz_check(read(fd, &byte, 1) == 1 && byte == 'y', "the helper says nothing");
	p = (struct pollfd){ .fd = proc_watch(pid), .events = POLLIN };
	fuzz_check(p.fd < 0 || poll(&p, 1, 0) == 0, "it is seen to have ended");
	byte = (char)(k >> 2 & 31);
	fuzz_check(write(fd, &byte, 1) == 1, "the helper has gone");
	fuzz_check(p.fd < 0 || poll(&p, 1, 20000) == 1, "it is not seen to have ended");
	fuzz_check(fuzz_wait_for(pid) == byte, "the helper ends with another status");
	close(fd);
	if (p.fd >= 0)
		close(p.fd);
}

/* The rest is done by the daemon; what it says is what the fuzzer sees. */
static void fuzz_daemonize(void)
{
	pid_t was = getpid();

	/* A helper's end is no verdict, and a daemon is one already. */
	if (fuzz_is_daemon || fuzz_is_helper)
		return;
	/* As the daemon does before it opens anything: what it opens must not be one of them. */
	fuzz_open_std();
	fuzz_shared->verdict = EXIT_SYSTEM;
	fuzz_check(proc_daemonize() == 0, "it does not go to the background");
	fuzz_shared->daemon = getpid();
	alarm(20);
	fuzz_check(getpid() != was && getsid(0) == getpid(), "it has no session of its own");
	fuzz_is_daemon = fuzz_has_status = true;
}

/* The last that is said counts, also when nobody is left to say more. */
static void fuzz_ready(unsigned k)
{
	int status = k & 1 ? 0 : EXIT_USAGE + (int)k % 8;

	if (k >= 224) {
		proc_leave_verdict();
		fuzz_has_status = false;
		return;
	}
	if (fuzz_has_status)
		fuzz_shared->verdict = status;
	proc_ready(status);
	if (fuzz_has_status && !status) {
		fuzz_has_left();
		fuzz_has_status = false;
	}
}

static void fuzz_spawn(unsigned k)
{
	char code[16], *argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, code, NULL }, *env[] = { NULL };
	sigset_t set;
	siginfo_t end;
	pid_t pid;

	snprintf(code, sizeof code, "exit %u", k % 64);
	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (k & 128) {
		/* Some libc only knows in the child. */
		if (proc_spawn(&pid, "/nonexistent/program", NULL, k & 64, argv, env) == 0)
			fuzz_check(fuzz_wait_for(pid) == 127, "what is not there was run");
	} else {
		fuzz_check(proc_spawn(&pid, "/bin/sh", NULL, k & 64, argv, env) == 0, "no program is run");
		fuzz_check(waitid(P_PID, (id_t)pid, &end, WEXITED | WNOWAIT) == 0, "a program is lost");
		fuzz_check((getpgid(pid) == pid) == !!(k & 64), "it has a group that nobody asked for, or none");
		fuzz_check(fuzz_wait_for(pid) == (int)k % 64, "it ends with another status");
	}
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void fuzz_limit(unsigned k)
{
	struct rlimit r;
	int fd;

	getrlimit(RLIMIT_NOFILE, &r);
	if (k & 1) {
		/* Nothing is begun that there is no descriptor for. */
		r.rlim_cur = 0;
		setrlimit(RLIMIT_NOFILE, &r);
		fuzz_check(proc_fork(&fd) < 0 && errno == EMFILE, "a helper has no pair");
		fuzz_check(proc_daemonize() < 0 && errno == EMFILE, "nobody waits for the verdict");
	}
	r.rlim_cur = 64 + k < r.rlim_max ? 64 + k : r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	fuzz_check(proc_raise_descriptors() == r.rlim_max, "it is told another limit");
	getrlimit(RLIMIT_NOFILE, &r);
	fuzz_check(r.rlim_cur == r.rlim_max, "the limit is lower");
}

static void fuzz_names(void)
{
	char name[32];
	const char *program;

	proc_seal();
	program = proc_program();
	fuzz_check(program && *program == '/', "the program has no path");
	fuzz_check(proc_name(getpid(), name, sizeof name) && *name, "this process has no name");
	fuzz_check(!proc_name(0, name, sizeof name), "there is a process 0");
}

/* ---- rights ---- */

static void fuzz_rights(unsigned k)
{
	struct priv_id id = { geteuid(), getegid() };
	bool for_hook = k & 16, may_change = priv_has(FUZZ_SETGID) && priv_has(FUZZ_SETUID);

	if (k & 32 && may_change)
		id = (struct priv_id){ 65534, 65534 };
	switch (k % 6) {
	case 0:
		fuzz_check(priv_set(PRIV_NET_ADMIN, k & 64) == fuzz_has, "what was in effect before is told wrongly");
		fuzz_has = k & 64 && fuzz_permits;
		break;
	case 1:
		fuzz_check(priv_rest() == 0, "it cannot rest");
		fuzz_rests = true;
		fuzz_has = false;
		break;
	case 2:
		priv_raise();
		fuzz_raised += fuzz_rests;
		if (fuzz_rests && fuzz_raised == 1)
			fuzz_has = fuzz_permits;
		break;
	case 3:
		if (fuzz_rests && !fuzz_raised)
			break;
		priv_lower();
		fuzz_raised -= fuzz_rests;
		if (fuzz_rests && !fuzz_raised)
			fuzz_has = false;
		break;
	case 4:
		fuzz_check(priv_shed(for_hook) == 0, "it keeps its rights");
		fuzz_has = fuzz_permits = for_hook && fuzz_permits;
		break;
	default:
		/* Whoever has other groups, and may not change them, stays as he is, and ends. */
		if (priv_drop(&id, for_hook) < 0) {
			fuzz_check(!may_change, "it stays who it is");
			_exit(0);
		}
		fuzz_check(priv_is_id(&id) && getuid() == id.uid, "it is somebody else");
		fuzz_has = fuzz_permits = for_hook && fuzz_permits;
		fuzz_is_dropped = true;
	}
	fuzz_check(priv_has(PRIV_NET_ADMIN) == fuzz_has, "it has a right that the model has not, or lacks one");
}

/* "USER[:GROUP]" of numbers and names, some of which are none. */
static void fuzz_lookup(unsigned k)
{
	static const char *const words[] = { "0", "root", "4294967294", "4294967295", "no-such-name", "", "-1", "77" };
	static const int64_t ids[] = { 0, 0, 4294967294, -1, -1, -1, -1, 77 };
	unsigned user = k % 8, group = k / 8 % 8;
	bool has_group = k & 64, is_good;
	struct priv_id id = { 5, 5 };
	char spec[64];

	snprintf(spec, sizeof spec, "%s%s%s", words[user], has_group ? ":" : "", has_group ? words[group] : "");
	is_good = ids[user] >= 0 && (!has_group || ids[group] >= 0);
	/* A system need not know root by its name. */
	errno = 0;
	if (priv_lookup(spec, &id) == 0)
		fuzz_check(is_good && id.uid == (uid_t)ids[user] &&
			   (!has_group || id.gid == (gid_t)ids[group]), "it is another one");
	else
		fuzz_check(errno == ENOENT && (!is_good || strstr(spec, "root")), "nobody has this name");
}

/* ---- steps ---- */

static void fuzz_step(unsigned what, unsigned k)
{
	if (what < 6 && !fuzz_is_dropped)
		fuzz_descriptors(what, k);
	else if (what == 6)
		fuzz_leave();
	else if (what == 7)
		fuzz_helper(k);
	else if (what == 8)
		fuzz_daemonize();
	else if (what == 9)
		fuzz_ready(k);
	else if (what == 10 && k < 64)
		fuzz_spawn(k * 4 + k / 16);
	else if (what == 11)
		fuzz_limit(k);
	else if (what == 12)
		fuzz_names();
	else if (what == 13)
		fuzz_lookup(k);
	else if (what > 13)
		fuzz_rights(k);
}

static _Noreturn void fuzz_child(const uint8_t *p, size_t n)
{
	signal(SIGALRM, SIG_DFL);
	alarm(20);
	proc_close_inherited();
	fuzz_has = priv_has(PRIV_NET_ADMIN);
	/* What is permitted can be put in effect. */
	priv_set(PRIV_NET_ADMIN, true);
	fuzz_permits = priv_has(PRIV_NET_ADMIN);
	priv_set(PRIV_NET_ADMIN, fuzz_has);
	for (unsigned i = 0; i + 1 < n && i / 2 < STEPS; i += 2)
		fuzz_step(p[i] % KINDS, p[i + 1]);
	_exit(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	unsigned before = 0;
	int status, end;
	pid_t pid;

	if (!fuzz_shared) {
		void *page = mmap(NULL, sizeof *fuzz_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			abort();
		fuzz_shared = page;
		/* Whoever is left by his parent is ours, and is seen to end. */
		proc_adopt_orphans();
	}
	for (unsigned i = 0; i + 1 < n && i / 2 < STEPS; i += 2) {
		unsigned what = p[i] % KINDS;

		fuzz_follows[(before * KINDS + what) * 4 + p[i + 1] / 64]++;
		before = what;
	}
	memset(fuzz_shared, 0, sizeof *fuzz_shared);
	pid = fork();
	if (pid < 0)
		abort();
	if (!pid)
		fuzz_child(p, n);
	status = fuzz_wait_for(pid);
	/* All others end before those two.  A sanitizer may have a child of its own, which does not end. */
	end = fuzz_shared->daemon ? fuzz_wait_for(fuzz_shared->daemon) : 0;
	if (*fuzz_shared->wrong || status != fuzz_shared->verdict || end > 0) {
		fprintf(stderr, "%s: %d, not %d, %d at the end\n", *fuzz_shared->wrong ? fuzz_shared->wrong :
			"it ends with a status", status, fuzz_shared->verdict, end);
		abort();
	}
	return 0;
}
