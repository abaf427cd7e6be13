/* SPDX-License-Identifier: ISC */
#include "tests/fake/model.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/fake/kernel.h"
#include "tests/fake/meaning.h"
#include "tests/fake/memory.h"
#include "tests/fake/model_parts.h"

const char *const model_sources[FAM_N][MODEL_SOURCES] = {
	{ "10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.1.1" }, { "fd00::1", "fd00::2", "fd00:1::1", "2001:db8::1" },
};
const char *const model_groups[FAM_N][MODEL_GROUPS] = {
	{ "225.1.1.1", "225.1.1.2", "225.1.2.1", "225.2.0.1", "239.0.0.1", "239.255.0.1" },
	{ "ff05::1:1", "ff05::1:2", "ff05::2:1", "ff05:1::1", "ff08::1", "ff0e::1" },
};
struct router model_router;
bool model_is_faulty, model_is_scarce;

/* Two in a hundred of all calls and pieces of memory fail, but while it heals. */
static bool model_is_shaky;
static uint64_t model_seed;

static unsigned model_first, model_times;	/* as memory_scarce() has them */
static char model_wrong[512];

/* ---- for all ---- */

void model_say(const char *fmt, ...)
{
	va_list ap;

	if (*model_wrong)
		return;
	va_start(ap, fmt);
	vsnprintf(model_wrong, sizeof model_wrong, fmt, ap);
	va_end(ap);
}

unsigned model_take(uint64_t *random, unsigned n)
{
	unsigned taken = (unsigned)(*random % n);

	*random /= n;
	return taken;
}

struct addr model_addr(const char *text)
{
	struct addr a;

	addr_parse(text, strlen(text), &a);
	return a;
}

void model_addr_bytes(enum fam fam, const struct addr *a, unsigned char *out)
{
	memset(out, 0, 16);
	memcpy(out, a->b + (fam == FAM_4 ? 12 : 0), fam == FAM_4 ? 4 : 16);
}

void model_bytes(enum fam fam, const char *text, unsigned char *out)
{
	struct addr a = model_addr(text);

	model_addr_bytes(fam, &a, out);
}

void model_begin_scarce(void)
{
	if (model_is_shaky && model_is_scarce) {
		model_seed = model_seed * 6364136223846793005u + 1442695040888963407u;
		model_first = (unsigned)(model_seed >> 33) % 100;
		model_is_faulty |= fake_fail_some(20, model_seed) || memory_plenty();
	}
	if (model_is_scarce)
		memory_scarce(model_first, model_times);
}

void model_end_scarce(void)
{
	if (model_is_scarce && memory_plenty())
		model_is_faulty = true;
	if (model_is_shaky)
		model_is_faulty |= fake_fail_some(0, 0) != 0;
}

/* ---- packets ---- */

/* An entry goes to an interface where a packet came in only when a rule has the flow there. */
static void model_check_move(const struct upcall *up, const unsigned char *source, const unsigned char *group)
{
	bool covered = true;
	int parent;

	for (unsigned i = 0; i < MEANING_IFACES; i++) {
		const struct iface *iface = iface_find_name(&model_router.ifs, meaning_names[i]);

		if (iface && iface->vif[up->fam] == up->vif)
			meaning_decide(up->fam, i, source, group, &covered);
	}
	if (!covered && fake_mfc(&up->flow, &parent, NULL) && parent == up->vif)
		model_say("an entry moved to an interface that has no rule for it");
}

/* A packet without a source: an entry of it would be one of all sources. */
static void model_packet_of_nobody(struct upcall *up)
{
	up->flow.source = model_addr(up->fam == FAM_4 ? "0.0.0.0" : "::");
	model_begin_scarce();
	router_upcall(&model_router, up, model_router.now);
	model_end_scarce();
}

/* A packet comes in: the kernel asks where it has no entry, or a wrong one; where it has just got one it may have asked
 * before. */
static void model_packet(uint64_t random)
{
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = (enum fam)model_take(&random, FAM_N) };
	unsigned iface = model_take(&random, MEANING_IFACES);
	const struct iface *i = iface_find_name(&model_router.ifs, meaning_names[iface]);
	bool is_full = mfc_dynamic(&model_router.mfc) >= model_router.max_dynamic, asks_again;
	unsigned s = model_take(&random, MODEL_SOURCES), g = model_take(&random, MODEL_GROUPS);
	unsigned char source[16], group[16];
	uint32_t oifs;
	int parent;

	up.flow.source = model_addr(model_sources[up.fam][s]);
	up.flow.group = model_addr(model_groups[up.fam][g]);
	if (!i || i->vif[up.fam] < 0)
		return;
	up.vif = i->vif[up.fam];
	if (!model_take(&random, 32)) {
		model_packet_of_nobody(&up);
		return;
	}
	asks_again = !model_take(&random, 8);
	if (fake_mfc_for(&up.flow, up.vif, &parent, &oifs)) {
		if (parent == up.vif && !asks_again) {
			model_note_packet(&up.flow);
			return;
		}
		if (!asks_again && !fake_tells_wrong(up.fam, up.vif, oifs))
			return;
		if (!asks_again)
			up.kind = UPCALL_WRONGVIF;
	}
	model_begin_scarce();
	router_upcall(&model_router, &up, model_router.now);
	model_end_scarce();
	model_bytes(up.fam, model_sources[up.fam][s], source);
	model_bytes(up.fam, model_groups[up.fam][g], group);
	if (up.kind == UPCALL_WRONGVIF && !router_is_busy(&model_router))
		model_check_move(&up, source, group);
	if (!fake_mfc_for(&up.flow, up.vif, &parent, NULL)) {
		if (!model_is_faulty && !is_full)
			model_say("a packet came and there is no entry");
	} else if (parent == up.vif) {
		model_note_packet(&up.flow);
	}
}

/* ---- what goes wrong ---- */

static const char *const model_verbs[] = {
	"vif_add", "vif_del", "mfc_add", "mfc_del", "mfc_stats", "join", "leave", "members_read", "mrdisc_send",
	"mrdisc_listen", "report_send",
};
#define MODEL_VERBS (sizeof model_verbs / sizeof *model_verbs)

static void model_fail(uint64_t random)
{
	static const int errors[] = { ENOMEM, ENOBUFS, EINVAL, EPERM, ENOENT, ENODEV };
	const char *verb = model_verbs[model_take(&random, MODEL_VERBS)];

	/* Others say that what is to go is not there. */
	unsigned kinds = !strcmp(verb, "mfc_del") || !strcmp(verb, "leave") ? 2 : 6;

	fake_fail(verb, errors[model_take(&random, kinds)], 1 + (int)model_take(&random, 3));
	model_is_faulty = true;
}

/* Nothing fails any more: after the next events all is as it is to be. */
static void model_heal(uint64_t random)
{
	model_is_scarce = false;
	for (unsigned i = 0; i < MODEL_VERBS; i++)
		fake_fail(model_verbs[i], 0, 0);
	model_settle();
	/* What was refused is tried again. */
	if (model_router.retry_due)
		model_router.retry_due = model_router.now;
	router_tick(&model_router, model_router.now);
	model_settle();
	model_sweep();
	router_sync(&model_router);
	model_settle();
	model_reload(random, true);
	model_settle();
	model_is_faulty = false;
	model_watch();
}

/* ---- steps ---- */

void model_begin(uint64_t random, bool is_freebsd)
{
	static const uint32_t most[] = { 65536, 8, 3, 65536 };
	static const unsigned seconds[] = { 60, 5, 20, 0 };

	fake_reset();
	if (is_freebsd)
		fake_be_freebsd();
	meaning_limits = (struct meaning_limits){ is_freebsd, is_freebsd, is_freebsd };
	fake_journal_on(false);
	log_set_level(LOG_LVL_NONE);
	memset(meaning_rules, 0, sizeof meaning_rules);
	memset(meaning_ifaces, 0, sizeof meaning_ifaces);
	memset(model_joins, 0, sizeof model_joins);
	memset(model_joined, 0, sizeof model_joined);
	model_begin_links();
	model_begin_crowd();
	model_is_heir = false;
	model_is_faulty = model_is_scarce = false;
	*model_wrong = '\0';
	meaning_forget();
	model_forget_packets();
	router_init(&model_router, &model_ops, NULL);
	/* Some entries or a few rules, so that steps come in between. */
	model_router.sync.slice = 100;
	model_router.now = 1000;
	model_router.max_dynamic = most[model_take(&random, 4)];
	model_router.expire_sec = seconds[model_take(&random, 4)];
	model_router.table = model_take(&random, 2) && !is_freebsd ? 7 : 0;
	fake_set_pim(model_take(&random, 4));
	model_is_shaky = !model_take(&random, 4);
	model_seed = random;
	for (enum fam f = 0; f < FAM_N; f++) {
		kernel_mroute_open(f, model_router.table);
		router_family(&model_router, f, true);
		kernel_mrdisc_open(f);
		kernel_report_open(f);
		model_router.mrdisc->up[f] = model_router.refresh->up[f] = true;
	}
}

/* One of what may happen. */
static void model_happen(unsigned what, uint64_t random)
{
	struct router_flush flush = { 0 };
	switch (what) {
	case 0: {
		unsigned verb = model_take(&random, 8), iface = model_take(&random, MEANING_IFACES);

		model_link(verb, iface, model_take(&random, MEANING_IFACES));
		break;
	}
	case 1:
		model_settle();
		meaning_remember();
		model_reload(random, false);
		break;
	case 2:
		while (router_flush(&model_router, &flush))
			;
		break;
	case 3: case 4: case 5:
		model_settle();
		meaning_remember();
		model_edit(random, OWNER_UNNAMED);
		break;
	case 6:
		model_settle();
		meaning_remember();
		model_edit_join(random);
		break;
	case 7:
		model_wait(1 + model_take(&random, 8000));
		break;
	case 8:
		model_fail(random);
		break;
	case 9:
		if (model_is_faulty)
			model_heal(random);
		break;
	case 11:
		model_succeed(random);
		break;
	case 12:
		meaning_remember();
		model_others(random);
		break;
	case 20:
		model_settle();
		meaning_remember();
		model_crowd(random);
		break;
	case 21: {
		unsigned owner = OWNER_NAMED + model_take(&random, MEANING_OWNERS - OWNER_NAMED);

		model_settle();
		meaning_remember();
		if (model_take(&random, 8))
			model_edit(random, owner);
		else
			model_disown(random);
		break;
	}
	case 22:
		model_storm(random);
		break;
	default:
		model_packet(random);
	}
}

const char *model_step(uint64_t random)
{
	unsigned what;

	*model_wrong = '\0';
	model_router.now += 10;
	model_is_scarce = model_is_shaky;
	model_times = 1;
	if (model_take(&random, 2))
		model_go_on(1 + model_take(&random, 8));
	if (!router_is_busy(&model_router))
		meaning_forget();
	if (!meaning_remember())
		model_settle();
	what = model_take(&random, 24);
	if (what == 10) {
		model_is_scarce = true;
		model_first = model_take(&random, 12);
		model_times = 1 + model_take(&random, 3);
		what = model_take(&random, 8);
	}
	model_happen(what, random);
	model_is_scarce &= model_is_shaky;
	model_watch();
	model_wait(0);
	model_is_scarce = false;
	model_compare_all();
	return *model_wrong ? model_wrong : NULL;
}

const char *model_end(void)
{
	*model_wrong = '\0';
	if (model_is_faulty)
		model_heal(0);
	model_settle();
	model_compare_all();
	model_free_edits();
	router_shutdown(&model_router);
	router_free(&model_router);
	fake_reset();
	return *model_wrong ? model_wrong : NULL;
}
