/* SPDX-License-Identifier: ISC
 *
 * A kernel in memory: every verb of kernel.h (of probe.h: probe.c), with the state rules and errno values of Linux, or
 * of FreeBSD, linked in place of kernel/OS.  It journals what changes it and answers in constant time, for tests and
 * for benchmarks of 100,000 rules.  Here are the journal, failures to order and sockets as such; verbs have a file for
 * each kind.
 */
#include "tests/fake/parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/sources.h"

struct fake_state fake = { .system = &fake_linux };

const char *const fake_kind_names[KINDS] = { "mroute", "mrdisc", "report" };

/* ---- journal and failures ---- */

static void fail_note(const char *verb, int err, int times)
{
	for (unsigned i = 0; i < sizeof fake.fail / sizeof *fake.fail; i++)
		if (!strcmp(fake.fail[i].verb, verb))
			fake.fail[i].times = 0;
	for (unsigned i = 0; i < sizeof fake.fail / sizeof *fake.fail; i++) {
		if (fake.fail[i].times)
			continue;
		strncpy(fake.fail[i].verb, verb, sizeof fake.fail[i].verb - 1);
		fake.fail[i].err = err;
		fake.fail[i].times = times;
		return;
	}
	abort();
}

int fake_planned(const char *verb, int err)
{
	for (unsigned i = 0; i < sizeof fake.fail / sizeof *fake.fail; i++) {
		if (!fake.fail[i].times || strcmp(fake.fail[i].verb, verb))
			continue;
		if (fake.fail[i].times > 0)
			fake.fail[i].times--;
		return fake.fail[i].err;
	}
	/* As Knuth has it in MMIX. */
	fake.fail_seed = fake.fail_seed * 6364136223846793005u + 1442695040888963407u;
	if (fake.fail_seed >> 33 > ((UINT64_C(1) << 31) / 1000) * fake.fail_rate || !fake.fail_rate)
		return err;
	fake.failed++;
	return ENOMEM;
}

unsigned fake_fail_some(unsigned per_thousand, uint64_t seed)
{
	unsigned failed = fake.failed;

	fake.fail_rate = per_thousand;
	fake.fail_seed = seed;
	fake.failed = 0;
	return failed;
}

int fake_result(int err)
{
	errno = err;
	return err ? -1 : 0;
}

int fake_done(int err)
{
	if (!fake.quiet) {
		if (err)
			buf_printf(&fake.journal, " = %s", errno_name(err));
		buf_chr(&fake.journal, '\n');
	}
	return fake_result(err);
}

int fake_digit(enum fam fam)
{
	return fam == FAM_4 ? 4 : 6;
}

void fake_say_sg(const struct addr *src, const struct addr *grp)
{
	char s[ADDR_STRLEN], g[ADDR_STRLEN];

	SAY("(%s,%s)", src ? addr_str(src, s) : "*", addr_str(grp, g));
}

void fake_must(bool holds, const char *what, enum fam fam, int number)
{
	if (holds || fake.is_stranger)
		return;
	fflush(stdout);
	fprintf(stderr, "fake kernel: number %d of %s %s\n", number, fam_str(fam), what);
	abort();
}

bool *fake_kind_open(unsigned kind, enum fam fam)
{
	return kind == KIND_MROUTE ? &fake.open[fam] : kind == KIND_MRDISC ? &fake.mrdisc[fam] : &fake.report[fam];
}

int fake_kind_fd(unsigned kind, enum fam fam)
{
	static const int first[KINDS] = { 1000, 1003, 1005 };

	return *fake_kind_open(kind, fam) ? first[kind] + (int)fam : -1;
}

int fake_kind_do_open(unsigned kind, enum fam fam, int err)
{
	bool is_adopted = fake.handed[kind][fam] == HANDED_OFFERED;
	char name[KERNEL_FDNAME];

	if (is_adopted)
		SAY(" as it is");
	if (fake_done(err) < 0)
		return -1;
	*fake_kind_open(kind, fam) = true;
	fake.handed[kind][fam] = HANDED_NONE;
	snprintf(name, sizeof name, "%s%d", fake_kind_names[kind], fake_digit(fam));
	if (fake.follow && !is_adopted)
		fake.follow(fake.follow_ctx, name, fake_kind_fd(kind, fam), true);
	return is_adopted;
}

void fake_say_membership(const char *verb, int ifindex, const struct addr *src,
			   const struct addr *grp)
{
	if (fake.quiet)
		return;
	SAY("%s%d if%d ", verb, fake_digit(addr_fam(grp)), ifindex);
	fake_say_sg(src, grp);
}

/* ---- what tests call ---- */

void fake_reset(void)
{
	struct table *tables[] = { &fake.mfc, &fake.join, &fake.others, &fake.aside, &fake.waiting };
	struct queue *queues[] = {
		&fake.upcalls[0], &fake.upcalls[1], &fake.links, &fake.solicits[0], &fake.solicits[1],
		&fake.queries[0], &fake.queries[1], &fake.unresolved[0], &fake.unresolved[1],
	};

	for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++) {
		free(tables[i]->v);
		hash_free(&tables[i]->index);
	}
	for (unsigned i = 0; i < sizeof queues / sizeof *queues; i++)
		free(queues[i]->v);
	buf_free(&fake.journal);
	buf_free(&fake.told);
	sources_forget();
	memset(&fake, 0, sizeof fake);
	fake.system = &fake_linux;
}

const char *fake_journal(void)
{
	struct buf b = fake.told;

	fake.told = fake.journal;
	fake.journal = b;
	buf_consume(&fake.journal, fake.journal.len);
	return buf_cstr(&fake.told);
}

void fake_journal_on(bool on) { fake.quiet = !on; }
void fake_fail(const char *verb, int err, int times) { fail_note(verb, err, times); }
void fake_be_freebsd(void) { fake.system = &fake_freebsd; }
bool fake_is_freebsd(void) { return fake.system == &fake_freebsd; }
void fake_stranger(bool on) { fake.is_stranger = on; }
void fake_set_pim(bool has) { fake.no_pim = !has; }
void fake_push_upcall(const struct upcall *up) { queue_push(&fake.upcalls[up->fam], up, sizeof *up); }
void fake_push_link(const struct link_event *ev) { queue_push(&fake.links, ev, sizeof *ev); }
void fake_push_solicit(enum fam f, int ifindex) { queue_push(&fake.solicits[f], &ifindex, sizeof ifindex); }

void fake_push_query(enum fam f, int ifindex, unsigned version)
{
	queue_push(&fake.queries[f], &(struct fake_query){ ifindex, version }, sizeof(struct fake_query));
}

void fake_force_report(enum fam f, unsigned version) { fake.forced[f] = version; }
