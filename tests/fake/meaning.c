/* SPDX-License-Identifier: ISC */
#include "tests/fake/meaning.h"

#include <string.h>

#define MEANING_PAST 32

const char *const meaning_names[MEANING_NAMES] = { "a0", "a1", "a2", "b0", "b1", "a+", "b+", "+" };
struct meaning_limits meaning_limits;
struct meaning_rule meaning_rules[MEANING_RULES];
struct meaning_iface meaning_ifaces[MEANING_IFACES];

/* Times that are remembered. */
static struct meaning_past {
	struct meaning_rule rules[MEANING_RULES];
	struct meaning_iface ifaces[MEANING_IFACES];
} meaning_past[MEANING_PAST];
static unsigned meaning_times;

void meaning_sum(struct meaning_rule *m)
{
	m->outputs = 0;
	for (unsigned o = 0; o < MEANING_OWNERS; o++)
		m->outputs |= m->asked >> o & 1 ? m->own[o] : 0;
	m->is_there = m->asked;
}

static bool meaning_has(unsigned name, unsigned iface)
{
	const char *text = meaning_names[name];

	return text[strlen(text) - 1] == '+' ? !strncmp(text, meaning_names[iface], strlen(text) - 1) : name == iface;
}

bool meaning_uses(unsigned name, unsigned iface)
{
	const struct meaning_iface *i = &meaning_ifaces[iface];

	return meaning_has(name, iface) && i->is_up && !i->is_disabled &&
	       (!i->has_no_multicast || (name < MEANING_IFACES && !meaning_limits.needs_multicast));
}

bool meaning_prefix_has(const unsigned char *prefix, unsigned bits, const unsigned char *address)
{
	for (unsigned i = 0; i < bits; i++)
		if ((prefix[i / 8] ^ address[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

static bool meaning_is_inside(const struct meaning_rule *narrow, const struct meaning_rule *wide)
{
	return (narrow->source_bits != wide->source_bits || narrow->group_bits != wide->group_bits) &&
	       narrow->source_bits >= wide->source_bits && narrow->group_bits >= wide->group_bits;
}

unsigned meaning_decide(enum fam fam, unsigned iface, const unsigned char *source, const unsigned char *group,
			     bool *covered)
{
	const struct meaning_rule *matching[MEANING_RULES];
	unsigned n = 0, out = 0;
	bool stop = false;

	for (const struct meaning_rule *m = meaning_rules; m < meaning_rules + MEANING_RULES; m++)
		if (m->is_there && m->fam == fam && meaning_uses(m->iif, iface) &&
		    meaning_prefix_has(m->source, m->source_bits, source) &&
		    meaning_prefix_has(m->group, m->group_bits, group))
			matching[n++] = m;
	*covered = n > 0;
	for (unsigned i = 0; i < n; i++) {
		bool set_aside = false;

		for (unsigned k = 0; k < n; k++)
			set_aside |= meaning_is_inside(matching[k], matching[i]);
		if (set_aside)
			continue;
		stop |= !matching[i]->outputs;
		for (unsigned o = 0; o < MEANING_NAMES; o++)
			for (unsigned to = 0; to < MEANING_IFACES; to++)
				if (matching[i]->outputs >> o & 1 && meaning_uses(o, to) &&
				    ((o < MEANING_IFACES && !meaning_limits.never_reflects) || to != iface))
					out |= 1u << to;
	}
	return stop ? 0 : out;
}

bool meaning_is_kernels(enum fam fam, unsigned iface, const unsigned char *group)
{
	const unsigned char nobody[16] = { 0 };
	unsigned out;
	bool found = false, covered;

	for (const struct meaning_rule *m = meaning_rules; m < meaning_rules + MEANING_RULES; m++)
		found |= m->is_there && m->in_kernel;
	if (!found || meaning_limits.has_no_any)
		return false;
	found = false;
	out = meaning_decide(fam, iface, nobody, group, &covered);
	for (const struct meaning_rule *m = meaning_rules; m < meaning_rules + MEANING_RULES; m++) {
		if (!m->is_there || m->fam != fam || !meaning_prefix_has(m->group, m->group_bits, group))
			continue;
		for (unsigned i = 0; i < MEANING_IFACES; i++)
			if (out >> i & 1 && meaning_uses(m->iif, i))
				return false;
		if (!meaning_uses(m->iif, iface))
			continue;
		found |= m->in_kernel;
		if (m->source_bits)
			return false;
	}
	return found && !(out >> iface & 1);
}

/* True when a name means any interface that it may use. */
static bool meaning_is_met(unsigned name)
{
	for (unsigned i = 0; i < MEANING_IFACES; i++)
		if (meaning_uses(name, i))
			return true;
	return false;
}

bool meaning_waits(const struct meaning_rule *m)
{
	for (unsigned o = 0; o < MEANING_NAMES; o++)
		if ((o == m->iif || m->outputs >> o & 1) && !meaning_is_met(o))
			return true;
	return false;
}

bool meaning_reflects(const struct meaning_rule *m)
{
	for (unsigned i = 0; i < MEANING_IFACES; i++)
		if (m->outputs >> i & 1 && meaning_uses(m->iif, i))
			return true;
	return false;
}

bool meaning_wants(enum fam fam, unsigned iface)
{
	for (const struct meaning_rule *m = meaning_rules; m < meaning_rules + MEANING_RULES; m++)
		for (unsigned o = 0; m->is_there && m->fam == fam && o < MEANING_NAMES; o++)
			if ((o == m->iif || m->outputs >> o & 1) && meaning_uses(o, iface))
				return true;
	return false;
}

bool meaning_is_static(enum fam fam, unsigned iface, const unsigned char *source, const unsigned char *group)
{
	unsigned bits = fam == FAM_4 ? 32 : 128;

	for (const struct meaning_rule *m = meaning_rules; m < meaning_rules + MEANING_RULES; m++)
		for (unsigned i = 0; i < MEANING_IFACES; i++)
			if (m->is_there && m->fam == fam && m->source_bits == bits && m->group_bits == bits &&
			    (iface == MEANING_IFACES || iface == i) && meaning_uses(m->iif, i) &&
			    meaning_prefix_has(m->source, bits, source) && meaning_prefix_has(m->group, bits, group))
				return true;
	return false;
}

bool meaning_remember(void)
{
	struct meaning_past *past = &meaning_past[meaning_times];

	if (meaning_times == MEANING_PAST)
		return false;
	memcpy(past->rules, meaning_rules, sizeof past->rules);
	memcpy(past->ifaces, meaning_ifaces, sizeof past->ifaces);
	meaning_times++;
	return true;
}

void meaning_forget(void)
{
	meaning_times = 0;
}

/* Exchanges what is and what was. */
static void meaning_exchange(struct meaning_past *past)
{
	struct meaning_past now;

	memcpy(now.rules, meaning_rules, sizeof now.rules);
	memcpy(now.ifaces, meaning_ifaces, sizeof now.ifaces);
	memcpy(meaning_rules, past->rules, sizeof past->rules);
	memcpy(meaning_ifaces, past->ifaces, sizeof past->ifaces);
	*past = now;
}

static unsigned meaning_ups(void)
{
	unsigned ups = 0;

	for (unsigned i = 0; i < MEANING_IFACES; i++)
		ups |= meaning_ifaces[i].is_up ? 1u << i : 0;
	return ups;
}

bool meaning_was(enum fam fam, unsigned iface, const unsigned char *source, const unsigned char *group, unsigned out)
{
	unsigned stayed = meaning_ups();
	bool covered, was = meaning_decide(fam, iface, source, group, &covered) == out;

	/* Of an interface that goes all entries are rid at once. */
	for (unsigned i = meaning_times; !was && i-- > 0;) {
		meaning_exchange(&meaning_past[i]);
		stayed &= meaning_ups();
		was = (meaning_decide(fam, iface, source, group, &covered) & stayed) == out;
		meaning_exchange(&meaning_past[i]);
	}
	return was;
}

static bool meaning_is_same(const struct meaning_rule *a, const struct meaning_rule *b)
{
	return a->is_there && b->is_there && a->fam == b->fam && a->iif == b->iif && a->source_bits == b->source_bits &&
	       a->group_bits == b->group_bits && meaning_prefix_has(a->source, a->source_bits, b->source) &&
	       meaning_prefix_has(a->group, a->group_bits, b->group);
}

unsigned meaning_place(const struct meaning_rule *m)
{
	unsigned free = MEANING_RULES;

	for (unsigned i = 0; i < MEANING_RULES; i++) {
		if (meaning_is_same(&meaning_rules[i], m))
			return i;
		if (!meaning_rules[i].is_there)
			free = i;
	}
	return free;
}
