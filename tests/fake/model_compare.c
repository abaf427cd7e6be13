/* SPDX-License-Identifier: ISC
 *
 * The kernel, its mirror and what the rules mean, held against each other.
 */
#include <string.h>

#include "router/reason.h"
#include "tests/fake/kernel.h"
#include "tests/fake/meaning.h"
#include "tests/fake/model_parts.h"

/* What is known of a flow's entry without asking the engine about time. */
static struct model_flow {
	bool is_there;
	enum mfc_state state;
	int iif;
	int64_t heard;			/* ms: a packet certainly counted as one of the entry */
	int64_t renewed;		/* the same, or may have */
} model_flows[FAM_N][MODEL_SOURCES][MODEL_GROUPS];

/* Their addresses are read once. */
static struct flow model_flow(enum fam fam, unsigned s, unsigned g)
{
	static struct flow flows[FAM_N][MODEL_SOURCES][MODEL_GROUPS];
	struct flow *flow = &flows[fam][s][g];

	if (!addr_is_multicast(&flow->group, 128))
		*flow = (struct flow){ model_addr(model_sources[fam][s]), model_addr(model_groups[fam][g]) };
	return *flow;
}

/* The bytes of both as they are on the wire. */
static void model_flow_bytes(const struct flow *flow, unsigned char source[16], unsigned char group[16])
{
	enum fam fam = flow_fam(flow);

	model_addr_bytes(fam, &flow->source, source);
	model_addr_bytes(fam, &flow->group, group);
}

/* The interface of each name, NULL = it is not there, as long as nothing happens. */
static const struct iface *model_ifaces[MEANING_IFACES];

static void model_find_ifaces(void)
{
	for (unsigned iface = 0; iface < MEANING_IFACES; iface++)
		model_ifaces[iface] = iface_find_name(&model_router.ifs, meaning_names[iface]);
}

/* Calls fn for each flow there may be. */
static void model_each(void (*fn)(enum fam fam, unsigned s, unsigned g))
{
	for (enum fam f = 0; f < FAM_N; f++)
		for (unsigned s = 0; s < MODEL_SOURCES; s++)
			for (unsigned g = 0; g < MODEL_GROUPS; g++)
				fn(f, s, g);
}

/* ---- time ---- */

void model_forget_packets(void)
{
	memset(model_flows, 0, sizeof model_flows);
}

/* Its place; it is one of them. */
static struct model_flow *model_find(const struct flow *flow)
{
	enum fam fam = flow_fam(flow);
	unsigned s = 0, g = 0;

	for (struct flow own = model_flow(fam, s, g); !flow_eq(&own, flow); own = model_flow(fam, s, g))
		if (++s == MODEL_SOURCES) {
			s = 0;
			g++;
		}
	return &model_flows[fam][s][g];
}

void model_forget_flow(const struct flow *flow)
{
	*model_find(flow) = (struct model_flow){ 0 };
}

static void model_tell_age(enum fam fam, unsigned s, unsigned g)
{
	struct flow flow = model_flow(fam, s, g);

	if (model_flows[fam][s][g].is_there && fake_mfc(&flow, NULL, NULL))
		fake_set_idle(&flow, model_router.now - model_flows[fam][s][g].heard);
	/* A successor on FreeBSD is not told, and begins to count. */
	if (fake_is_freebsd())
		model_flows[fam][s][g].renewed = model_router.now;
}

void model_tell_ages(void)
{
	model_each(model_tell_age);
}

static void model_renew(enum fam fam, unsigned s, unsigned g)
{
	model_flows[fam][s][g].renewed = model_router.now;
}

void model_renew_all(void)
{
	model_each(model_renew);
}

void model_note_packet(const struct flow *flow)
{
	struct model_flow *f = model_find(flow);
	struct mfc_stats st;

	f->renewed = model_router.now;
	if (!fake_mfc(flow, NULL, NULL) || kernel_mfc_stats(flow, &st) < 0)
		return;
	fake_set_stats(flow, st.packets + 1, st.bytes + 100, st.wrong_if);
	f->heard = model_router.now;
}

static void model_watch_one(enum fam fam, unsigned s, unsigned g)
{
	struct model_flow *f = &model_flows[fam][s][g];
	struct flow flow = model_flow(fam, s, g);
	uint32_t at = mfc_find(&model_router.mfc, &flow);
	const struct mfc *e = at == HASH_NONE ? NULL : &model_router.mfc.v[at];

	if (e && (!f->is_there || f->state != (enum mfc_state)e->state || f->iif != e->iif))
		f->renewed = model_router.now;
	/* When what it counted could not be read, the engine knows of no packet; or it could not be removed in time. */
	if (model_is_faulty)
		f->heard = model_router.now - model_router.expire_sec * (int64_t)1000;
	if (model_is_faulty && f->renewed < f->heard)
		f->renewed = f->heard;
	if (e && (!f->is_there || f->state == MFC_STATIC))
		f->heard = model_router.now;
	f->is_there = e;
	f->state = e ? (enum mfc_state)e->state : MFC_FREE;
	f->iif = e ? e->iif : -1;
}

void model_watch(void)
{
	model_each(model_watch_one);
}

/* Whether an entry is there in its time. */
static void model_check_age(enum fam fam, unsigned s, unsigned g)
{
	struct model_flow *f = &model_flows[fam][s][g];
	struct flow flow = model_flow(fam, s, g);
	uint32_t at = mfc_find(&model_router.mfc, &flow);
	int64_t now = model_router.now, ms = model_router.expire_sec * (int64_t)1000;
	int64_t late = ms / 10 < 1000 ? 1000 : ms / 10;

	if (at != HASH_NONE && f->is_there && mfc_is_dynamic(&model_router.mfc.v[at]) && ms &&
	    now > f->renewed + ms + late + MFC_TICK)
		model_say("(%s, %s) is there %d ms after its last packet", model_sources[fam][s], model_groups[fam][g],
			  (int)(now - f->renewed));
	/* One may have made room for a flow that a predecessor heard of. */
	if (mfc_dynamic(&model_router.mfc) >= model_router.max_dynamic)
		return;
	if (at == HASH_NONE && f->is_there && f->state >= MFC_LEARNED && (!ms || now < f->heard + ms - MFC_TICK))
		model_say("(%s, %s) went %d ms after its last packet", model_sources[fam][s], model_groups[fam][g],
			  (int)(now - f->heard));
}

void model_wait(int64_t ms)
{
	int64_t end = model_router.now + ms, due;
	unsigned turns = 0;

	while ((due = router_due(&model_router)) && due <= end) {
		bool was_busy = router_is_busy(&model_router);

		if (turns++ > 20000) {
			model_say("it is due for ever");
			return;
		}
		model_begin_scarce();
		router_tick(&model_router, due > model_router.now ? due : model_router.now);
		model_end_scarce();
		/* What is due may have to wait for a file that is being applied. */
		if (model_router.apply)
			model_go_on(4);
		if (!was_busy && !model_is_faulty)
			model_each(model_check_age);
		model_watch();
	}
	model_router.now = end;
	if (!router_is_busy(&model_router) && !model_is_faulty)
		model_each(model_check_age);
}

/* ---- the mirror ---- */

struct model_kernel {
	enum fam fam;
	int ifindex[KERNEL_VIFS];
	uint32_t vifs, n;
};

/* An entry that the kernel has. */
static void model_compare_found(void *ctx, const struct mfc_found *f)
{
	struct model_kernel *k = ctx;
	const struct mfcs *t = &model_router.mfc;
	bool is_any = flow_any_source(&f->flow);
	uint32_t at = is_any ? mfc_find_any(t, &f->flow.group, f->iif) : mfc_find(t, &f->flow);
	const struct mfc *e = at == HASH_NONE ? NULL : &t->v[at];
	char flow[FLOW_STRLEN];

	/* Its number is that of no interface any more. */
	for (int vif = 0; is_any && f->iif < 0 && !e && vif < KERNEL_VIFS; vif++) {
		at = k->vifs >> vif & 1 ? HASH_NONE : mfc_find_any(t, &f->flow.group, vif);
		e = at == HASH_NONE ? NULL : &t->v[at];
	}
	k->n++;
	if (!e || !(e->flags & MFC_INSTALLED))
		model_say("the kernel has %s, the mirror has not", flow_str(&f->flow, flow));
	else if ((f->iif >= 0 && f->iif != e->iif) || ((e->oifs ^ f->oifs) & k->vifs))
		model_say("the kernel has %s from %d to %x, the mirror from %d to %x", flow_str(&f->flow, flow), f->iif,
			  (unsigned)f->oifs, e->iif, (unsigned)e->oifs);
}

/* True for an entry that FreeBSD's kernel removed with its interface, until the engine comes to it. */
static bool model_went(const struct mfc *e)
{
	return fake_is_freebsd() && e->flags & MFC_STALE && (router_is_busy(&model_router) || model_is_faulty) &&
	       !fake_mfc(&e->flow, NULL, NULL);
}

/* The kernel's VIFs and entries are those of the mirror, whatever else is wrong. */
static void model_compare_mirror(enum fam fam)
{
	struct model_kernel k = { .fam = fam };
	const struct mfcs *t = &model_router.mfc;
	uint32_t n = 0;

	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		const struct iface *i = iface_by_vif(&model_router.ifs, fam, vif);

		k.ifindex[vif] = fake_vif(fam, vif);
		k.vifs |= (uint32_t)(k.ifindex[vif] != 0) << vif;
		/* Until the last entry is rewritten one may stay whose interface is gone. */
		if (model_router.ifs.leaving[fam] >> vif & 1 && router_is_busy(&model_router))
			continue;
		if (k.ifindex[vif] != (i ? i->ifindex : 0) && !model_is_faulty)
			model_say("VIF %d is %d, not %d", vif, k.ifindex[vif], i ? i->ifindex : 0);
	}
	fake_mfc_each(fam, model_compare_found, &k);
	for (uint32_t at = 0; at < t->n; at++)
		n += t->v[at].state != MFC_FREE && t->v[at].flags & MFC_INSTALLED &&
		     flow_fam(&t->v[at].flow) == fam && !model_went(&t->v[at]);
	if (n != k.n)
		model_say("the kernel has %u entries, the mirror %u", k.n, n);
	if (mfc_dynamic(t) > model_router.max_dynamic && !model_is_faulty)
		model_say("there are %u learned and blocked entries", mfc_dynamic(t));
}

/* ---- what the rules mean ---- */

/* The bits of VIFs as bits of interfaces. */
static unsigned model_of_vifs(enum fam fam, uint32_t vifs)
{
	unsigned out = 0;

	for (unsigned iface = 0; iface < MEANING_IFACES; iface++) {
		const struct iface *i = model_ifaces[iface];

		if (i && i->vif[fam] >= 0 && vifs >> i->vif[fam] & 1)
			out |= 1u << iface;
	}
	return out;
}

/* True when a join has what leaves there come back, so that this output is held back; for one source as soon as the
 * kernel has been asked. */
static bool model_is_member(enum fam fam, unsigned iface, unsigned s, unsigned g)
{
	for (const struct model_join *j = model_joins; j < model_joins + MODEL_JOINS; j++)
		if (j->is_there && j->fam == fam && j->group == g && meaning_uses(j->iif, iface) &&
		    (j->source == MODEL_SOURCES || (j->source == s && !model_router.reflect.is_stale)))
			return true;
	return false;
}

/* What becomes of a packet on an interface: in an entry of its own that has another inbound interface it is a wrong
 * one, since the kernel keys these by source and group alone.  A (*,G) entry may have it only where nothing is to go
 * out. */
static void model_compare_on(const struct flow *flow, unsigned iface, unsigned s, unsigned g)
{
	enum fam fam = flow_fam(flow);
	const struct iface *i = model_ifaces[iface];
	bool is_busy = router_is_busy(&model_router), covered;
	unsigned char source[16], group[16];
	unsigned got = 0, own = 1u << iface;
	char text[FLOW_STRLEN];
	uint32_t oifs;
	int parent;

	if (!i || i->vif[fam] < 0)
		return;
	model_flow_bytes(flow, source, group);
	if (!fake_mfc_for(flow, i->vif[fam], &parent, &oifs)) {
		if (!is_busy && meaning_is_kernels(fam, iface, group))
			model_say("%s from %s is not in the kernel", flow_str(flow, text), meaning_names[iface]);
		return;
	}
	if (parent == i->vif[fam])
		got = model_of_vifs(fam, oifs);
	else if (fake_mfc(flow, NULL, NULL))
		return;
	if (!is_busy && got & own && model_is_member(fam, iface, s, g))
		model_say("%s from %s comes back", flow_str(flow, text), meaning_names[iface]);
	if (!meaning_was(fam, iface, source, group, got) &&
	    !(model_joined[fam] >> g & 1 && meaning_was(fam, iface, source, group, got | own)))
		model_say("%s from %s goes to %x and not to %x", flow_str(flow, text), meaning_names[iface], got,
			  meaning_decide(fam, iface, source, group, &covered));
}

/* An entry of its own is what the rules make of it. */
static void model_compare_entry(const struct flow *flow, unsigned s, unsigned g)
{
	static const char *const names[] = { [MFC_STATIC] = "static", [MFC_LEARNED] = "learned",
					     [MFC_BLOCKED] = "blocked" };
	enum fam fam = flow_fam(flow);
	uint32_t at = mfc_find(&model_router.mfc, flow);
	const struct mfc *e = at == HASH_NONE ? NULL : &model_router.mfc.v[at];
	unsigned char source[16], group[16];
	bool is_static, covered = false;
	enum mfc_state want;
	unsigned iif = 0;

	model_flow_bytes(flow, source, group);
	is_static = meaning_is_static(fam, MEANING_IFACES, source, group);
	if (is_static && (!e || !(e->flags & MFC_INSTALLED)))
		model_say("(%s, %s) is not in", model_sources[fam][s], model_groups[fam][g]);
	if (!e || !(e->flags & MFC_INSTALLED))
		return;
	while (iif < MEANING_IFACES && !(model_of_vifs(fam, UINT32_C(1) << e->iif) >> iif & 1))
		iif++;
	if (iif == MEANING_IFACES) {
		model_say("(%s, %s) comes in on an interface that is not there", model_sources[fam][s],
			  model_groups[fam][g]);
		return;
	}
	meaning_decide(fam, iif, source, group, &covered);
	want = is_static ? MFC_STATIC : covered ? MFC_LEARNED : MFC_BLOCKED;
	if (e->state != want || (is_static && !covered))
		model_say("(%s, %s) from %s is %s, not %s", model_sources[fam][s], model_groups[fam][g],
			  meaning_names[iif], mfc_state_str((enum mfc_state)e->state), names[want]);
}

static void model_compare(enum fam fam, unsigned s, unsigned g)
{
	struct flow flow = model_flow(fam, s, g);

	for (unsigned iface = 0; iface < MEANING_IFACES; iface++)
		model_compare_on(&flow, iface, s, g);
	if (!router_is_busy(&model_router))
		model_compare_entry(&flow, s, g);
}

/* The thresholds of an entry are those of its outputs. */
static void model_compare_ttl(void *ctx, const struct mfc_found *f)
{
	(void)ctx;
	for (unsigned iface = 0; iface < MEANING_IFACES; iface++) {
		const struct iface *i = model_ifaces[iface];
		unsigned ttl = meaning_ifaces[iface].ttl ? meaning_ifaces[iface].ttl : 1;

		if (i && i->vif[FAM_4] >= 0 && f->oifs >> i->vif[FAM_4] & 1 && f->ttl[i->vif[FAM_4]] != ttl &&
		    flow_fam(&f->flow) == FAM_4)
			model_say("%s has threshold %u in an entry, not %u", meaning_names[iface],
				  f->ttl[i->vif[FAM_4]], ttl);
	}
}

/* Which interfaces have a number, and which rules wait. */
static void model_compare_names(void)
{
	for (unsigned iface = 0; iface < MEANING_IFACES; iface++)
		for (enum fam f = 0; f < FAM_N; f++) {
			const struct iface *i = model_ifaces[iface];
			bool wants = meaning_wants(f, iface);

			for (unsigned k = 0; k < MODEL_JOINS; k++)
				wants |= model_joins[k].is_there && model_joins[k].fam == f &&
					 meaning_uses(model_joins[k].iif, iface);
			if ((i && i->vif[f] >= 0) != wants)
				model_say("%s has %s number of family %d", meaning_names[iface], wants ? "no" : "a", f);
		}
	for (const struct meaning_rule *m = meaning_rules; m < meaning_rules + MEANING_RULES; m++) {
		struct flow_range range = model_range(m);
		struct ifname iif = ifname_of(meaning_names[m->iif], strlen(meaning_names[m->iif]));
		const struct ruleset *rules = &model_router.rules;
		uint32_t id;

		if (!m->is_there)
			continue;
		id = rules_find(rules, &rules->routes, &iif, &range);
		if (id == HASH_NONE)
			continue;
		if (meaning_waits(m) ? !reason_is_there(&model_router, &rules->routes.v[id]) :
		    reason_is_there(&model_router, &rules->routes.v[id]) && !m->in_kernel && !model_joined[m->fam] &&
		    !(meaning_limits.never_reflects && meaning_reflects(m)))
			model_say("a rule from %s is %s", iif.text, meaning_waits(m) ? "not pending" : "pending");
	}
}

static bool model_join_is(unsigned k, enum fam fam, unsigned s, unsigned g)
{
	const struct model_join *j = &model_joins[k];

	return j->is_there && j->fam == fam && j->source == s && j->group == g;
}

/* Memberships are those that the joins mean. */
static void model_compare_joins(void)
{
	for (enum fam f = 0; f < FAM_N; f++) {
		unsigned n = 0;

		for (unsigned iface = 0; iface < MEANING_IFACES; iface++)
			for (unsigned s = 0; s <= MODEL_SOURCES; s++)
				for (unsigned g = 0; g < MODEL_GROUPS; g++) {
					bool any = false;

					for (unsigned k = 0; k < MODEL_JOINS; k++)
						any |= model_join_is(k, f, s, g) &&
						       meaning_uses(model_joins[k].iif, iface);
					n += any;
				}
		if (n != fake_join_count(f))
			model_say("there are %u memberships, not %u", fake_join_count(f), n);
	}
}

void model_compare_all(void)
{
	model_find_ifaces();
	for (enum fam f = 0; f < FAM_N; f++)
		model_compare_mirror(f);
	model_compare_rules();
	if (model_is_faulty)
		return;
	model_each(model_compare);
	if (router_is_busy(&model_router))
		return;
	model_compare_names();
	model_compare_joins();
	fake_mfc_each(FAM_4, model_compare_ttl, NULL);
}
