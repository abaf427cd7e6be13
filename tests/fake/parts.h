/* SPDX-License-Identifier: ISC
 *
 * What the files of the fake kernel share.
 */
#ifndef TESTS_FAKE_PARTS_H
#define TESTS_FAKE_PARTS_H

#include "lib/buf.h"
#include "tests/fake/kernel.h"
#include "tests/fake/system.h"
#include "tests/fake/table.h"

#define FAKE_LINKS (1 << 16)

/* Sockets of which there is one in each family. */
enum { KIND_MROUTE, KIND_MRDISC, KIND_REPORT, KINDS };
extern const char *const fake_kind_names[KINDS];

#define FAKE_MEMBER_FD 1010

/* Of an interface, as bits. */
enum { FAKE_THERE = 1, FAKE_NO_MULTICAST = 2, FAKE_NO_ADDRESS = 4 };

struct fake_query {
	int ifindex;
	unsigned version;
};

struct fake_state {
	const struct fake_system *system;
	int64_t now;				/* ms */
	bool is_stranger;			/* what is called is no doing of the router */
	bool open[FAM_N], mrdisc[FAM_N], report[FAM_N], link_open, no_pim, quiet;
	unsigned forced[FAM_N];			/* version of reports */
	int vif_if[FAM_N][KERNEL_VIFS];		/* ifindex, 0 = free */
	uint32_t went[FAM_N];			/* numbers whose VIFs went with their interfaces, as bits */
	uint64_t last_serial;			/* of an entry */
	uint32_t any_iifs[FAM_N];		/* that a (*,G) entry has had, as bits */
	struct vif_stats vif_st[FAM_N][KERNEL_VIFS];
	struct table mfc, join, others;		/* others: memberships of other programs */
	struct table waiting;			/* flows whose packets wait for an entry: their number, since when */
	/* Sockets that somebody else holds, or that were handed over, with the memberships of theirs. */
	enum handed { HANDED_NONE, HANDED_HELD, HANDED_OFFERED } handed[KINDS][FAM_N], members;
	struct table aside;
	struct queue unresolved[FAM_N];
	kernel_fd_follow_fn *follow;
	void *follow_ctx;
	bool members_changed;
	uint64_t received;
	uint8_t link[FAKE_LINKS], heard[FAM_N][FAKE_LINKS], advert[FAM_N][FAKE_LINKS];	/* the last one: enum handed */
	struct queue upcalls[FAM_N], links, solicits[FAM_N], queries[FAM_N];
	struct { char verb[20]; int err, times; } fail[16];
	unsigned fail_rate, failed;		/* calls of a thousand; so far */
	uint64_t fail_seed;
	struct buf journal, told;
	int holder_pid;
	char holder[32];
};
extern struct fake_state fake;

/* ---- kernel.c ---- */

/* The errno that a test planned for this call of a verb, else err. */
int fake_planned(const char *verb, int err);

/* Sets errno: 0, or -1.  fake_done() ends the journal's line of a verb with it, too. */
int fake_result(int err);
int fake_done(int err);

#define SAY(...) do { if (!fake.quiet) buf_printf(&fake.journal, __VA_ARGS__); } while (0)
int fake_digit(enum fam fam);
void fake_say_sg(const struct addr *src, const struct addr *grp);	/* src NULL: any */
void fake_say_membership(const char *verb, int ifindex, const struct addr *src, const struct addr *grp);

/* Ends the test when something does not hold that the router guarantees to every system, see kernel_vif_del(); a
 * stranger may do what he likes. */
void fake_must(bool holds, const char *what, enum fam fam, int number);

bool *fake_kind_open(unsigned kind, enum fam fam);
int fake_kind_fd(unsigned kind, enum fam fam);

/* Opens a socket: 1 when it was handed over, otherwise 0, and then whoever follows is told; -1 with errno.  The end of
 * the journal's line. */
int fake_kind_do_open(unsigned kind, enum fam fam, int err);

/* ---- vifs.c ---- */

/* EBADF while a family is closed, else err. */
int fake_if_closed(enum fam fam, int err);

/* The VIF of an interface goes with it. */
void fake_vif_goes(enum fam fam, int vif);

/* ---- entries.c ---- */

/* True when an entry comes in on a VIF or goes out there. */
bool fake_vif_is_named(enum fam fam, int vif);

/* Takes out the entries of a family: those that come in on a VIF, or -1, all. */
void fake_mfc_clear(enum fam fam, int iif);

/* ---- members.c ---- */

void fake_members_go(int ifindex);

#endif
