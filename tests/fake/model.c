/* SPDX-License-Identifier: ISC
 *
 * Few names, sources and groups, so that rules meet.
 */
#include "tests/fake/model.h"

#include <stdio.h>
#include <string.h>

#include "conf/read.h"
#include "router/router.h"
#include "tests/fake/kernel.h"

#define IFACES 5
#define RULES 24
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
static const char *const model_names[] = { "a0", "a1", "a2", "b0", "b1", "a+", "b+", "+" };

/* A rule in the model: addresses as bytes, prefixes in bits from the left, outputs as bits of model_names. */
struct model_rule {
	bool is_there;
	enum fam fam;
	unsigned iif, outputs, source_bits, group_bits;
	unsigned char source[16], group[16];
};

static struct model_rule model_rules[RULES];
static bool model_up[IFACES];
static struct router model_router;
static char model_wrong[512];

/* ---- what the rules mean ---- */

static bool model_name_means(unsigned name, unsigned iface)
{
	const char *text = model_names[name];

	return text[strlen(text) - 1] == '+' ? !strncmp(text, model_names[iface], strlen(text) - 1) : name == iface;
}

static bool model_prefix_has(const unsigned char *prefix, unsigned bits, const unsigned char *address)
{
	for (unsigned i = 0; i < bits; i++)
		if ((prefix[i / 8] ^ address[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

static bool model_is_inside(const struct model_rule *narrow, const struct model_rule *wide)
{
	return (narrow->source_bits != wide->source_bits || narrow->group_bits != wide->group_bits) &&
	       narrow->source_bits >= wide->source_bits && narrow->group_bits >= wide->group_bits;
}

/* The interfaces that a packet goes out of, as bits; *covered: whether a rule decided about it. */
static unsigned model_decide(enum fam fam, unsigned iface, const unsigned char *source, const unsigned char *group,
			     bool *covered)
{
	const struct model_rule *matching[RULES];
	unsigned n = 0, out = 0;
	bool stop = false;

	for (const struct model_rule *m = model_rules; m < model_rules + RULES; m++)
		if (m->is_there && m->fam == fam && model_name_means(m->iif, iface) &&
		    model_prefix_has(m->source, m->source_bits, source) &&
		    model_prefix_has(m->group, m->group_bits, group))
			matching[n++] = m;
	*covered = n > 0;
	for (unsigned i = 0; i < n; i++) {
		bool set_aside = false;

		for (unsigned k = 0; k < n; k++)
			set_aside |= model_is_inside(matching[k], matching[i]);
		if (set_aside)
			continue;
		stop |= !matching[i]->outputs;
		for (unsigned o = 0; o < sizeof model_names / sizeof *model_names; o++)
			for (unsigned to = 0; to < IFACES; to++)
				if (matching[i]->outputs >> o & 1 && model_name_means(o, to) && model_up[to] &&
				    (o < IFACES || to != iface))
					out |= 1u << to;
	}
	return stop ? 0 : out;
}

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

	snprintf(ev.name, sizeof ev.name, "%s", model_names[iface]);
	if (up)
		fake_link_add(ev.ifindex);
	else
		fake_link_del(ev.ifindex);
	model_up[iface] = up;
	router_link_event(&model_router, &ev);
	router_sync(&model_router);
}

/* A rule that the random number makes up. */
static struct model_rule model_make_rule(uint64_t *random, const char **source, const char **group)
{
	struct model_rule m = { .is_there = true, .fam = (enum fam)model_take(random, FAM_N) };

	m.iif = model_take(random, 8);
	m.source_bits = model_source_bits[m.fam][model_take(random, 5)];
	m.group_bits = model_group_bits[m.fam][model_take(random, 5)];
	*source = model_sources[m.fam][model_take(random, SOURCES)];
	*group = model_groups[m.fam][model_take(random, GROUPS)];
	m.outputs = model_take(random, 4) ? 1 + model_take(random, 255) : 0;
	model_bytes(m.fam, *source, m.source);
	model_bytes(m.fam, *group, m.group);
	return m;
}

static bool model_is_same(const struct model_rule *a, const struct model_rule *b)
{
	return a->is_there && b->is_there && a->fam == b->fam && a->iif == b->iif && a->source_bits == b->source_bits &&
	       a->group_bits == b->group_bits && model_prefix_has(a->source, a->source_bits, b->source) &&
	       model_prefix_has(a->group, a->group_bits, b->group);
}

/* The place of a rule with the same iif and range, or of a free one; RULES when there is none. */
static unsigned model_place(const struct model_rule *m)
{
	unsigned free = RULES;

	for (unsigned i = 0; i < RULES; i++) {
		if (model_is_same(&model_rules[i], m))
			return i;
		if (!model_rules[i].is_there)
			free = i;
	}
	return free;
}

/* Adds, replaces or removes a rule, as a client does. */
static void model_edit(uint64_t random)
{
	unsigned verb = model_take(&random, 4), pick = model_take(&random, RULES), place, add;
	struct ifname oifs[8];
	struct change_rule rule = { .oifs = oifs };
	const char *source = NULL, *group = NULL;
	struct model_rule m = model_make_rule(&random, &source, &group);
	char text[64];
	uint32_t id;

	place = model_place(&m);
	if (verb == 3 && model_rules[pick].is_there) {
		/* What is removed is there, most often; its addresses are those of the model. */
		place = pick;
		m = model_rules[pick];
		m.outputs = random & 1 ? m.outputs & (unsigned)(random >> 1 & 255) : 0;
	}
	if (place == RULES || (verb == 3 && !model_rules[place].is_there))
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
	rule.iif = ifname_of(model_names[m.iif], strlen(model_names[m.iif]));
	for (unsigned o = 0; o < 8; o++)
		if (m.outputs >> o & 1)
			oifs[rule.noifs++] = ifname_of(model_names[o], strlen(model_names[o]));
	snprintf(text, sizeof text, "%s %s", source, group);
	if (verb == 3) {
		id = rules_find(&model_router.rules, &model_router.rules.routes, &rule.iif, &rule.range);
		if (id != HASH_NONE)
			change_remove(&model_router, &rule, id);
		if (m.outputs)
			model_rules[place].outputs &= ~m.outputs;
		else
			model_rules[place].is_there = false;
	} else {
		add = verb ? model_rules[place].is_there ? model_rules[place].outputs : 0 : 0;
		change_add(&model_router, &rule, !verb, &id);
		m.outputs |= add;
		model_rules[place] = m;
	}
	router_sync(&model_router);
}

/* A file with the rules that there are and an order of its own, but for a few that go with it. */
static void model_reload(uint64_t random)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct buf text = { 0 };
	unsigned from = model_take(&random, RULES), drop = model_take(&random, RULES * 2);

	for (unsigned k = 0; k < RULES; k++) {
		struct model_rule *m = &model_rules[(from + k * 7) % RULES];
		char s[64] = "", g[64];
		struct addr a = model_addr(m->fam == FAM_4 ? "0.0.0.0" : "::");

		if (m == &model_rules[drop % RULES] && drop < RULES)
			m->is_there = false;
		if (!m->is_there)
			continue;
		memcpy(a.b + (m->fam == FAM_4 ? 12 : 0), m->source, m->fam == FAM_4 ? 4 : 16);
		addr_str(&a, s);
		memcpy(a.b + (m->fam == FAM_4 ? 12 : 0), m->group, m->fam == FAM_4 ? 4 : 16);
		addr_str(&a, g);
		buf_printf(&text, "mroute from %s", model_names[m->iif]);
		if (m->source_bits)
			buf_printf(&text, " source %s/%u", s, m->source_bits);
		buf_printf(&text, " group %s/%u", g, m->group_bits);
		if (m->outputs)
			buf_str(&text, " to");
		for (unsigned o = 0; o < 8; o++)
			if (m->outputs >> o & 1)
				buf_printf(&text, " %s", model_names[o]);
		buf_chr(&text, '\n');
	}
	conf_parse_text(c, &d, "model", text.p ? text.p : "", text.len);
	if (d.errors)
		snprintf(model_wrong, sizeof model_wrong, "the model's file has errors: %s\n%.300s", d.v[0].text,
			 buf_cstr(&text));
	router_apply(&model_router, c, model_router.now);
	conf_free(c);
	diags_free(&d);
	buf_free(&text);
}

/* A packet of a flow without an entry. */
static void model_packet(uint64_t random)
{
	struct upcall up = { .kind = UPCALL_NOCACHE, .fam = (enum fam)model_take(&random, FAM_N) };
	unsigned iface = model_take(&random, IFACES);
	const struct iface *i = iface_find_name(&model_router.ifs, model_names[iface]);
	int parent;

	up.flow.source = model_addr(model_sources[up.fam][model_take(&random, SOURCES)]);
	up.flow.group = model_addr(model_groups[up.fam][model_take(&random, GROUPS)]);
	if (!i || i->vif[up.fam] < 0)
		return;
	up.vif = i->vif[up.fam];
	if (fake_mfc(&up.flow, &parent, NULL)) {
		if (parent == up.vif)
			return;
		up.kind = UPCALL_WRONGVIF;
	}
	router_upcall(&model_router, &up, model_router.now);
	if (!fake_mfc(&up.flow, NULL, NULL))
		snprintf(model_wrong, sizeof model_wrong, "a packet came and there is no entry");
}

/* ---- comparing ---- */

/* The bits of VIFs as bits of interfaces. */
static unsigned model_of_vifs(enum fam fam, uint32_t vifs)
{
	unsigned out = 0;

	for (unsigned iface = 0; iface < IFACES; iface++) {
		const struct iface *i = iface_find_name(&model_router.ifs, model_names[iface]);

		if (i && i->vif[fam] >= 0 && vifs >> i->vif[fam] & 1)
			out |= 1u << iface;
	}
	return out;
}

static void model_compare(enum fam fam, unsigned s, unsigned g)
{
	struct flow flow = { model_addr(model_sources[fam][s]), model_addr(model_groups[fam][g]) };
	unsigned char source[16], group[16];
	uint32_t oifs, parents;
	int parent;
	bool covered;

	if (!fake_mfc(&flow, &parent, &oifs))
		return;
	model_bytes(fam, model_sources[fam][s], source);
	model_bytes(fam, model_groups[fam][g], group);
	parents = model_of_vifs(fam, UINT32_C(1) << parent);
	for (unsigned iface = 0; iface < IFACES; iface++) {
		if (!(parents >> iface & 1))
			continue;
		unsigned want = model_decide(fam, iface, source, group, &covered), got = model_of_vifs(fam, oifs);

		if (got != want)
			snprintf(model_wrong, sizeof model_wrong, "(%s, %s) from %s goes to %x and not to %x",
				 model_sources[fam][s], model_groups[fam][g], model_names[iface], got, want);
	}
	if (!parents)
		snprintf(model_wrong, sizeof model_wrong, "(%s, %s) comes in on an interface that is not there",
			 model_sources[fam][s], model_groups[fam][g]);
}

void model_begin(void)
{
	fake_reset();
	fake_journal_on(false);
	log_set_level(LOG_LVL_NONE);
	memset(model_rules, 0, sizeof model_rules);
	memset(model_up, 0, sizeof model_up);
	router_init(&model_router, NULL, NULL);
	model_router.now = 1000;
	for (enum fam f = 0; f < FAM_N; f++) {
		kernel_mroute_open(f, 0);
		router_family(&model_router, f, true);
	}
}

const char *model_step(uint64_t random)
{
	*model_wrong = '\0';
	model_router.now += 10;
	switch (model_take(&random, 16)) {
	case 0: {
		unsigned iface = model_take(&random, IFACES);

		model_link(iface, !model_up[iface]);
		break;
	}
	case 1:
		model_reload(random);
		break;
	case 2:
		router_flush(&model_router);
		break;
	case 3: case 4: case 5: case 6: case 7:
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
	router_shutdown(&model_router);
	fake_reset();
}
