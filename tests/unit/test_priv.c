/* SPDX-License-Identifier: ISC
 *
 * Privileges, really given up in children of this test.  What needs root is left
 * out, with a remark, where the test has not the rights to try it.
 */
#include "lib/priv.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/pidfile.h"
#include "tests/unit/test.h"

static const struct priv_id nobody = { 65534, 65534 };

static int in_child(int (*fn)(void))
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(20);
		_exit(fn());
	}
	CHECK_INT(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void lookup(void)
{
	struct priv_id id;
	static const char *const bad[] = {
		"", ":", ":0", "0:", "no-such-user", "0:no-such-group", "-1", "4294967295",
		"0:4294967295", "99999999999999999999", "1x", "0:0:0",
	};

	for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
		errno = 0;
		CHECK_INT(priv_lookup(bad[i], &id), -1);
		CHECK_INT(errno, ENOENT);
	}
	CHECK_INT(priv_lookup("root", &id), 0);
	CHECK(id.uid == 0 && id.gid == 0);
	CHECK_INT(priv_lookup("root:root", &id), 0);
	CHECK(id.uid == 0 && id.gid == 0);
	CHECK_INT(priv_lookup("0:12345", &id), 0);
	CHECK(id.uid == 0 && id.gid == 12345);
	CHECK_INT(priv_lookup("3456789", &id), 0);
	CHECK(id.uid == 3456789 && id.gid == 3456789);
	CHECK_INT(priv_lookup("4294967294:1", &id), 0);
	CHECK(id.uid == 4294967294u && id.gid == 1);
}

/* One field of /proc/self/status as a number of base 16. */
static unsigned long long status_field(const char *name)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long long v = ~0ull;
	size_t n = strlen(name);

	while (f && fgets(line, sizeof line, f))
		if (!strncmp(line, name, n) && line[n] == ':')
			v = strtoull(line + n + 1, NULL, 16);
	if (f)
		fclose(f);
	return v;
}

static bool caps_are(unsigned long long want)
{
	return status_field("CapEff") == want && status_field("CapPrm") == want &&
	       status_field("CapInh") == want && status_field("CapAmb") == want;
}

/* May this process become somebody else at all? */
static int may_switch(void)
{
	return setgroups(0, NULL) < 0 || setresgid(65534, 65534, 65534) < 0 ||
	       setresuid(65534, 65534, 65534) < 0;
}

/* Those of a set of bits that this process may use. */
static unsigned long long permitted(unsigned long long of)
{
	return status_field("CapPrm") & of;
}

#define FOR_HOOK (1ull << PRIV_NET_ADMIN | 1ull << PRIV_NET_RAW)

static int drop_all(void)
{
	if (priv_drop(&nobody, false) < 0)
		return 1;
	if (getuid() != 65534 || geteuid() != 65534 || getgid() != 65534 || getgroups(0, NULL))
		return 2;
	if (!caps_are(0) || priv_has(PRIV_NET_ADMIN) || priv_has(PRIV_NET_RAW))
		return 3;
	if (!setuid(0) || !setgid(0))
		return 4;
	return priv_drop(&nobody, true) < 0;	/* again: nothing left to do */
}

/* The kept capabilities must reach a program that is started. */
static int drop_for_hook(void)
{
	unsigned long long want = permitted(FOR_HOOK);
	char cmd[128];

	if (priv_drop(&nobody, true) < 0)
		return 1;
	if (!caps_are(want))
		return 2;
	if (!setuid(0))
		return 3;
	snprintf(cmd, sizeof cmd, "test \"$(grep CapEff /proc/self/status)\" = \"CapEff:\t%016llx\"",
		 want);
	execl("/bin/sh", "sh", "-c", cmd, (char *)NULL);
	return 4;
}

static int shed(void)
{
	uid_t uid = getuid();
	unsigned long long want = permitted(FOR_HOOK);

	if (priv_shed(true) < 0 || !caps_are(want))
		return 1;
	if (priv_shed(false) < 0 || !caps_are(0))
		return 2;
	return getuid() == uid ? 0 : 3;
}

/* What is permitted stays so, and is in effect between the outer pair alone. */
static int rest(void)
{
	unsigned long long all = status_field("CapPrm"), before = status_field("CapEff");

	priv_raise();
	priv_lower();
	if (status_field("CapEff") != before)
		return 1;
	if (priv_rest() < 0 || status_field("CapEff"))
		return 2;
	priv_raise();
	priv_raise();
	priv_lower();
	errno = ERANGE;
	if (status_field("CapEff") != all)
		return 3;
	priv_lower();
	if (status_field("CapEff") || errno != ERANGE)
		return 4;
	return status_field("CapPrm") == all ? 0 : 5;
}

static int cannot_drop(void)
{
	struct priv_id other = { getuid() + 1, getgid() + 1 };

	if (priv_shed(false) < 0)
		return 1;
	return priv_drop(&other, false) < 0 ? 0 : 2;
}

static void shedding(void)
{
	NEED_PROC();
	CHECK_INT(in_child(shed), 0);
	CHECK_INT(in_child(rest), 0);
	CHECK_INT(in_child(cannot_drop), 0);
}

static void dropping(void)
{
	NEED_PROC();
	if (in_child(may_switch)) {
		printf("# left out: needs the right to change uid and groups\n");
		return;
	}
	CHECK_INT(in_child(drop_all), 0);
	CHECK_INT(in_child(drop_for_hook), 0);
}

TEST_MAIN(
	TEST(lookup)
	TEST(shedding)
	TEST(dropping)
)
