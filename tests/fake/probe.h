/* SPDX-License-Identifier: ISC
 *
 * What the verbs of kernel/probe.h answer where there is no kernel: a test fills it in.
 */
#ifndef TESTS_FAKE_PROBE_H
#define TESTS_FAKE_PROBE_H

#include "kernel/probe.h"

#define FAKE_PROBE_MAX 32

struct fake_probe {
	struct probe_link links[FAKE_PROBE_MAX];
	unsigned nlinks;
	tristate taken[FAM_N];
	int8_t rp_all;
	struct probe_vif vifs[FAM_N][FAKE_PROBE_MAX];
	int nvifs[FAM_N];			/* -1: none in this kernel */
	struct probe_mfc mfc[FAKE_PROBE_MAX];
	unsigned nmfc;
	bool is_unseen[FAM_N];			/* this kernel does not tell entries of the family */
	uint64_t grows;				/* what each of its packet counters has more at each call */
	bool has_tables;
	uint32_t table;				/* of all interfaces, with has_tables */
	struct probe_route route;
	bool lacks_way_out;			/* of all groups and interfaces */
	struct probe_counters counters;
	struct probe_support support[FAM_N];
	tristate netns_ours;
	bool is_member;				/* of 225.1.2.3 on all interfaces */
	struct probe_sniffed sniffed[FAKE_PROBE_MAX];	/* packets, once all of them */
	unsigned nsniffed;			/* 0: they are not to be seen */
	unsigned drains;			/* calls of probe_sniff_drain(): three of each sample */
	unsigned mfc_reads;			/* calls of probe_mfc(): one of each sample */
	unsigned readings, slow_at;		/* of anything; the one before which the program waits, 0 = none: */
	uint64_t slow;				/* packets that pass meanwhile */
	uint64_t passes[3];			/* packets of the first entry that go from wire to wire, and are counted
						 * everywhere: between any two readings of the first sample, between the
						 * samples, between any two of the second one; SIGINT is
						 * caught once that has begun */
	uint64_t busy;				/* more, while the second reading of entries waits */
	bool is_filtered;			/* of two outputs the last one sends none: mcast_out has the other's */
	bool is_own;				/* the source of the first entry is an address of this host */
	uint64_t passed[SNIFF_STATIONS];	/* of them: not read yet */
	long long sysctl, nofile;		/* all sysctls */
	int nft_errno;				/* not 0: the rules cannot be read */
	struct probe_chain chains[FAKE_PROBE_MAX];	/* that stop every packet */
	unsigned nchains;
	bool heeds_allmulti;
	struct probe_mdb mdb[FAKE_PROBE_MAX];
	unsigned nmdb;
};

extern struct fake_probe fake_probe;

/* A host without interfaces on which everything may be seen and nothing is in the way. */
void fake_probe_reset(void);

/* Adds an interface that is up; rp_filter 0. */
struct probe_link *fake_probe_link(int ifindex, const char *name);

#endif
