/* SPDX-License-Identifier: ISC
 *
 * Warnings about rules that meet, against a naive model: every rule held against every other one, every packet sent
 * through all of them.  Their texts are in tests/conf/warn-crossing.ok, warn-ring.ok and warn-alone.ok.
 */
#include "conf/match.h"
#include "conf/read.h"
#include "conf/warn.h"

#include <stdlib.h>
#include <time.h>

#include "tests/unit/test.h"

static uint32_t state = 815;

static unsigned rnd(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state % n;
}

static struct conf *conf;
static struct diags diags;

static void parse(struct buf *text)
{
	conf = conf_new();
	diags = (struct diags){ 0 };
	conf_parse_text(conf, &diags, "test", buf_cstr(text), text->len);
	CHECK_INT(diags.errors, 0);
	diags_free(&diags);
	conf_warn(conf, &diags);
}

static void finish(struct buf *text)
{
	if (test_failed && text->len < 4000)
		printf("# %s\n", buf_cstr(text));
	diags_free(&diags);
	conf_free(conf);
	buf_free(text);
}

/* Warnings that say this. */
static unsigned told(const char *what)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < diags.n; i++)
		n += strstr(diags.v[i].text, what) != NULL;
	return n;
}

/* ---- random rules: each prefix has addresses that no longer one takes in ---- */

static void put_rnd_rule(struct buf *b, const char *const *names, unsigned n, bool has_wide_iifs)
{
	static const char *const lengths[] = { "8", "24", "32" };
	/* One after the other: compilers differ in the order of arguments. */
	unsigned source = rnd(4), group = rnd(3), outputs = rnd(3), s1 = rnd(2), s2 = rnd(2), g1 = rnd(2), g2 = rnd(2);
	char iif[16];

	do
		snprintf(iif, sizeof iif, "%s", names[rnd(n)]);
	while (!has_wide_iifs && strchr(iif, '+'));
	buf_printf(b, "mroute from %s", iif);
	if (source < 3)
		buf_printf(b, " source 10.0.%u.%u/%s", s1, s2 + 1, lengths[source]);
	buf_printf(b, " group 239.0.%u.%u/%s", g1, g2 + 1, lengths[group]);
	for (unsigned i = 0; i < outputs; i++)
		buf_printf(b, "%s%s", i ? " " : " to ", names[rnd(n)]);
	buf_chr(b, '\n');
}

static void put_rnd_rules(struct buf *b, const char *const *names, unsigned n, bool has_wide_iifs)
{
	for (unsigned rules = 2 + rnd(8); rules; rules--)
		put_rnd_rule(b, names, n, has_wide_iifs);
}

/* ---- pairs ---- */

static bool outputs_within(const struct conf_rule *a, const struct conf_rule *b)
{
	const struct conf_set *set = &conf->sets[a->oifs];

	for (uint32_t i = 0; i < set->n; i++) {
		const struct ifname *name = &conf->names[conf->pool[set->off + i]].ifname;
		bool is_in = false;

		for (uint32_t k = 0; k < conf->sets[b->oifs].n; k++) {
			uint16_t id = conf->pool[conf->sets[b->oifs].off + k];

			is_in |= id == conf->pool[set->off + i] || (conf->pool[set->off + i] != a->iif &&
				 ifname_within(name, &conf->names[id].ifname));
		}
		if (!is_in)
			return false;
	}
	return true;
}

static bool iif_covers(const struct conf_rule *a, const struct conf_rule *b)
{
	return ifname_within(&conf->names[b->iif].ifname, &conf->names[a->iif].ifname);
}

/* True when a has the longer source, b the longer group, and they have packets in common that no third rule is for. */
static bool crosses(const struct conf_rule *a, const struct conf_rule *b)
{
	const struct flow_range *x = &a->range, *y = &b->range;
	const struct conf_rule *narrow = iif_covers(a, b) ? b : a;

	if (x->source_len <= y->source_len || x->group_len >= y->group_len ||
	    !addr_covers(&y->flow.source, y->source_len, &x->flow.source) ||
	    !addr_covers(&x->flow.group, x->group_len, &y->flow.group) || (!iif_covers(a, b) && !iif_covers(b, a)))
		return false;
	if (outputs_within(a, b) && outputs_within(b, a))
		return false;
	for (const struct conf_rule *c = conf->mroutes; c < conf->mroutes + conf->nmroutes; c++)
		if (c->range.source_len == x->source_len && addr_eq(&c->range.flow.source, &x->flow.source) &&
		    c->range.group_len == y->group_len && addr_eq(&c->range.flow.group, &y->flow.group) &&
		    iif_covers(c, narrow))
			return false;
	return true;
}

static void pairs(void)
{
	static const char *const names[] = { "a1", "a2", "a+", "b1", "c1" };
	unsigned seen = 0;

	for (int round = 0; round < 4000 && !test_failed; round++) {
		struct buf text = { 0 };
		unsigned want = 0;

		put_rnd_rules(&text, names, 5, true);
		parse(&text);
		for (const struct conf_rule *a = conf->mroutes; a < conf->mroutes + conf->nmroutes; a++) {
			bool is_one = false;

			for (const struct conf_rule *b = conf->mroutes; b < conf->mroutes + conf->nmroutes; b++)
				is_one |= crosses(a, b);
			want += is_one;
		}
		CHECK_INT(told("neither is the narrower"), want);
		seen += want;
		finish(&text);
	}
	CHECK(seen > 1000);
}

/* ---- rules that stop what nobody forwards ---- */

static bool meets(const struct conf_rule *a, const struct conf_rule *b)
{
	const struct flow_range *x = &a->range, *y = &b->range;

	return (iif_covers(a, b) || iif_covers(b, a)) &&
	       (addr_covers(&x->flow.source, x->source_len, &y->flow.source) ||
		addr_covers(&y->flow.source, y->source_len, &x->flow.source)) &&
	       (addr_covers(&x->flow.group, x->group_len, &y->flow.group) ||
		addr_covers(&y->flow.group, y->group_len, &x->flow.group));
}

static void alone(void)
{
	static const char *const names[] = { "a1", "a2", "a+", "b1", "c1" };
	unsigned seen = 0;

	for (int round = 0; round < 2000 && !test_failed; round++) {
		struct buf text = { 0 };
		unsigned want = 0;

		put_rnd_rules(&text, names, 5, true);
		parse(&text);
		for (const struct conf_rule *a = conf->mroutes; a < conf->mroutes + conf->nmroutes; a++) {
			bool is_met = a->oifs;

			for (const struct conf_rule *b = conf->mroutes; b < conf->mroutes + conf->nmroutes; b++)
				is_met |= b->oifs && meets(a, b);
			want += !is_met;
		}
		CHECK_INT(told("forgotten"), want);
		seen += want;
		finish(&text);
	}
	CHECK(seen > 500);
}

/* ---- rings ---- */

static const char *const links[] = { "a1", "a2", "b1", "c1" };

/* Interfaces, as bits, that a packet from one of them is sent to. */
static unsigned sent_to(unsigned from, const struct flow *packet)
{
	unsigned to = 0;

	for (const struct conf_rule *a = conf->mroutes; a < conf->mroutes + conf->nmroutes; a++) {
		bool decides = !match_rule(&conf->names[a->iif].ifname, &a->range, links[from], packet);

		for (const struct conf_rule *b = conf->mroutes; b < conf->mroutes + conf->nmroutes; b++)
			decides &= match_rule(&conf->names[b->iif].ifname, &b->range, links[from], packet) ||
				   !flow_range_is_inside(&b->range, &a->range);
		if (!decides)
			continue;
		if (!a->oifs)
			return 0;
		for (unsigned i = 0; i < 4; i++) {
			struct ifname name = ifname_of(links[i], strlen(links[i]));
			const struct conf_set *set = &conf->sets[a->oifs];

			for (uint32_t k = 0; k < set->n; k++)
				if (ifname_within(&name, &conf->names[conf->pool[set->off + k]].ifname))
					to |= 1u << i;
		}
	}
	return to & ~(1u << from);
}

static bool goes_round(const struct flow *packet)
{
	unsigned to[4];

	for (unsigned i = 0; i < 4; i++)
		to[i] = sent_to(i, packet);
	for (unsigned via = 0; via < 4; via++)
		for (unsigned i = 0; i < 4; i++)
			to[i] |= to[i] & 1u << via ? to[via] : 0;
	for (unsigned i = 0; i < 4; i++)
		if (to[i] & 1u << i)
			return true;
	return false;
}

static bool some_packet_goes_round(void)
{
	static const char *const sources[] = { "10.0.0.1", "10.0.0.2", "10.0.0.9", "10.0.1.1", "10.0.1.2", "10.0.1.9",
		"10.9.9.9", "11.1.1.1" };
	static const char *const groups[] = { "239.0.0.1", "239.0.0.2", "239.0.0.9", "239.0.1.1", "239.0.1.2",
		"239.0.1.9", "239.9.9.9" };
	struct flow packet;

	for (size_t s = 0; s < sizeof sources / sizeof *sources; s++)
		for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
			addr_parse(sources[s], strlen(sources[s]), &packet.source);
			addr_parse(groups[g], strlen(groups[g]), &packet.group);
			if (goes_round(&packet))
				return true;
		}
	return false;
}

static bool has_stops(const struct conf *c)
{
	bool is_one = false;

	for (uint32_t i = 0; i < c->nmroutes; i++)
		is_one |= !c->mroutes[i].oifs;
	return is_one;
}

static void rings(void)
{
	static const char *const names[] = { "a1", "a2", "b1", "c1", "a+" };
	unsigned seen = 0, rounds = 6000;

	for (unsigned round = 0; round < rounds && !test_failed; round++) {
		struct buf text = { 0 };
		bool is_told, want;

		put_rnd_rules(&text, names, 5, false);
		parse(&text);
		is_told = told("ring,") || told("the other way");
		want = some_packet_goes_round();
		/* A rule without outputs may itself be set aside for a part of the packets that it stops: with such
		 * rules a ring of that part alone is not found. */
		if (has_stops(conf))
			CHECK(!is_told || want);
		else
			CHECK_INT(is_told, want);
		seen += is_told;
		finish(&text);
	}
	CHECK(seen > rounds / 10 && seen < rounds * 9 / 10);
}

/* ---- sizes ---- */

/* Each has a kind of its own to make the work grow with the square of the rules. */
static void put_many(struct buf *b, int kind, unsigned i)
{
	unsigned x = i >> 16 & 255, y = i >> 8 & 255, z = i & 255;

	if (kind == 0)
		buf_printf(b, "mroute from e0 source 10.%u.%u.%u group 239.0.0.0/8 to e1\n"
			   "mroute from e0 group 239.%u.%u.%u to e%u\n", x, y, z, x, y, z, 2 + i % 9);
	else if (kind == 1)
		buf_printf(b, "mroute from e%u source 10.0.0.0/%u group 239.%u.%u.%u/%u to e%u\n", i % 30,
			   8 + i % 24, x, y, z, 9 + i % 23, (i + 1) % 30);
	else if (kind == 2)
		buf_printf(b, "mroute from e%u group 239.0.0.1 to e%u\n", i, i + 1);
	else
		buf_printf(b, "mroute from e0 source 10.%u.%u.%u group 239.0.0.1%s\n", x, y, z, i % 2 ? "" : " to e1");
}

static void many_rules(void)
{
	for (int kind = 0; kind < 4; kind++) {
		struct buf text = { 0 };
		clock_t start;

		for (unsigned i = 0; i < 50000; i++)
			put_many(&text, kind, i);
		start = clock();
		parse(&text);
		printf("# measured: %u rules, %u warnings, %u kept: %.2f s\n", conf->nmroutes, diags.warnings, diags.n,
		       (double)(clock() - start) / CLOCKS_PER_SEC);
		CHECK(told("would decide") <= 100);
		CHECK(told("ring,") + told("the other way") <= 100);
		CHECK(told("forgotten") <= 100);
		if (kind == 0)
			CHECK(told("more rules match packets of others") == 1);
		finish(&text);
	}
}

TEST_MAIN(TEST(pairs) TEST(alone) TEST(rings) TEST(many_rules))
