/* SPDX-License-Identifier: ISC
 *
 * Few names, sources and groups, so that rules meet.
 */
#include "tests/fake/model.h"

#include <stdio.h>
#include <string.h>

#include "conf/read.h"
#include "router/mark.h"
#include "router/router.h"
#include "tests/fake/kernel.h"
#include "tests/fake/meaning.h"

#define SOURCES 4
#define GROUPS 6

static const char *const model_sources[FAM_N][SOURCES] = {
	{ "10.0.0.1", "10.0.0.2", "10.0.1.1", "192.168.1.1" }, { "fd00::1", "fd00::2", "fd00:1::1", "2001:db8::1" },
};
static const char *const model_groups[FAM_N][GROUPS] = {
	{ "225.1.1.1", "225.1.1.2", "225.1.2.1", "225.2.0.1", "239.0.0.1", "239.255.0.1" },
	{ "ff05::1:1", "ff05::1:2", "ff05::2:1", "ff05:1::1", "ff08::1", "ff0e::1" },
};
/* Bits of prefixes, from all to none. */
static const unsigned model_source_bits[FAM_N][5] = { { 32, 31, 24, 8, 0 }, { 128, 127, 64, 16, 0 } };
static const unsigned model_group_bits[FAM_N][5] = { { 32, 31, 24, 8, 4 }, { 128, 127, 112, 32, 8 } };

static struct router model_router;
static struct conf *model_conf;			/* that is being applied */
static struct meaning_rule model_next[MEANING_RULES];	/* its rules */
static char model_wrong[512];

/* ---- steps ---- */

static unsigned model_take(uint64_t *random, unsigned n)
{
	unsigned taken = (unsigned)(*random % n);

	*random /= n;
	return taken;
}

static struct addr model_addr(const char *text)
{
	struct addr a;

	addr_parse(text, strlen(text), &a);
	return a;
}

/* The bytes of an address as they are on the wire. */
static void model_bytes(enum fam fam, const char *text, unsigned char *out)
{
	struct addr a = model_addr(text);

	memset(out, 0, 16);
	memcpy(out, a.b + (fam == FAM_4 ? 12 : 0), fam == FAM_4 ? 4 : 16);
}

static void model_link(unsigned iface, bool up)
{
	struct link_event ev = {
		.kind = up ? LINK_NEW : LINK_DEL, .ifindex = 10 + (int)iface, .flags = LINK_UP | LINK_MULTICAST,
	};

	snprintf(ev.name, sizeof ev.name, "%s", meaning_names[iface]);
	if (up)
		fake_link_add(ev.ifindex);
	else
		fake_link_del(ev.ifindex);
	meaning_up[iface] = up;
	router_link_event(&model_router, &ev);
	router_sync(&model_router);
}

/* A rule that the random number makes up. */
static struct meaning_rule model_make_rule(uint64_t *random)
{
	struct meaning_rule m = { .is_there = true, .fam = (enum fam)model_take(random, FAM_N) };

	m.iif = model_take(random, 8);
	m.source_bits = model_source_bits[m.fam][model_take(random, 5)];
	m.group_bits = model_group_bits[m.fam][model_take(random, 5)];
	model_bytes(m.fam, model_sources[m.fam][model_take(random, SOURCES)], m.source);
	model_bytes(m.fam, model_groups[m.fam][model_take(random, GROUPS)], m.group);
	m.outputs = model_take(random, 4) ? 1 + model_take(random, 255) : 0;
	m.in_kernel = model_take(random, 4) && !m.source_bits && m.group_bits == model_group_bits[m.fam][0];
	return m;
}

/* Gives a rule that is there, or is not, the word `kernel`; true when it has it now. */
static bool model_say_kernel(const struct change_rule *rule)
{
	struct ruleset *s = &model_router.rules;
	uint32_t id = rules_find(s, &s->routes, &rule->iif, &rule->range);

	if (id == HASH_NONE)
		return false;
	s->routes.v[id].in_kernel = true;
	mark_rule(&model_router, &s->routes.v[id]);
	return true;
}

/* Adds, replaces or removes a rule, as a client does. */
static void model_edit(uint64_t random)
{
	unsigned verb = model_take(&random, 4), pick = model_take(&random, MEANING_RULES), place, add;
	struct ifname oifs[8];
	struct change_rule rule = { .oifs = oifs };
	struct meaning_rule m = model_make_rule(&random);
	uint32_t id;

	place = meaning_place(&m);
	if (verb == 3 && meaning_rules[pick].is_there) {
		/* What is removed is there, most often; its addresses are those of the model. */
		place = pick;
		m = meaning_rules[pick];
		m.outputs = random & 1 ? m.outputs & (unsigned)(random >> 1 & 255) : 0;
	}
	if (place == MEANING_RULES || (verb == 3 && !meaning_rules[place].is_there))
		return;
	struct addr s = { 0 }, g = { 0 };

	if (m.fam == FAM_4) {
		s = model_addr("0.0.0.0");
		g = s;
	}
	memcpy(s.b + (m.fam == FAM_4 ? 12 : 0), m.source, m.fam == FAM_4 ? 4 : 16);
	memcpy(g.b + (m.fam == FAM_4 ? 12 : 0), m.group, m.fam == FAM_4 ? 4 : 16);
	rule.range = (struct flow_range){
		{ s, g }, (uint8_t)(m.source_bits + (m.fam == FAM_4 ? 96 : 0)),
		(uint8_t)(m.group_bits + (m.fam == FAM_4 ? 96 : 0)),
	};
	addr_mask(&rule.range.flow.source, rule.range.source_len);
	addr_mask(&rule.range.flow.group, rule.range.group_len);
	rule.iif = ifname_of(meaning_names[m.iif], strlen(meaning_names[m.iif]));
	for (unsigned o = 0; o < 8; o++)
		if (m.outputs >> o & 1)
			oifs[rule.noifs++] = ifname_of(meaning_names[o], strlen(meaning_names[o]));
	if (verb == 3) {
		id = rules_find(&model_router.rules, &model_router.rules.routes, &rule.iif, &rule.range);
		if (id != HASH_NONE)
			change_remove(&model_router, &rule, id);
		if (m.outputs)
			meaning_rules[place].outputs &= ~m.outputs;
		else
			meaning_rules[place].is_there = false;
	} else {
		add = verb ? meaning_rules[place].is_there ? meaning_rules[place].outputs : 0 : 0;
		change_add(&model_router, &rule, verb ? CHANGE_MORE : CHANGE_REPLACE, &id);
		m.outputs |= add;
		/* The word is one of the file. */
		m.in_kernel = m.in_kernel ? model_say_kernel(&rule) : meaning_rules[place].is_there &&
								      meaning_rules[place].in_kernel;
		meaning_rules[place] = m;
	}
	router_sync(&model_router);
}

/* The rules of a file are in force from now on. */
static void model_applied(void *ctx)
{
	(void)ctx;
	meaning_remember();
	memcpy(meaning_rules, model_next, sizeof meaning_rules);
}

/* Has the router do a little of what it is busy with. */
static void model_go_on(unsigned n)
{
	if (model_router.apply)
		router_apply_step(&model_router, n, model_router.now);
	else if (router_is_busy(&model_router))
		router_tick(&model_router, model_router.now);
	if (model_router.apply)
		return;
	conf_free(model_conf);
	model_conf = NULL;
}

/* Until it is not busy any more, as who edits rules has to wait. */
static void model_settle(void)
{
	while (router_is_busy(&model_router))
		model_go_on(1000);
	meaning_forget();
}

/* A file with the rules that there are and an order of its own, but for a few that go with it. */
static void model_reload(uint64_t random)
{
	struct conf *c = model_conf = conf_new();
	struct diags d = { 0 };
	struct buf text = { 0 };
	unsigned from = model_take(&random, MEANING_RULES), drop = model_take(&random, MEANING_RULES * 2);

	memcpy(model_next, meaning_rules, sizeof model_next);
	for (unsigned k = 0; k < MEANING_RULES; k++) {
		struct meaning_rule *m = &model_next[(from + k * 7) % MEANING_RULES];
		char s[64] = "", g[64];
		struct addr a = model_addr(m->fam == FAM_4 ? "0.0.0.0" : "::");

		if (m == &model_next[drop % MEANING_RULES] && drop < MEANING_RULES)
			m->is_there = false;
		if (!m->is_there)
			continue;
		memcpy(a.b + (m->fam == FAM_4 ? 12 : 0), m->source, m->fam == FAM_4 ? 4 : 16);
		addr_str(&a, s);
		memcpy(a.b + (m->fam == FAM_4 ? 12 : 0), m->group, m->fam == FAM_4 ? 4 : 16);
		addr_str(&a, g);
		buf_printf(&text, "mroute from %s", meaning_names[m->iif]);
		if (m->source_bits)
			buf_printf(&text, " source %s/%u", s, m->source_bits);
		buf_printf(&text, " group %s/%u", g, m->group_bits);
		if (m->in_kernel)
			buf_str(&text, " kernel");
		if (m->outputs)
			buf_str(&text, " to");
		for (unsigned o = 0; o < 8; o++)
			if (m->outputs >> o & 1)
				buf_printf(&text, " %s", meaning_names[o]);
		buf_chr(&text, '\n');
	}
	conf_parse_text(c, &d, "model", text.p ? text.p : "", text.len);
	if (d.errors)
		snprintf(model_wrong, sizeof model_wrong, "the model's file has errors: %s\n%.300s", d.v[0].text,
			 buf_cstr(&text));
	router_apply_begin(&model_router, c);
	diags_free(&d);
	buf_free(&text);
}

/* A packet of a flow without an entry. */
static void model_packet(uint64_t random)
{
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = (enum fam)model_take(&random, FAM_N) };
	unsigned iface = model_take(&random, MEANING_IFACES);
	const struct iface *i = iface_find_name(&model_router.ifs, meaning_names[iface]);
	int parent;

	up.flow.source = model_addr(model_sources[up.fam][model_take(&random, SOURCES)]);
	up.flow.group = model_addr(model_groups[up.fam][model_take(&random, GROUPS)]);
	if (!i || i->vif[up.fam] < 0)
		return;
	up.vif = i->vif[up.fam];
	if (fake_mfc_for(&up.flow, up.vif, &parent, NULL)) {
		if (parent == up.vif)
			return;
		up.kind = UPCALL_WRONGVIF;
	}
	router_upcall(&model_router, &up, model_router.now);
	if (!fake_mfc_for(&up.flow, up.vif, NULL, NULL))
		snprintf(model_wrong, sizeof model_wrong, "a packet came and there is no entry");
}

/* ---- comparing ---- */

/* The bits of VIFs as bits of interfaces. */
static unsigned model_of_vifs(enum fam fam, uint32_t vifs)
{
	unsigned out = 0;

	for (unsigned iface = 0; iface < MEANING_IFACES; iface++) {
		const struct iface *i = iface_find_name(&model_router.ifs, meaning_names[iface]);

		if (i && i->vif[fam] >= 0 && vifs >> i->vif[fam] & 1)
			out |= 1u << iface;
	}
	return out;
}

/* What becomes of a packet on an interface: in an entry of its own that has another inbound interface it is a wrong
 * one, since the kernel keys these by source and group alone.  A (*,G) entry may have it only where nothing is to go
 * out. */
static void model_compare_on(const struct flow *flow, unsigned iface, const unsigned char *source,
			     const unsigned char *group)
{
	enum fam fam = flow_fam(flow);
	const struct iface *i = iface_find_name(&model_router.ifs, meaning_names[iface]);
	unsigned got = 0;
	char text[FLOW_STRLEN];
	uint32_t oifs;
	int parent;
	bool covered;

	if (!i || i->vif[fam] < 0)
		return;
	if (!fake_mfc_for(flow, i->vif[fam], &parent, &oifs)) {
		if (!router_is_busy(&model_router) && meaning_is_kernels(fam, iface, group))
			snprintf(model_wrong, sizeof model_wrong, "%s from %s is not in the kernel",
				 flow_str(flow, text), meaning_names[iface]);
		return;
	}
	if (parent == i->vif[fam])
		got = model_of_vifs(fam, oifs);
	else if (fake_mfc(flow, NULL, NULL))
		return;
	if (!meaning_was(fam, iface, source, group, got))
		snprintf(model_wrong, sizeof model_wrong, "%s from %s goes to %x and not to %x", flow_str(flow, text),
			 meaning_names[iface], got, meaning_decide(fam, iface, source, group, &covered));
}

static void model_compare(enum fam fam, unsigned s, unsigned g)
{
	struct flow flow = { model_addr(model_sources[fam][s]), model_addr(model_groups[fam][g]) };
	unsigned char source[16], group[16];
	int parent;

	model_bytes(fam, model_sources[fam][s], source);
	model_bytes(fam, model_groups[fam][g], group);
	for (unsigned iface = 0; iface < MEANING_IFACES; iface++)
		model_compare_on(&flow, iface, source, group);
	if (!router_is_busy(&model_router) && fake_mfc(&flow, &parent, NULL) &&
	    !model_of_vifs(fam, UINT32_C(1) << parent))
		snprintf(model_wrong, sizeof model_wrong, "(%s, %s) comes in on an interface that is not there",
			 model_sources[fam][s], model_groups[fam][g]);
}

void model_begin(void)
{
	static const struct router_ops ops = { .applied = model_applied };

	fake_reset();
	fake_journal_on(false);
	log_set_level(LOG_LVL_NONE);
	memset(meaning_rules, 0, sizeof meaning_rules);
	memset(meaning_up, 0, sizeof meaning_up);
	meaning_forget();
	router_init(&model_router, &ops, NULL);
	/* Some entries or a few rules, so that steps come in between. */
	model_router.sync.slice = 100;
	model_router.now = 1000;
	for (enum fam f = 0; f < FAM_N; f++) {
		kernel_mroute_open(f, 0);
		router_family(&model_router, f, true);
	}
}

const char *model_step(uint64_t random)
{
	struct router_flush flush = { 0 };

	*model_wrong = '\0';
	model_router.now += 10;
	if (model_take(&random, 2))
		model_go_on(1 + model_take(&random, 8));
	if (!router_is_busy(&model_router))
		meaning_forget();
	if (!meaning_remember())
		model_settle();
	switch (model_take(&random, 16)) {
	case 0: {
		unsigned iface = model_take(&random, MEANING_IFACES);

		model_link(iface, !meaning_up[iface]);
		break;
	}
	case 1:
		model_settle();
		meaning_remember();
		model_reload(random);
		break;
	case 2:
		while (router_flush(&model_router, &flush))
			;
		break;
	case 3: case 4: case 5:
		model_settle();
		meaning_remember();
		model_edit(random);
		break;
	default:
		model_packet(random);
	}
	for (enum fam f = 0; f < FAM_N; f++)
		for (unsigned s = 0; s < SOURCES; s++)
			for (unsigned g = 0; g < GROUPS; g++)
				model_compare(f, s, g);
	return *model_wrong ? model_wrong : NULL;
}

void model_end(void)
{
	conf_free(model_conf);
	model_conf = NULL;
	router_shutdown(&model_router);
	router_free(&model_router);
	fake_reset();
}
