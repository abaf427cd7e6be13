/* SPDX-License-Identifier: ISC */
#include "tests/fake/meaning.h"

#include <string.h>

const char *const meaning_names[MEANING_NAMES] = { "a0", "a1", "a2", "b0", "b1", "a+", "b+", "+" };
struct meaning_rule meaning_rules[MEANING_RULES];
bool meaning_up[MEANING_IFACES];

static bool meaning_has(unsigned name, unsigned iface)
{
	const char *text = meaning_names[name];

	return text[strlen(text) - 1] == '+' ? !strncmp(text, meaning_names[iface], strlen(text) - 1) : name == iface;
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
		if (m->is_there && m->fam == fam && meaning_has(m->iif, iface) &&
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
				if (matching[i]->outputs >> o & 1 && meaning_has(o, to) && meaning_up[to] &&
				    (o < MEANING_IFACES || to != iface))
					out |= 1u << to;
	}
	return stop ? 0 : out;
}

bool meaning_is_kernels(enum fam fam, unsigned iface, const unsigned char *group)
{
	const unsigned char nobody[16] = { 0 };
	unsigned out;
	bool found = false, covered;

	out = meaning_decide(fam, iface, nobody, group, &covered);
	for (const struct meaning_rule *m = meaning_rules; m < meaning_rules + MEANING_RULES; m++) {
		if (!m->is_there || m->fam != fam || !meaning_prefix_has(m->group, m->group_bits, group))
			continue;
		for (unsigned i = 0; i < MEANING_IFACES; i++)
			if (out >> i & 1 && meaning_has(m->iif, i))
				return false;
		if (!meaning_has(m->iif, iface))
			continue;
		found |= m->in_kernel;
		if (m->source_bits)
			return false;
	}
	return found && meaning_up[iface] && !(out >> iface & 1);
}
