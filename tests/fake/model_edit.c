/* SPDX-License-Identifier: ISC
 *
 * What clients and files ask for.  An edit that lacks memory changes nothing.
 */
#include <errno.h>
#include <string.h>

#include "conf/read.h"
#include "router/mark.h"
#include "tests/fake/meaning.h"
#include "tests/fake/model_parts.h"

/* Bits of prefixes, from all to none. */
static const unsigned model_source_bits[FAM_N][5] = { { 32, 31, 24, 8, 0 }, { 128, 127, 64, 16, 0 } };
static const unsigned model_group_bits[FAM_N][5] = { { 32, 31, 24, 8, 4 }, { 128, 127, 112, 32, 8 } };

struct model_join model_joins[MODEL_JOINS];
unsigned model_joined[FAM_N];

static struct conf *model_conf;			/* that is being applied */
static struct meaning_rule model_next[MEANING_RULES];	/* its rules */
static struct model_join model_next_joins[MODEL_JOINS];
static struct meaning_iface model_next_ifaces[MEANING_IFACES];

/* ---- rules ---- */

/* A rule that the random number makes up. */
static struct meaning_rule model_make_rule(uint64_t *random)
{
	struct meaning_rule m = { .is_there = true, .fam = (enum fam)model_take(random, FAM_N) };

	m.iif = model_take(random, 8);
	m.source_bits = model_source_bits[m.fam][model_take(random, 5)];
	m.group_bits = model_group_bits[m.fam][model_take(random, 5)];
	model_bytes(m.fam, model_sources[m.fam][model_take(random, MODEL_SOURCES)], m.source);
	model_bytes(m.fam, model_groups[m.fam][model_take(random, MODEL_GROUPS)], m.group);
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

struct flow_range model_range(const struct meaning_rule *m)
{
	unsigned at = m->fam == FAM_4 ? 12 : 0;
	struct flow_range range = { .source_len = (uint8_t)(m->source_bits + at * 8),
				    .group_len = (uint8_t)(m->group_bits + at * 8) };

	range.flow.source = range.flow.group = model_addr(m->fam == FAM_4 ? "0.0.0.0" : "::");
	memcpy(range.flow.source.b + at, m->source, 16 - at);
	memcpy(range.flow.group.b + at, m->group, 16 - at);
	addr_mask(&range.flow.source, range.source_len);
	addr_mask(&range.flow.group, range.group_len);
	return range;
}

struct ifname model_ifname(unsigned name)
{
	return ifname_of(meaning_names[name], strlen(meaning_names[name]));
}

void model_fill_rule(struct change_rule *rule, struct ifname *oifs, const struct meaning_rule *m,
		     unsigned outputs)
{
	rule->range = model_range(m);
	rule->iif = model_ifname(m->iif);
	rule->oifs = oifs;
	rule->noifs = 0;
	for (unsigned o = 0; o < MEANING_NAMES; o++)
		if (outputs >> o & 1)
			oifs[rule->noifs++] = model_ifname(o);
}

static void model_remove(const struct change_rule *rule, unsigned outputs, struct meaning_rule *m, unsigned owner)
{
	uint32_t id = rules_find(&model_router.rules, &model_router.rules.routes, &rule->iif, &rule->range);
	struct meaning_rule next = *m;
	bool has_any = model_take_claims(&next, owner, outputs);
	int res;

	if (id == HASH_NONE) {
		model_say("a rule is lost");
		return;
	}
	res = change_remove(&model_router, rule, id);
	if (!res)
		*m = next;
	if (res < 0 && errno == ENOMEM && model_is_scarce)
		model_read_claims(m);
	else if (res < 0 ? errno != ENOENT || has_any : !has_any)
		model_say(res < 0 ? "a rule cannot be removed" : "what is not there was removed");
}

static void model_add(const struct change_rule *rule, enum change_how how, struct meaning_rule *place,
		      struct meaning_rule m, unsigned owner)
{
	unsigned outputs = m.outputs;
	uint32_t id;
	int res = change_add(&model_router, rule, how, &id);

	if (res < 0 && (!model_is_scarce || errno != ENOMEM))
		model_say("a rule cannot be added");
	if (res < 0)
		return;
	/* The word is one of the file. */
	if (m.in_kernel)
		m.in_kernel = model_say_kernel(rule);
	if (place->is_there) {
		place->in_kernel |= m.in_kernel;
		m = *place;
	}
	model_add_claim(&m, owner, how == CHANGE_MORE, outputs);
	*place = m;
}

void model_edit(uint64_t random, unsigned owner)
{
	unsigned verb = model_take(&random, 4), pick = model_take(&random, MEANING_RULES), place;
	struct ifname oifs[MEANING_NAMES];
	struct change_rule rule = { .oifs = oifs };
	struct meaning_rule m = model_make_rule(&random);

	place = meaning_place(&m);
	if (verb == 3 && meaning_rules[pick].is_there) {
		/* What is removed is there, most often; its addresses are those of the model. */
		place = pick;
		m = meaning_rules[pick];
		m.outputs = random & 1 ? m.outputs & (unsigned)(random >> 1 & 255) : 0;
		if (owner >= OWNER_NAMED && m.asked >> owner & 1 && random >> 9 & 1)
			m.outputs = m.own[owner];
	} else if (verb != 3 && owner >= OWNER_NAMED && meaning_rules[pick].is_there && random & 1) {
		/* Somebody else asks for it too. */
		place = pick;
		m = meaning_rules[pick];
		m.outputs = (unsigned)(random >> 1 & 255);
		m.in_kernel = false;
	}
	if (place == MEANING_RULES || (verb == 3 && !meaning_rules[place].is_there))
		return;
	model_fill_rule(&rule, oifs, &m, m.outputs);
	model_begin_scarce();
	rule.owner = model_hold_owner(owner);
	if (rule.owner == HASH_NONE && !model_is_scarce)
		model_say("an owner cannot be held");
	else if (rule.owner != HASH_NONE && verb == 3)
		model_remove(&rule, m.outputs, &meaning_rules[place], owner);
	else if (rule.owner != HASH_NONE)
		model_add(&rule, verb ? CHANGE_MORE : CHANGE_REPLACE, &meaning_rules[place], m, owner);
	if (rule.owner != HASH_NONE)
		owner_drop(&model_router.rules.owners, rule.owner);
	router_sync(&model_router);
	model_end_scarce();
}

/* ---- joins ---- */

static struct flow_range model_join_range(const struct model_join *j)
{
	struct flow flow = { .group = model_addr(model_groups[j->fam][j->group]) };
	struct flow_range range;

	flow.source = model_addr(j->source < MODEL_SOURCES ? model_sources[j->fam][j->source] :
				 j->fam == FAM_4 ? "0.0.0.0" : "::");
	range = flow_range_of(&flow);
	if (j->source == MODEL_SOURCES)
		range.source_len = j->fam == FAM_4 ? 96 : 0;
	return range;
}

void model_edit_join(uint64_t random)
{
	struct model_join *place = &model_joins[model_take(&random, MODEL_JOINS)], j = *place;
	const struct ruleset *rules = &model_router.rules;
	struct flow_range range;
	struct ifname iif;
	int res;

	if (!j.is_there) {
		j = (struct model_join){ true, (enum fam)model_take(&random, FAM_N), model_take(&random, MEANING_NAMES),
					 model_take(&random, MODEL_SOURCES + 1), model_take(&random, MODEL_GROUPS) };
		for (unsigned k = 0; k < MODEL_JOINS; k++)
			if (model_joins[k].is_there && model_joins[k].fam == j.fam && model_joins[k].iif == j.iif &&
			    model_joins[k].source == j.source && model_joins[k].group == j.group)
				return;
	}
	range = model_join_range(&j);
	iif = model_ifname(j.iif);
	model_begin_scarce();
	if (place->is_there) {
		res = change_leave(&model_router, rules_find(rules, &rules->joins, &iif, &range), OWNER_UNNAMED);
		j.is_there = false;
	} else {
		res = change_join(&model_router, &iif, &range, OWNER_UNNAMED);
		model_joined[j.fam] |= 1u << j.group;
	}
	if (res < 0 && (!model_is_scarce || errno != ENOMEM))
		model_say("a join cannot be changed");
	if (!res)
		*place = j;
	router_sync(&model_router);
	model_end_scarce();
}

/* ---- files ---- */

/* The rules of a file are in force from now on. */
static void model_applied(void *ctx)
{
	(void)ctx;
	meaning_remember();
	memcpy(meaning_rules, model_next, sizeof meaning_rules);
	memcpy(model_joins, model_next_joins, sizeof model_joins);
	for (unsigned i = 0; i < MEANING_IFACES; i++)
		model_next_ifaces[i].is_up = meaning_ifaces[i].is_up;
	for (unsigned i = 0; i < MEANING_IFACES; i++)
		model_next_ifaces[i].has_no_multicast = meaning_ifaces[i].has_no_multicast;
	memcpy(meaning_ifaces, model_next_ifaces, sizeof meaning_ifaces);
	if (model_is_heir)
		model_restore_claims();
}

const struct router_ops model_ops = { .applied = model_applied, .event = model_event };

void model_go_on(unsigned n)
{
	model_begin_scarce();
	if (model_router.apply)
		router_apply_step(&model_router, n, model_router.now);
	else if (router_is_busy(&model_router))
		router_tick(&model_router, model_router.now);
	model_end_scarce();
	if (!model_router.apply)
		model_free_edits();
}

void model_free_edits(void)
{
	conf_free(model_conf);
	model_conf = NULL;
}

void model_settle(void)
{
	for (unsigned turns = 0; router_is_busy(&model_router); turns++) {
		if (turns > 100000) {
			model_say("it is busy for ever");
			return;
		}
		model_go_on(1000);
	}
	meaning_forget();
}

/* What the file says of a rule. */
static void model_print_rule(struct buf *text, const struct meaning_rule *m)
{
	struct flow_range range = model_range(m);
	char s[ADDR_STRLEN], g[ADDR_STRLEN];

	buf_printf(text, "mroute from %s", meaning_names[m->iif]);
	if (m->source_bits)
		buf_printf(text, " source %s/%u", addr_str(&range.flow.source, s), m->source_bits);
	buf_printf(text, " group %s/%u", addr_str(&range.flow.group, g), m->group_bits);
	if (m->in_kernel)
		buf_str(text, " kernel");
	if (m->own[OWNER_CONFIG])
		buf_str(text, " to");
	for (unsigned o = 0; o < MEANING_NAMES; o++)
		if (m->own[OWNER_CONFIG] >> o & 1)
			buf_printf(text, " %s", meaning_names[o]);
	buf_chr(text, '\n');
}

/* The text of the file, from what the next state is to be. */
static void model_print(struct buf *text, unsigned from)
{
	for (unsigned i = 0; i < MEANING_IFACES; i++) {
		const struct meaning_iface *iface = &model_next_ifaces[i];

		if (iface->is_disabled || iface->has_mrdisc || iface->has_refresh || iface->ttl)
			buf_printf(text, "phyint %s%s%s%s", meaning_names[i], iface->is_disabled ? " disable" : "",
				   iface->has_mrdisc ? " mrdisc" : "", iface->has_refresh ? " refresh 10" : "");
		if (iface->ttl)
			buf_printf(text, " ttl-threshold %u", iface->ttl);
		buf_chr(text, '\n');
	}
	for (unsigned k = 0; k < MEANING_RULES; k++)
		if (model_next[(from + k * 7) % MEANING_RULES].asked >> OWNER_CONFIG & 1)
			model_print_rule(text, &model_next[(from + k * 7) % MEANING_RULES]);
	for (const struct model_join *j = model_next_joins; j < model_next_joins + MODEL_JOINS; j++) {
		if (!j->is_there)
			continue;
		buf_printf(text, "mgroup from %s", meaning_names[j->iif]);
		if (j->source < MODEL_SOURCES)
			buf_printf(text, " source %s", model_sources[j->fam][j->source]);
		buf_printf(text, " group %s\n", model_groups[j->fam][j->group]);
	}
}

void model_reload(uint64_t random, bool is_same)
{
	struct diags d = { 0 };
	struct buf text = { 0 };
	unsigned from = model_take(&random, MEANING_RULES), drop = model_take(&random, MEANING_RULES * 2);
	unsigned off = model_take(&random, MEANING_IFACES * 4);
	struct meaning_iface *iface = &model_next_ifaces[off % MEANING_IFACES];

	for (unsigned k = 0; k < MEANING_RULES; k++)
		model_next[k] = model_in_file(&meaning_rules[k]);
	memcpy(model_next_joins, model_joins, sizeof model_next_joins);
	memcpy(model_next_ifaces, meaning_ifaces, sizeof model_next_ifaces);
	if (!is_same) {
		if (drop < MEANING_RULES)
			model_drop_file(&model_next[drop]);
		if (drop < MODEL_JOINS)
			model_next_joins[drop].is_there = false;
		if (off < MEANING_IFACES)
			model_next_ifaces[off].is_disabled = !model_next_ifaces[off].is_disabled;
		iface->has_mrdisc ^= model_take(&random, 4) == 0;
		iface->has_refresh ^= model_take(&random, 4) == 0;
		iface->ttl = model_take(&random, 4) ? iface->ttl : model_take(&random, 256);
	}
	model_print(&text, from);
	model_conf = conf_new();
	conf_parse_text(model_conf, &d, "model", text.p ? text.p : "", text.len);
	if (d.errors)
		model_say("the model's file has errors: %s\n%.300s", d.v[0].text, buf_cstr(&text));
	model_begin_scarce();
	if (router_apply_begin(&model_router, model_conf) < 0)
		model_free_edits();
	else if (model_is_scarce)
		model_go_on(1000);
	model_end_scarce();
	diags_free(&d);
	buf_free(&text);
}
