/* SPDX-License-Identifier: ISC
 *
 * A kernel in memory: every verb of kernel.h (of probe.h: probe.c), with Linux's state rules and errno
 * values, linked in place of kernel/linux.  It journals
 * what changes it and answers in constant time, for tests and for benchmarks of
 * 100,000 rules.
 */
#include "tests/fake/kernel.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "tests/fake/table.h"

#define LINKS (1 << 16)

/* Sockets of which there is one in each family. */
enum { KIND_MROUTE, KIND_MRDISC, KIND_REPORT, KINDS };
static const char *const kind_names[KINDS] = { "mroute", "mrdisc", "report" };

#define FAKE_MEMBER_FD 1010

static struct {
	bool open[FAM_N], mrdisc[FAM_N], report[FAM_N], link_open, no_pim, is_freebsd, quiet;
	unsigned forced[FAM_N];			/* version of reports */
	int vif_if[FAM_N][KERNEL_VIFS];		/* ifindex, 0 = free */
	uint64_t last_serial;			/* of an entry */
	struct vif_stats vif_st[FAM_N][KERNEL_VIFS];
	struct table mfc, join, others;		/* others: memberships of other programs */
	/* Sockets that somebody else holds, or that were handed over, with the memberships of theirs. */
	enum handed { HANDED_NONE, HANDED_HELD, HANDED_OFFERED } handed[KINDS][FAM_N], members;
	struct table aside;
	struct queue unresolved[FAM_N];
	kernel_fd_follow_fn *follow;
	void *follow_ctx;
	bool members_changed;
	uint64_t received;
	uint8_t link[LINKS], heard[FAM_N][LINKS], advert[FAM_N][LINKS];	/* the last one: enum handed */
	struct queue upcalls[FAM_N], links, solicits[FAM_N], queries[FAM_N];
	struct { char verb[20]; int err, times; } fail[16];
	unsigned fail_rate, failed;		/* calls of a thousand; so far */
	uint64_t fail_seed;
	struct buf journal, told;
	int holder_pid;
	char holder[32];
} k;

/* ---- journal and failures ---- */

static void fail_note(const char *verb, int err, int times)
{
	for (unsigned i = 0; i < sizeof k.fail / sizeof *k.fail; i++)
		if (!strcmp(k.fail[i].verb, verb))
			k.fail[i].times = 0;
	for (unsigned i = 0; i < sizeof k.fail / sizeof *k.fail; i++) {
		if (k.fail[i].times)
			continue;
		strncpy(k.fail[i].verb, verb, sizeof k.fail[i].verb - 1);
		k.fail[i].err = err;
		k.fail[i].times = times;
		return;
	}
	abort();
}

/* The errno that a test planned for this call, else err. */
static int planned(const char *verb, int err)
{
	for (unsigned i = 0; i < sizeof k.fail / sizeof *k.fail; i++) {
		if (!k.fail[i].times || strcmp(k.fail[i].verb, verb))
			continue;
		if (k.fail[i].times > 0)
			k.fail[i].times--;
		return k.fail[i].err;
	}
	/* As Knuth has it in MMIX. */
	k.fail_seed = k.fail_seed * 6364136223846793005u + 1442695040888963407u;
	if (k.fail_seed >> 33 > ((UINT64_C(1) << 31) / 1000) * k.fail_rate || !k.fail_rate)
		return err;
	k.failed++;
	return ENOMEM;
}

unsigned fake_fail_some(unsigned per_thousand, uint64_t seed)
{
	unsigned failed = k.failed;

	k.fail_rate = per_thousand;
	k.fail_seed = seed;
	k.failed = 0;
	return failed;
}

static int result(int err)
{
	errno = err;
	return err ? -1 : 0;
}

/* Ends the journal line of a verb with its outcome. */
static int done(int err)
{
	if (!k.quiet) {
		if (err)
			buf_printf(&k.journal, " = %s", errno_name(err));
		buf_chr(&k.journal, '\n');
	}
	return result(err);
}

#define SAY(...) do { if (!k.quiet) buf_printf(&k.journal, __VA_ARGS__); } while (0)

static int fam_digit(enum fam fam)
{
	return fam == FAM_4 ? 4 : 6;
}

static void say_sg(const struct addr *src, const struct addr *grp)
{
	char s[ADDR_STRLEN], g[ADDR_STRLEN];

	SAY("(%s,%s)", src ? addr_str(src, s) : "*", addr_str(grp, g));
}

static bool *kind_open(unsigned kind, enum fam fam)
{
	return kind == KIND_MROUTE ? &k.open[fam] : kind == KIND_MRDISC ? &k.mrdisc[fam] : &k.report[fam];
}

static int kind_fd(unsigned kind, enum fam fam)
{
	static const int first[KINDS] = { 1000, 1003, 1005 };

	return *kind_open(kind, fam) ? first[kind] + (int)fam : -1;
}

/* Opens a socket: 1 when it was handed over, otherwise 0, and then whoever follows is told; -1 with errno.  The end of
 * the journal's line. */
static int kind_do_open(unsigned kind, enum fam fam, int err)
{
	bool is_adopted = k.handed[kind][fam] == HANDED_OFFERED;
	char name[KERNEL_FDNAME];

	if (is_adopted)
		SAY(" as it is");
	if (done(err) < 0)
		return -1;
	*kind_open(kind, fam) = true;
	k.handed[kind][fam] = HANDED_NONE;
	snprintf(name, sizeof name, "%s%d", kind_names[kind], fam_digit(fam));
	if (k.follow && !is_adopted)
		k.follow(k.follow_ctx, name, kind_fd(kind, fam), true);
	return is_adopted;
}

static void say_membership(const char *verb, int ifindex, const struct addr *src,
			   const struct addr *grp)
{
	if (k.quiet)
		return;
	SAY("%s%d if%d ", verb, fam_digit(addr_fam(grp)), ifindex);
	say_sg(src, grp);
}

/* ---- what tests call ---- */

void fake_reset(void)
{
	struct table *tables[] = { &k.mfc, &k.join, &k.others, &k.aside };
	struct queue *queues[] = { &k.upcalls[0], &k.upcalls[1], &k.links, &k.solicits[0], &k.solicits[1],
				   &k.queries[0], &k.queries[1], &k.unresolved[0], &k.unresolved[1] };

	for (unsigned i = 0; i < sizeof tables / sizeof *tables; i++) {
		free(tables[i]->v);
		hash_free(&tables[i]->index);
	}
	for (unsigned i = 0; i < sizeof queues / sizeof *queues; i++)
		free(queues[i]->v);
	buf_free(&k.journal);
	buf_free(&k.told);
	memset(&k, 0, sizeof k);
}

const char *fake_journal(void)
{
	struct buf b = k.told;

	k.told = k.journal;
	k.journal = b;
	buf_consume(&k.journal, k.journal.len);
	return buf_cstr(&k.told);
}

void fake_journal_on(bool on) { k.quiet = !on; }
void fake_fail(const char *verb, int err, int times) { fail_note(verb, err, times); }
void fake_be_freebsd(void) { k.is_freebsd = true; }
void fake_set_pim(bool has) { k.no_pim = !has; }
unsigned fake_mfc_count(enum fam fam) { return k.mfc.count[fam]; }
unsigned fake_join_count(enum fam fam) { return k.join.count[fam]; }
void fake_push_upcall(const struct upcall *up) { queue_push(&k.upcalls[up->fam], up, sizeof *up); }
void fake_push_link(const struct link_event *ev) { queue_push(&k.links, ev, sizeof *ev); }
void fake_push_solicit(enum fam f, int ifindex) { queue_push(&k.solicits[f], &ifindex, sizeof ifindex); }

struct fake_query {
	int ifindex;
	unsigned version;
};

void fake_push_query(enum fam f, int ifindex, unsigned version)
{
	queue_push(&k.queries[f], &(struct fake_query){ ifindex, version }, sizeof(struct fake_query));
}

void fake_force_report(enum fam f, unsigned version) { k.forced[f] = version; }

static bool link_there(int ifindex)
{
	return ifindex > 0 && ifindex < LINKS && k.link[ifindex];
}

bool fake_link_is(int ifindex)
{
	return link_there(ifindex);
}

void fake_link_add(int ifindex)
{
	if (ifindex <= 0 || ifindex >= LINKS)
		abort();
	k.link[ifindex] = 1;
}

/* The interface of a VIF is gone: FreeBSD takes the entries that come in there along (sys/netinet/ip_mroute.c,
 * if_detached_event). */
static void vif_goes(int fam, int vif)
{
	k.vif_if[fam][vif] = 0;
	for (uint32_t at = k.is_freebsd ? k.mfc.n : 0; at-- > 0;)
		if (flow_fam(&k.mfc.v[at].key.flow) == (enum fam)fam && k.mfc.v[at].iif == vif)
			item_del(&k.mfc, &k.mfc.v[at]);
}

void fake_link_del(int ifindex)
{
	if (!link_there(ifindex))
		return;
	k.link[ifindex] = 0;
	for (int fam = 0; fam < FAM_N; fam++) {
		k.heard[fam][ifindex] = k.advert[fam][ifindex] = 0;
		for (int v = 0; v < KERNEL_VIFS; v++)
			if (k.vif_if[fam][v] == ifindex && !(k.is_freebsd && fam == FAM_6))
				vif_goes(fam, v);
	}
	for (uint32_t at = k.is_freebsd ? k.join.n : 0; at-- > 0;)
		if (k.join.v[at].key.ifindex == (uint32_t)ifindex)
			item_del(&k.join, &k.join.v[at]);
}

/* An entry is found by (S,G), a (*,G) one by its iif as well. */
static struct item mfc_key(const struct flow *flow, int iif)
{
	return item_key(flow_any_source(flow) ? iif + 1 : 0, &flow->source, &flow->group);
}

/* The entry of a flow; the newest (*,G) one that has the VIFs among its outputs, or its iif, when there are several. */
static struct item *mfc_newest_of(const struct flow *flow, uint32_t vifs)
{
	struct item *newest = NULL;

	for (int iif = 0; iif < (flow_any_source(flow) ? KERNEL_VIFS : 1); iif++) {
		struct item key = mfc_key(flow, iif), *i = item_find(&k.mfc, &key);

		if (i && ((i->oifs | UINT32_C(1) << iif) & vifs || !flow_any_source(flow)) &&
		    (!newest || i->serial > newest->serial))
			newest = i;
	}
	return newest;
}

static struct item *mfc_newest(const struct flow *flow)
{
	return mfc_newest_of(flow, UINT32_MAX);
}

void fake_set_stats(const struct flow *flow, uint64_t packets, uint64_t bytes, uint64_t wrong_if)
{
	struct item *i = mfc_newest(flow);

	if (!i)
		abort();
	i->st = (struct mfc_stats){ packets, bytes, wrong_if };
}

void fake_set_idle(const struct flow *flow, int64_t ms)
{
	struct item *i = mfc_newest(flow);

	if (!i)
		abort();
	i->idle_ms = ms;
}

void fake_add_unresolved(const struct flow *flow)
{
	queue_push(&k.unresolved[flow_fam(flow)], flow, sizeof *flow);
}

void fake_set_vif_stats(enum fam fam, int vif, const struct vif_stats *st)
{
	k.vif_st[fam][vif] = *st;
}

void fake_set_holder(int pid, const char *comm)
{
	k.holder_pid = pid;
	strncpy(k.holder, comm, sizeof k.holder - 1);
}

static bool mfc_tell(const struct item *i, int *iif, uint32_t *oifs)
{
	if (i && iif)
		*iif = i->iif;
	if (i && oifs)
		*oifs = i->oifs;
	return i;
}

bool fake_mfc(const struct flow *flow, int *iif, uint32_t *oifs)
{
	return mfc_tell(mfc_newest(flow), iif, oifs);
}

bool fake_mfc_for(const struct flow *flow, int vif, int *iif, uint32_t *oifs)
{
	struct item *i = mfc_newest(flow);
	struct flow any = *flow;
	uint8_t len;

	if (i)
		return mfc_tell(i, iif, oifs);
	addr_any(flow_fam(flow), &any.source, &len);
	i = mfc_newest_of(&any, UINT32_C(1) << vif);
	if (i && oifs)
		*oifs = i->oifs & ~(UINT32_C(1) << vif);
	return mfc_tell(i, iif, NULL);
}

/* ---- routing sockets ---- */

static int if_closed(enum fam fam, int err)
{
	return k.open[fam] ? err : EBADF;
}

int kernel_mroute_open(enum fam fam, uint32_t table)
{
	bool is_taken = k.open[fam] || k.handed[KIND_MROUTE][fam] == HANDED_HELD;
	int err = planned("mroute_open", is_taken ? EADDRINUSE : 0);

	SAY("open%d table %u", fam_digit(fam), table);
	return kind_do_open(KIND_MROUTE, fam, err);
}

/* Takes everything out of a table. */
static void mroute_clear(enum fam fam)
{
	memset(k.vif_if[fam], 0, sizeof k.vif_if[fam]);
	for (uint32_t i = k.mfc.n; i-- > 0;)
		if (flow_fam(&k.mfc.v[i].key.flow) == fam)
			item_del(&k.mfc, &k.mfc.v[i]);
	while (queue_pop(&k.unresolved[fam]))
		;
}

void kernel_mroute_close(enum fam fam)
{
	if (!k.open[fam])
		return;
	k.open[fam] = false;
	mroute_clear(fam);
	SAY("close%d\n", fam_digit(fam));
}

int kernel_mroute_fd(enum fam fam) { return kind_fd(KIND_MROUTE, fam); }
bool kernel_mroute_has_pim(enum fam fam) { return k.open[fam] && !k.no_pim; }

bool kernel_has_tables(void) { return !k.is_freebsd; }
bool kernel_vif_stays(enum fam fam) { (void)fam; return k.is_freebsd; }
unsigned kernel_group_sources(void) { return k.is_freebsd ? KERNEL_GROUP_SOURCES : 0; }

/* As Linux does it: an interface that is a VIF takes in all multicast frames. */
static void allmulti_tell(int ifindex)
{
	struct link_event ev = { .kind = LINK_ALLMULTI, .ifindex = ifindex };

	for (enum fam fam = 0; fam < FAM_N; fam++)
		for (int vif = 0; vif < KERNEL_VIFS; vif++)
			ev.allmulti |= k.vif_if[fam][vif] == ifindex;
	if (k.link_open && ifindex)
		fake_push_link(&ev);
}

/* What the router guarantees, and FreeBSD's kernel dies of: see kernel_vif_del(). */
static void must(bool holds, const char *what, enum fam fam, int vif)
{
	if (holds)
		return;
	fprintf(stderr, "fake kernel: VIF %d of %s %s\n", vif, fam_str(fam), what);
	abort();
}

static bool vif_is_named(enum fam fam, int vif)
{
	for (uint32_t at = 0; at < k.mfc.n; at++) {
		const struct item *i = &k.mfc.v[at];

		if (flow_fam(&i->key.flow) == fam && (i->iif == vif || i->oifs >> vif & 1))
			return true;
	}
	return false;
}

int kernel_vif_add(enum fam fam, int vif, int ifindex, uint8_t threshold)
{
	bool range = vif >= 0 && vif < KERNEL_VIFS;
	int err = planned("vif_add", if_closed(fam, !range ? ENFILE : k.vif_if[fam][vif] ? EADDRINUSE :
					       !link_there(ifindex) ? ENODEV : 0));

	must(!range || !k.vif_if[fam][vif], "is added, which is taken", fam, vif);
	SAY("vif%d add %d if%d", fam_digit(fam), vif, ifindex);
	if (fam == FAM_4)
		SAY(" ttl %d", threshold);
	if (!err) {
		k.vif_if[fam][vif] = ifindex;
		k.vif_st[fam][vif] = (struct vif_stats){ 0 };
		allmulti_tell(ifindex);
	}
	return done(err);
}

int kernel_vif_del(enum fam fam, int vif)
{
	int err = planned("vif_del", if_closed(fam, vif < 0 || vif >= KERNEL_VIFS ? EINVAL : 0));

	if (!err && (k.vif_if[fam][vif] || k.is_freebsd))
		must(!vif_is_named(fam, vif), "is removed, which an entry has", fam, vif);
	SAY("vif%d del %d", fam_digit(fam), vif);
	if (!err) {
		int ifindex = k.vif_if[fam][vif];

		k.vif_if[fam][vif] = 0;
		allmulti_tell(ifindex);
	}
	return done(err);
}

static void say_oifs(enum fam fam, uint32_t oifs, const uint8_t *ttl)
{
	bool odd = false;

	SAY(" oifs ");
	for (int v = 0, n = 0; v < KERNEL_VIFS; v++)
		if (oifs >> v & 1) {
			SAY("%s%d", n++ ? "," : "", v);
			odd |= ttl && ttl[v] != 1;
		}
	if (!oifs)
		SAY("-");
	if (!odd || fam != FAM_4)
		return;
	SAY(" ttl ");
	for (int v = 0, n = 0; v < KERNEL_VIFS; v++)
		if (oifs >> v & 1)
			SAY("%s%d", n++ ? "," : "", ttl[v]);
}

int kernel_mfc_add(const struct flow *flow, int iif, uint32_t oifs, const uint8_t *ttl)
{
	enum fam fam = flow_fam(flow);
	int err = planned("mfc_add", if_closed(fam, iif < 0 || iif >= KERNEL_VIFS ? ENFILE :
					       k.is_freebsd && flow_any_source(flow) ? EOPNOTSUPP : 0));
	struct item key = mfc_key(flow, iif), *i;

	if (!k.quiet) {
		SAY("mfc%d add ", fam_digit(fam));
		say_sg(flow_any_source(flow) ? NULL : &flow->source, &flow->group);
		SAY(" iif %d", iif);
		say_oifs(fam, oifs, ttl);
	}
	if (!err) {
		/* As the room for FreeBSD does it: a copy would come back and go out again. */
		oifs &= k.is_freebsd ? ~(UINT32_C(1) << iif) : UINT32_MAX;
		i = item_find(&k.mfc, &key);
		if (!i) {
			i = item_add(&k.mfc, &key);
			i->serial = ++k.last_serial;
		}
		i->iif = iif;
		i->oifs = oifs;
		memset(i->ttl, 1, sizeof i->ttl);
		if (ttl)
			memcpy(i->ttl, ttl, sizeof i->ttl);
	}
	return done(err);
}

int kernel_mfc_del(const struct flow *flow, int iif)
{
	enum fam fam = flow_fam(flow);
	struct item key = mfc_key(flow, iif), *i = item_find(&k.mfc, &key);
	int err = planned("mfc_del", if_closed(fam, i ? 0 : ENOENT));

	if (!k.quiet) {
		SAY("mfc%d del ", fam_digit(fam));
		say_sg(flow_any_source(flow) ? NULL : &flow->source, &flow->group);
		if (flow_any_source(flow))
			SAY(" iif %d", iif);
	}
	if (!err && i)
		item_del(&k.mfc, i);
	return done(err);
}

int kernel_mfc_stats(const struct flow *flow, struct mfc_stats *st)
{
	enum fam fam = flow_fam(flow);
	struct item *i = mfc_newest(flow);
	int err = planned("mfc_stats", if_closed(fam, i ? 0 : ENOENT));

	if (!err && i)
		*st = i->st;
	return result(err);
}

int kernel_counts_any(enum fam fam, kernel_counts_fn *fn, void *ctx)
{
	int err = planned("counts_any", if_closed(fam, 0));

	for (uint32_t i = 0; !err && i < k.mfc.n; i++)
		if (flow_fam(&k.mfc.v[i].key.flow) == fam && flow_any_source(&k.mfc.v[i].key.flow))
			fn(ctx, &k.mfc.v[i].key.flow.group, k.mfc.v[i].iif, &k.mfc.v[i].st);
	return result(err);
}

int kernel_vif_stats(enum fam fam, int vif, struct vif_stats *st)
{
	bool there = vif >= 0 && vif < KERNEL_VIFS && k.vif_if[fam][vif];
	int err = planned("vif_stats", if_closed(fam, there ? 0 : ENOENT));

	if (!err && there)
		*st = k.vif_st[fam][vif];
	return result(err);
}

int kernel_mroute_drain(enum fam fam, int max, kernel_upcall_fn *fn, void *ctx)
{
	int n = 0, err = planned("mroute_drain", if_closed(fam, 0));
	const struct upcall *up;

	for (; !err && n < max && (up = queue_pop(&k.upcalls[fam])); n++) {
		struct upcall copy = *up;

		fn(ctx, &copy);
	}
	return err ? result(err) : n;
}

/* ---- sockets that are handed over ---- */

void kernel_fds(kernel_fd_fn *fn, void *ctx)
{
	char name[KERNEL_FDNAME];

	for (unsigned kind = 0; kind < KINDS; kind++)
		for (enum fam fam = 0; fam < FAM_N; fam++)
			if (*kind_open(kind, fam)) {
				snprintf(name, sizeof name, "%s%d", kind_names[kind], fam_digit(fam));
				fn(ctx, name, kind_fd(kind, fam));
			}
	if (k.join.n)
		fn(ctx, "member.1", FAKE_MEMBER_FD);
	for (enum fam fam = 0; fam < FAM_N; fam++)
		for (int i = 0; i < LINKS; i++)
			if (k.heard[fam][i]) {
				snprintf(name, sizeof name, "advert%d.%d", fam_digit(fam), i);
				fn(ctx, name, FAKE_MEMBER_FD + 1);
			}
}

void kernel_fds_follow(kernel_fd_follow_fn *fn, void *ctx)
{
	k.follow = fn;
	k.follow_ctx = ctx;
}

/* Moves all memberships to a table where nobody finds them. */
static void members_move(struct table *to, struct table *from)
{
	for (; from->n; item_del(from, &from->v[from->n - 1]))
		if (!item_find(to, &from->v[from->n - 1]))
			item_add(to, &from->v[from->n - 1]);
}

void kernel_release(void)
{
	SAY("release\n");
	k.follow = NULL;
	for (unsigned kind = 0; kind < KINDS; kind++)
		for (enum fam fam = 0; fam < FAM_N; fam++) {
			if (*kind_open(kind, fam))
				k.handed[kind][fam] = HANDED_HELD;
			*kind_open(kind, fam) = false;
		}
	for (enum fam fam = 0; fam < FAM_N; fam++)
		for (int i = 0; i < LINKS; i++) {
			k.advert[fam][i] = k.heard[fam][i] ? HANDED_HELD : HANDED_NONE;
			k.heard[fam][i] = 0;
		}
	members_move(&k.aside, &k.join);
	k.members = k.aside.n ? HANDED_HELD : HANDED_NONE;
	k.link_open = false;
}

/* An interface that is advertised on, by the name of its socket: HANDED_NONE for another name. */
static uint8_t *advert_of(const char *name)
{
	static uint8_t none;
	unsigned digit, ifindex;

	if (sscanf(name, "advert%1u.%u", &digit, &ifindex) == 2 && ifindex < LINKS)
		return &k.advert[digit == 6 ? FAM_6 : FAM_4][ifindex];
	none = HANDED_NONE;
	return &none;
}

int kernel_adopt(const char *name, int fd, uint32_t table)
{
	enum handed *h = NULL;
	int err = EINVAL;
	char known[KERNEL_FDNAME];

	(void)fd;
	(void)table;
	for (unsigned kind = 0; kind < KINDS; kind++)
		for (enum fam fam = 0; fam < FAM_N; fam++) {
			snprintf(known, sizeof known, "%s%d", kind_names[kind], fam_digit(fam));
			if (!strcmp(name, known))
				h = &k.handed[kind][fam];
		}
	if (!strncmp(name, "member", 6))
		h = &k.members;
	if (h)
		err = *h == HANDED_OFFERED ? EEXIST : *h == HANDED_NONE ? ESTALE : 0;
	else if (*advert_of(name) == HANDED_HELD)
		err = 0;
	err = planned("adopt", err);
	SAY("adopt %s", name);
	if (!err && h)
		*h = HANDED_OFFERED;
	else if (!err)
		*advert_of(name) = HANDED_OFFERED;
	return done(err);
}

unsigned kernel_join_settled(void)
{
	bool any = k.members == HANDED_OFFERED;

	if (any)
		SAY("settled\n");
	/* What nobody has joined meanwhile is seen on the wire. */
	for (; any && k.aside.n; item_del(&k.aside, &k.aside.v[k.aside.n - 1])) {
		const struct item *i = &k.aside.v[k.aside.n - 1];
		bool is_asm = addr_eq(&i->key.flow.source, &(struct addr){ 0 });

		if (item_find(&k.join, i))
			continue;
		say_membership("lost", (int)i->key.ifindex, is_asm ? NULL : &i->key.flow.source, &i->key.flow.group);
		done(0);
	}
	if (any)
		k.members = HANDED_NONE;
	memset(k.advert, HANDED_NONE, sizeof k.advert);
	return any;
}

int kernel_vifs_read(enum fam fam, int ifindex[KERNEL_VIFS])
{
	int err = planned("vifs_read", if_closed(fam, 0));

	memcpy(ifindex, k.vif_if[fam], sizeof k.vif_if[fam]);
	return result(err);
}

/* As Linux tells it: no output whose interface is gone. */
static struct mfc_found mfc_found_of(const struct item *i)
{
	enum fam fam = flow_fam(&i->key.flow);
	struct mfc_found f = { .flow = i->key.flow, .iif = i->iif, .st = i->st, .idle_ms = i->idle_ms };

	if (!k.vif_if[fam][i->iif])
		f.iif = -1;
	for (int vif = 0; vif < KERNEL_VIFS; vif++)
		if (i->oifs >> vif & 1 && k.vif_if[fam][vif]) {
			f.oifs |= UINT32_C(1) << vif;
			f.ttl[vif] = fam == FAM_4 ? i->ttl[vif] : 1;
		}
	return f;
}

/* A planned failure comes after half of them. */
int kernel_mfc_read(enum fam fam, kernel_mfc_found_fn *fn, void *ctx)
{
	int err = planned("mfc_read", if_closed(fam, 0));
	const struct flow *flow;
	struct mfc_found f;

	for (uint32_t i = 0; i < (err ? k.mfc.n / 2 : k.mfc.n); i++) {
		f = mfc_found_of(&k.mfc.v[i]);
		if (flow_fam(&f.flow) == fam)
			fn(ctx, &f);
	}
	while (!err && (flow = queue_pop(&k.unresolved[fam])))
		fn(ctx, &(struct mfc_found){ .flow = *flow, .iif = -1, .is_unresolved = true });
	return result(err);
}

int kernel_mroute_reset(enum fam fam)
{
	int err = planned("mroute_reset", if_closed(fam, 0));

	SAY("reset%d", fam_digit(fam));
	mroute_clear(fam);
	k.open[fam] &= !err;
	return done(err);
}

/* ---- interfaces ---- */

int kernel_link_open(void)
{
	int err = planned("link_open", 0);

	k.link_open |= !err;
	return result(err);
}

void kernel_link_close(void) { k.link_open = false; }
int kernel_link_fd(void) { return k.link_open ? 1002 : -1; }

int kernel_link_drain(int max, kernel_link_fn *fn, void *ctx)
{
	int n = 0, err = planned("link_drain", k.link_open ? 0 : EBADF);
	const struct link_event *ev;

	for (; !err && n < max && (ev = queue_pop(&k.links)); n++) {
		struct link_event copy = *ev;

		fn(ctx, &copy);
	}
	return err ? result(err) : n;
}

int kernel_link_dump(kernel_link_fn *fn, void *ctx)
{
	int err = planned("link_dump", k.link_open ? 0 : EBADF);

	if (err)
		return result(err);
	fn(ctx, &(struct link_event){ .kind = LINK_SWEEP_BEGIN });
	kernel_link_drain(INT_MAX, fn, ctx);
	fn(ctx, &(struct link_event){ .kind = LINK_SWEEP_END });
	return 0;
}

void kernel_link_lost(void)
{
	SAY("links lost\n");
}

void kernel_rules_ask(enum fam fam)
{
	SAY("rules%d ask\n", fam_digit(fam));
}

/* ---- memberships ---- */

int kernel_join(int ifindex, const struct addr *src, const struct addr *grp, uint32_t *slot)
{
	struct item key = item_key(ifindex, src, grp);
	int err = planned("join", item_find(&k.join, &key) ? EADDRINUSE :
			  !link_there(ifindex) ? ENODEV : 0);

	say_membership("join", ifindex, src, grp);
	if (!err) {
		item_add(&k.join, &key);
		k.members_changed = true;
		*slot = (uint32_t)ifindex;
	}
	return done(err);
}

int kernel_leave(int ifindex, const struct addr *src, const struct addr *grp, uint32_t slot)
{
	struct item key = item_key(ifindex, src, grp), *i = item_find(&k.join, &key);
	int err = planned("leave", i || !link_there(ifindex) ? 0 : EADDRNOTAVAIL);

	(void)slot;
	say_membership("leave", ifindex, src, grp);
	if (!err && i) {
		item_del(&k.join, i);
		k.members_changed = true;
	}
	return done(err);
}

void fake_member(int ifindex, const struct addr *grp, bool on)
{
	struct item key = item_key(ifindex, NULL, grp), *i = item_find(&k.others, &key);

	if (on && !i)
		item_add(&k.others, &key);
	else if (!on && i)
		item_del(&k.others, i);
	k.members_changed = true;
}

int kernel_members_read(uint32_t *n)
{
	int err = planned("members_read", 0), differs = k.members_changed;

	SAY("members");
	*n = k.join.n + k.others.n;
	k.members_changed = false;
	return done(err) < 0 ? -1 : differs;
}

/* As IPv6 has it for both families. */
static bool members_have(const struct table *t, int ifindex, const struct flow_range *range)
{
	for (uint32_t at = 0; at < t->n; at++) {
		const struct item *i = &t->v[at];
		const struct flow *f = &i->key.flow;

		if (i->key.ifindex == (uint32_t)ifindex &&
		    addr_covers(&range->flow.group, range->group_len, &f->group) &&
		    (addr_eq(&f->source, &(struct addr){ 0 }) ||
		     addr_covers(&range->flow.source, range->source_len, &f->source)))
			return true;
	}
	return false;
}

bool kernel_members_loop(int ifindex, const struct flow_range *range)
{
	return members_have(&k.join, ifindex, range) || members_have(&k.others, ifindex, range);
}

bool kernel_is_own(const struct addr *a)
{
	return a->b[15] == 250;		/* 10.0.0.250, fd00::fa */
}

void fake_set_received(uint64_t packets)
{
	k.received = packets;
}

int kernel_received(const char *name, uint64_t *packets)
{
	(void)name;
	*packets = k.received;
	return 0;
}

void kernel_members_follow(bool on)
{
	SAY("members %s\n", on ? "followed" : "not followed");
}

const char *kernel_join_limit(int err, enum fam fam)
{
	switch (err) {
	case EMFILE:
		return "RLIMIT_NOFILE = 1024";
	case ENFILE:
		return "fs.file-max = 4096";
	case ENOBUFS:
		return fam == FAM_4 ? "net.ipv4.igmp_max_memberships = 20" :
				      "net.core.optmem_max = 20480";
	default:
		return "";
	}
}

void kernel_join_close(void)
{
	while (k.join.n)
		item_del(&k.join, &k.join.v[k.join.n - 1]);
}

/* ---- router discovery ---- */

int kernel_mrdisc_open(enum fam fam)
{
	int err = planned("mrdisc_open", 0);

	SAY("mrdisc%d open", fam_digit(fam));
	return kind_do_open(KIND_MRDISC, fam, err) < 0 ? -1 : 0;
}

void kernel_mrdisc_close(enum fam fam)
{
	if (k.mrdisc[fam])
		SAY("mrdisc%d close\n", fam_digit(fam));
	k.mrdisc[fam] = false;
	memset(k.heard[fam], 0, sizeof k.heard[fam]);
}

int kernel_mrdisc_fd(enum fam fam) { return kind_fd(KIND_MRDISC, fam); }

int kernel_mrdisc_listen(enum fam fam, int ifindex, bool on)
{
	bool is_known = ifindex > 0 && ifindex < LINKS;
	bool was = is_known && k.advert[fam][ifindex] == HANDED_OFFERED;
	int err;

	if (is_known && k.heard[fam][ifindex] == on && !was)
		return 0;
	err = planned("mrdisc_listen", !k.mrdisc[fam] ? EBADF : on && !link_there(ifindex) ? ENODEV : 0);
	SAY("mrdisc%d listen if%d %s%s", fam_digit(fam), ifindex, on ? "on" : "off", was ? " as handed over" : "");
	if (!err && is_known) {
		k.heard[fam][ifindex] = on;
		k.advert[fam][ifindex] = HANDED_NONE;
	}
	return done(err) < 0 ? -1 : was;
}

int kernel_mrdisc_send(enum fam fam, int ifindex, enum mrdisc_kind kind, uint8_t interval,
		       uint16_t query_interval, uint16_t robustness)
{
	static const char *const names[] = { "advert", "solicit", "term" };
	int err = planned("mrdisc_send", !k.mrdisc[fam] ? EBADF : !link_there(ifindex) ? ENODEV : 0);

	SAY("mrdisc%d %s if%d", fam_digit(fam), names[kind], ifindex);
	if (kind == MRDISC_ADVERT)
		SAY(" %u %u %u", interval, query_interval, robustness);
	return done(err);
}

int kernel_mrdisc_drain(enum fam fam, int max, kernel_mrdisc_fn *fn, void *ctx)
{
	int n = 0, err = planned("mrdisc_drain", k.mrdisc[fam] ? 0 : EBADF);
	const int *ifindex;

	for (; !err && n < max && (ifindex = queue_pop(&k.solicits[fam])); n++)
		fn(ctx, fam, *ifindex);
	return err ? result(err) : n;
}

/* ---- reports ---- */

#define FAKE_REPORT 4	/* memberships in one of the newest version */

int kernel_report_open(enum fam fam)
{
	int err = planned("report_open", 0);

	SAY("report%d open", fam_digit(fam));
	return kind_do_open(KIND_REPORT, fam, err) < 0 ? -1 : 0;
}

void kernel_report_close(enum fam fam)
{
	if (k.report[fam])
		SAY("report%d close\n", fam_digit(fam));
	k.report[fam] = false;
}

int kernel_report_fd(enum fam fam) { return kind_fd(KIND_REPORT, fam); }

unsigned kernel_report_version(enum fam fam, const char *ifname, unsigned asked)
{
	unsigned version = fam == FAM_4 ? 3 : 2;

	(void)ifname;
	version = k.forced[fam] ? k.forced[fam] : version;
	return asked && asked < version ? asked : version;
}

int kernel_report_send(enum fam fam, int ifindex, uint32_t mtu, unsigned version, const struct flow *v, unsigned n)
{
	unsigned most = version == (fam == FAM_4 ? 3 : 2) ? FAKE_REPORT : 1;
	int err = planned("report_send", !k.report[fam] ? EBADF : !link_there(ifindex) ? ENODEV : 0);

	(void)mtu;
	n = n < most ? n : most;
	SAY("report%d v%u if%d", fam_digit(fam), version, ifindex);
	for (unsigned i = 0; i < n; i++) {
		SAY(" ");
		say_sg(addr_eq(&v[i].source, &(struct addr){ 0 }) ? NULL : &v[i].source, &v[i].group);
	}
	return done(err) < 0 ? -1 : (int)n;
}

int kernel_report_drain(enum fam fam, int max, kernel_query_fn *fn, void *ctx)
{
	int n = 0, err = planned("report_drain", k.report[fam] ? 0 : EBADF);
	const struct fake_query *q;

	for (; !err && n < max && (q = queue_pop(&k.queries[fam])); n++)
		fn(ctx, fam, q->ifindex, q->version);
	return err ? result(err) : n;
}

/* ---- host ---- */

bool kernel_mroute_is_closing(void) { return false; }

bool kernel_mroute_holder(enum fam fam, int but, int *pid, char *comm, size_t len)
{
	(void)fam;
	if (!k.holder_pid || k.holder_pid == but)
		return false;
	*pid = k.holder_pid;
	snprintf(comm, len, "%s", k.holder);
	return true;
}
