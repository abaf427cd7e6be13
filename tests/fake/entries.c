/* SPDX-License-Identifier: ISC
 *
 * Entries, and packets that wait for one.
 */
#include "tests/fake/parts.h"

#include <errno.h>
#include <string.h>

/* An entry is found by (S,G), a (*,G) one by its iif as well. */
static struct item mfc_key(const struct flow *flow, int iif)
{
	return item_key(flow_any_source(flow) ? iif + 1 : 0, &flow->source, &flow->group);
}

/* The entry of a flow; the newest (*,G) one that has the VIFs among its outputs, or its iif, when there are several. */
static struct item *mfc_newest_of(const struct flow *flow, uint32_t vifs)
{
	struct item *newest = NULL;
	bool is_any = flow_any_source(flow);

	for (uint32_t iifs = is_any ? fake.any_iifs[flow_fam(flow)] : 1; iifs; iifs &= iifs - 1) {
		int iif = __builtin_ctz(iifs);
		struct item key = mfc_key(flow, iif), *i = item_find(&fake.mfc, &key);

		if (i && ((i->oifs | UINT32_C(1) << iif) & vifs || !is_any) && (!newest || i->serial > newest->serial))
			newest = i;
	}
	return newest;
}

static struct item *mfc_newest(const struct flow *flow)
{
	return mfc_newest_of(flow, UINT32_MAX);
}

bool fake_vif_is_named(enum fam fam, int vif)
{
	for (uint32_t at = 0; at < fake.mfc.n; at++) {
		const struct item *i = &fake.mfc.v[at];

		if (flow_fam(&i->key.flow) == fam && (i->iif == vif || i->oifs >> vif & 1))
			return true;
	}
	return false;
}

void fake_mfc_clear(enum fam fam, int iif)
{
	for (uint32_t at = fake.mfc.n; at-- > 0;)
		if (flow_fam(&fake.mfc.v[at].key.flow) == fam && (iif < 0 || fake.mfc.v[at].iif == iif))
			item_del(&fake.mfc, &fake.mfc.v[at]);
}

/* ---- what tests call ---- */

unsigned fake_mfc_count(enum fam fam) { return fake.mfc.count[fam]; }

bool fake_set_stats(const struct flow *flow, uint64_t packets, uint64_t bytes, uint64_t wrong_if)
{
	struct item *i = mfc_newest(flow);

	if (i)
		i->st = (struct mfc_stats){ packets, bytes, wrong_if };
	return i;
}

bool fake_set_idle(const struct flow *flow, int64_t ms)
{
	struct item *i = mfc_newest(flow);

	if (i)
		i->idle_ms = ms;
	return i;
}

void fake_add_unresolved(const struct flow *flow)
{
	queue_push(&fake.unresolved[flow_fam(flow)], flow, sizeof *flow);
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

/* The entry that takes a packet on a VIF; *oifs: where it would go. */
static struct item *mfc_for(const struct flow *flow, int vif, uint32_t *oifs)
{
	struct item *i = mfc_newest(flow);
	struct flow any = *flow;
	uint8_t len;

	*oifs = i ? i->oifs : 0;
	if (i)
		return i;
	addr_any(flow_fam(flow), &any.source, &len);
	i = mfc_newest_of(&any, UINT32_C(1) << vif);
	*oifs = i ? i->oifs & ~(UINT32_C(1) << vif) : 0;
	return i;
}

bool fake_mfc_for(const struct flow *flow, int vif, int *iif, uint32_t *oifs)
{
	uint32_t out;
	const struct item *i = mfc_for(flow, vif, &out);

	if (i && oifs)
		*oifs = out;
	return mfc_tell(i, iif, NULL);
}

/* ---- packets ---- */

bool fake_tells_wrong(enum fam fam, int vif, uint32_t oifs)
{
	return fake.system->of[fam].tells_wrong && (!fake.no_pim || oifs >> vif & 1);
}

void fake_set_now(int64_t now)
{
	fake.now = now;
	for (uint32_t at = fake.waiting.n; at-- > 0;)
		if (now - fake.waiting.v[at].idle_ms >= fake.system->wait_ms)
			item_del(&fake.waiting, &fake.waiting.v[at]);
}

void fake_packet(const struct flow *flow, int vif)
{
	struct item key = mfc_key(flow, 0), *i;
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = flow_fam(flow), .vif = vif, .flow = *flow };
	uint32_t oifs;

	if (!fake.vif_if[up.fam][vif])
		return;
	i = mfc_for(flow, vif, &oifs);
	if (i && i->iif == vif) {
		i->st.packets++;
		return;
	}
	if (i) {
		i->st.wrong_if++;
		up.kind = UPCALL_WRONGVIF;
		if (fake_tells_wrong(up.fam, vif, oifs))
			fake_push_upcall(&up);
		return;
	}
	i = item_find(&fake.waiting, &key);
	if (!i) {
		fake_push_upcall(&up);
		i = item_add(&fake.waiting, &key);
		i->idle_ms = fake.now;
	}
	i->st.packets += i->st.packets < fake.system->of[up.fam].waiting;
}

/* What waits for a new entry goes on by it. */
static void mfc_let_go(struct item *i)
{
	struct item key = mfc_key(&i->key.flow, 0), *w = item_find(&fake.waiting, &key);

	if (!w)
		return;
	SAY(", lets %u go", (unsigned)w->st.packets);
	i->st.packets += w->st.packets;
	item_del(&fake.waiting, w);
}

/* ---- verbs ---- */

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

/* What the router guarantees of an entry: its VIFs are there, but for those that went and that it has not heard of. */
static void mfc_check(enum fam fam, int iif, uint32_t oifs)
{
	for (int vif = 0; vif < KERNEL_VIFS; vif++)
		if (iif == vif || oifs >> vif & 1)
			fake_must(fake.vif_if[fam][vif] || fake.went[fam] >> vif & 1, "is none, and an entry has it",
				  fam, vif);
	fake_must(fake.system->may_reflect || !(oifs >> iif & 1), "is iif and output", fam, iif);
}

int kernel_mfc_add(const struct flow *flow, int iif, uint32_t oifs, const uint8_t *ttl)
{
	enum fam fam = flow_fam(flow);
	bool range = iif >= 0 && iif < KERNEL_VIFS, known = fake.system->has_any_source || !flow_any_source(flow);
	int err = fake_planned("mfc_add", fake_if_closed(fam, !range ? ENFILE : !known ? EOPNOTSUPP : 0));
	struct item key = mfc_key(flow, iif), *i;

	if (!fake.quiet) {
		SAY("mfc%d add ", fake_digit(fam));
		fake_say_sg(flow_any_source(flow) ? NULL : &flow->source, &flow->group);
		SAY(" iif %d", iif);
		say_oifs(fam, oifs, ttl);
	}
	if (range && known)
		mfc_check(fam, iif, oifs);
	if (!err) {
		i = item_find(&fake.mfc, &key);
		if (!i) {
			i = item_add(&fake.mfc, &key);
			i->serial = ++fake.last_serial;
			fake.any_iifs[fam] |= flow_any_source(flow) ? UINT32_C(1) << iif : 0;
			mfc_let_go(i);
		}
		i->iif = iif;
		/* A predecessor's, too, go through pack_mfc(), which takes the iif out. */
		i->oifs = fake.system->may_reflect ? oifs : oifs & ~(UINT32_C(1) << iif);
		memset(i->ttl, 1, sizeof i->ttl);
		if (ttl)
			memcpy(i->ttl, ttl, sizeof i->ttl);
	}
	return fake_done(err);
}

int kernel_mfc_del(const struct flow *flow, int iif)
{
	enum fam fam = flow_fam(flow);
	struct item key = mfc_key(flow, iif), *i = item_find(&fake.mfc, &key);
	struct item *w = fake.system->of[fam].drops_waiting ? item_find(&fake.waiting, &key) : NULL;
	int err = fake_planned("mfc_del", fake_if_closed(fam, i || w ? 0 : ENOENT));

	if (!fake.quiet) {
		SAY("mfc%d del ", fake_digit(fam));
		fake_say_sg(flow_any_source(flow) ? NULL : &flow->source, &flow->group);
		if (flow_any_source(flow))
			SAY(" iif %d", iif);
	}
	if (!err && i)
		item_del(&fake.mfc, i);
	else if (!err && w)
		item_del(&fake.waiting, w);
	return fake_done(err);
}

int kernel_mfc_stats(const struct flow *flow, struct mfc_stats *st)
{
	enum fam fam = flow_fam(flow);
	struct item *i = mfc_newest(flow);
	int err = fake_planned("mfc_stats", fake_if_closed(fam, i ? 0 : ENOENT));

	if (!err && i)
		*st = i->st;
	return fake_result(err);
}

int kernel_counts_any(enum fam fam, kernel_counts_fn *fn, void *ctx)
{
	int err = fake_planned("counts_any", fake_if_closed(fam, 0));

	for (uint32_t i = 0; !err && i < fake.mfc.n; i++)
		if (flow_fam(&fake.mfc.v[i].key.flow) == fam && flow_any_source(&fake.mfc.v[i].key.flow))
			fn(ctx, &fake.mfc.v[i].key.flow.group, fake.mfc.v[i].iif, &fake.mfc.v[i].st);
	return fake_result(err);
}

/* Linux tells no output whose interface is gone, FreeBSD's ledger does, and knows of no time. */
static struct mfc_found mfc_found_of(const struct item *i)
{
	enum fam fam = flow_fam(&i->key.flow);
	struct mfc_found f = { .flow = i->key.flow, .iif = i->iif, .st = i->st };
	bool tells_gone = fake.system->tells_gone;

	if (!tells_gone)
		f.idle_ms = i->idle_ms;

	if (!fake.vif_if[fam][i->iif])
		f.iif = -1;
	for (int vif = 0; vif < KERNEL_VIFS; vif++)
		if (i->oifs >> vif & 1 && (tells_gone || fake.vif_if[fam][vif])) {
			f.oifs |= UINT32_C(1) << vif;
			f.ttl[vif] = fam == FAM_4 ? i->ttl[vif] : 1;
		}
	return f;
}

void fake_mfc_each(enum fam fam, kernel_mfc_found_fn *fn, void *ctx)
{
	struct mfc_found f;

	for (uint32_t i = 0; i < fake.mfc.n; i++) {
		f = mfc_found_of(&fake.mfc.v[i]);
		if (flow_fam(&f.flow) == fam)
			fn(ctx, &f);
	}
}

/* A planned failure comes after half of them. */
int kernel_mfc_read(enum fam fam, kernel_mfc_found_fn *fn, void *ctx)
{
	int err = fake_planned("mfc_read", fake_if_closed(fam, 0));
	const struct flow *flow;
	struct mfc_found f;

	for (uint32_t i = 0; i < (err ? fake.mfc.n / 2 : fake.mfc.n); i++) {
		f = mfc_found_of(&fake.mfc.v[i]);
		if (flow_fam(&f.flow) == fam)
			fn(ctx, &f);
	}
	while (!err && fake.system->tells_waiting && (flow = queue_pop(&fake.unresolved[fam])))
		fn(ctx, &(struct mfc_found){ .flow = *flow, .iif = -1, .is_unresolved = true });
	return fake_result(err);
}
