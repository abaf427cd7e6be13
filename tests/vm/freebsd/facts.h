/* SPDX-License-Identifier: ISC */
/*
 * The kernel's calls for multicast routing, as FreeBSD has them, one function each: they return 0 or an errno.
 * Sources: netinet/ip_mroute.h, netinet6/ip6_mroute.h, multicast(4).
 */
#ifndef VM_FACTS_H
#define VM_FACTS_H

#include <sys/types.h>

#include "lab.h"

enum { FACTS_TAPS = 4 };

extern struct lab_tap facts_tap[FACTS_TAPS];

struct facts_entry {
	const char *source, *group;
	unsigned parent;
	uint32_t outputs;	/* a bit an interface */
};
struct facts_upcall {
	int type, vif, bytes;	/* type -1: none came */
	uint8_t source[16];	/* IPv6 */
};
struct facts_counts {
	unsigned long packets, wrong;
};

/* A routing socket, to be closed by the caller, or minus an errno. */
int facts_open4(void);
int facts_open6(void);
int facts_vif_add4(int s, unsigned vif, const char *addr);
int facts_vif_add6(int s, unsigned mif, unsigned ifindex);
int facts_vif_del4(int s, unsigned vif);
int facts_vif_del6(int s, unsigned mif);
int facts_add4(int s, const struct facts_entry *e);
int facts_add6(int s, const struct facts_entry *e);
int facts_del4(int s, const struct facts_entry *e);
int facts_del6(int s, const struct facts_entry *e);
/* Zeros when there is none. */
struct facts_counts facts_counts4(int s, const struct facts_entry *e);
struct facts_counts facts_counts6(int s, const struct facts_entry *e);
/* The next upcall within ms; what else comes on the socket is passed over. */
struct facts_upcall facts_upcall(int s, int family, int ms);
/* Reads what waits on a socket. */
void facts_ignore(int s);

/* Memberships: what reaches the wire, the bound of sources, an interface that goes. */
void facts_joins(void);
/* The daemon, when it is in the machine as /bin/smcrouted. */
void daemon_cases(void);
/* Keeper, upgrade, takeover, another user, a flood, many sources, -H and doctor. */
void life_cases(void);

/* smcroute-check doctor. */
void doctor_cases(void);

/* Storms of events. */
void storm_cases(void);

/* Where daemon_start() sends what its program prints, NULL: to the console. */
extern const char *daemon_output;
/* Writes the configuration, /tmp/c. */
bool daemon_write(const char *conf);
/* Runs a program; words are parted by blanks. */
pid_t daemon_start(const char *words);
/* Waits at most ms: the exit status, 128 and the signal, or -1. */
int daemon_end(pid_t pid, int ms);
/* Both; what does not end is killed. */
int daemon_run(const char *words);
/* None of the packets of both families to tap1 may be lost while `happens`, which must not wait, does its work.
 * daemon_flows() has made their entries. */
void gap_case(const char *what, void (*happens)(void));
/* True when the output of a program has a text; its status goes to *status. */
bool daemon_says(const char *words, const char *text, int *status);
/* True when the daemon has a source of the link blocked, fe80::9 to ff05::2:9 on tap0, and so many packets counted; the
 * other one sends such, one after the other, until it has. */
bool daemon_has_link(int packets);
bool daemon_learns_link(int packets);
/* Until 5 of 5 packets come out of each tap of a bitmap, and none of the others; false after some seconds. */
bool daemon_flows(int family, const char *group, unsigned taps);

#endif
