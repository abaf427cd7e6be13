/* SPDX-License-Identifier: ISC
 *
 * getpwnam(3), getpwuid(3) and getgrnam(3) of the small build: only the files, and
 * of an entry only the ids; and setuid(2) and its kin for a program that has one
 * thread.
 */
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lines.h"

#define FIELDS 4		/* name, password, id, and in passwd(5) the group */

static bool read_id(const char *s, uint32_t *out)
{
	unsigned long long v = strtoull(s, NULL, 10);

	*out = (uint32_t)v;
	return *s && !s[strspn(s, "0123456789")] && v <= UINT32_MAX;
}

/* Finds the line whose field `at` is key: the numbers behind the password, as many as `want`. */
static bool find(const char *file, unsigned at, const char *key, unsigned want, uint32_t *id)
{
	struct lines l;
	char *s, *field[FIELDS];
	bool found = false;

	if (lines_open(&l, file) < 0)
		return false;
	while (!found && (s = lines_next(&l))) {
		unsigned n = 0;

		while (s && n < FIELDS)
			field[n++] = strsep(&s, ":");
		found = n >= 2 + want && !strcmp(field[at], key) && read_id(field[2], &id[0]) &&
			(want < 2 || read_id(field[3], &id[1]));
	}
	lines_close(&l);
	return found;
}

static struct passwd *user(unsigned at, const char *key)
{
	static struct passwd pw;
	uint32_t id[2];

	if (!find("/etc/passwd", at, key, 2, id))
		return NULL;
	pw.pw_uid = id[0];
	pw.pw_gid = id[1];
	return &pw;
}

struct passwd *getpwnam(const char *name)
{
	return user(0, name);
}

struct passwd *getpwuid(uid_t uid)
{
	char text[16];

	snprintf(text, sizeof text, "%u", (unsigned)uid);
	return user(2, text);
}

struct group *getgrnam(const char *name)
{
	static struct group gr;
	uint32_t id;

	if (!find("/etc/group", 0, name, 1, &id))
		return NULL;
	gr.gr_gid = id;
	return &gr;
}

/* Where there are two of them, the one without 32 has ids of 16 bits. */
#ifdef SYS_setresuid32
#define ID(call) SYS_##call##32
#else
#define ID(call) SYS_##call
#endif

int setuid(uid_t uid)
{
	return (int)syscall(ID(setuid), uid);
}

int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	return (int)syscall(ID(setresuid), real, effective, saved);
}

int setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return (int)syscall(ID(setresgid), real, effective, saved);
}

int setgroups(size_t n, const gid_t *groups)
{
	return (int)syscall(ID(setgroups), n, groups);
}
