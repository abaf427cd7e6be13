/* SPDX-License-Identifier: ISC */
/*
 * A machine made of a FreeBSD kernel and one program, which is its process 1: interfaces whose wire is a file
 * descriptor (tap(4)), frames sent into one and counted as they come out of others, results as TAP on the console.
 */
#ifndef VM_LAB_H
#define VM_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lab_tap {
	int fd;			/* the wire */
	char name[16];
	unsigned index;		/* as if_nametoindex() */
	char addr4[16];		/* 10.N.0.1 */
	char addr6[40];		/* fd00:N::1 */
};

/* Takes the console and mounts a tmpfs on /tmp and /var/run: the kernel has mounted /dev. */
void lab_start(void);
/* Prints the plan and turns the machine off: does not return. */
void lab_end(void) __attribute__((noreturn));

/* One line of TAP, with what was seen when it is not as it should be. */
void lab_check(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A figure for the reader. */
void lab_measured(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Makes tapN, up, with both families; unit is less than 250.  Ends the machine when it cannot. */
void lab_tap_make(struct lab_tap *tap, int unit);
/* Its wire is cut and the interface destroyed. */
void lab_tap_destroy(struct lab_tap *tap);
/* Sets it up or down. */
void lab_tap_set(const struct lab_tap *tap, bool up);
/* Gives it another name; 0 or an errno. */
int lab_tap_rename(struct lab_tap *tap, const char *name);
/* Packets that left and that we had not read in time: so many wait, net.link.ifqmaxlen, which run.sh sets. */
long lab_tap_drops(const struct lab_tap *tap);
/* A sysctl that holds an int; 0 or an errno. */
int lab_sysctl(const char *name, int value);

/* n UDP packets of the family (4 or 6) with this TTL, as if a host had sent them on this wire. */
void lab_send(const struct lab_tap *tap, int family, const char *source, const char *group, int ttl, int n);

struct lab_seen {
	int packets;		/* UDP to the group */
	int ttl;		/* of the last one */
	int reports;		/* IGMPv3 or MLDv2 reports, of any group */
	int mrdisc;		/* advertisements of RFC 4286 */
	int options;		/* the last advertisement had an IP header of six words, or a hop-by-hop header */
};

/* Reads what came out of the wire until want packets to the group were there, or reports or advertisements when group
 * is NULL, then as long as more come within 100 ms; at most ms milliseconds. */
struct lab_seen lab_see(const struct lab_tap *tap, int family, const char *group, int want, int ms);
/* Forgets what came out so far. */
void lab_drain(const struct lab_tap *tap);
/* Milliseconds of a clock that only goes on. */
int64_t lab_now(void);

#endif
