/* SPDX-License-Identifier: ISC
 * See match.h. */
#include "conf/match.h"

#include <string.h>

/* Takes a line that means the interface into account. */
static void phyint_consider(struct phyint_match *m, const struct phyint *line)
{
	if (line->enable >= 0 && (!m->enable_line || ifname_within(&line->ifname, &m->enable_line->ifname))) {
		m->enable_line = line;
		m->is_disabled = !line->enable;
	}
	if (line->ttl && (!m->ttl_line || ifname_within(&line->ifname, &m->ttl_line->ifname))) {
		m->ttl_line = line;
		m->ttl = line->ttl;
	}
	if (line->refresh && (!m->refresh_line || ifname_within(&line->ifname, &m->refresh_line->ifname))) {
		m->refresh_line = line;
		m->refresh = line->refresh;
	}
	m->has_mrdisc |= line->mrdisc;
}

struct phyint_match match_phyint(const struct phyint *v, uint32_t n, const char *interface)
{
	struct phyint_match m = { .ttl = 1 };

	for (; n; v++, n--)
		if (ifname_matches(&v->ifname, interface))
			phyint_consider(&m, v);
	return m;
}

struct phyint_match match_conf_phyint(const struct conf *c, const struct ifname *name)
{
	struct phyint_match m = { .ttl = 1 };
	uint16_t id = conf_name_find(c, name->text, strlen(name->text));

	if (id == CONF_NONE)
		id = match_wider(c, name);
	for (; id != CONF_NONE; id = match_wider(c, &c->names[id].ifname)) {
		uint32_t phyint = c->names[id].phyint;

		if (phyint)
			phyint_consider(&m, &c->phyints[phyint - 1]);
	}
	return m;
}

uint16_t match_wider(const struct conf *c, const struct ifname *name)
{
	uint16_t id = CONF_NONE;
	char wide[IFNAME_SIZE];

	memcpy(wide, name->text, sizeof wide);
	for (int len = (int)name->len - name->is_wildcard; id == CONF_NONE && len >= 0; len--) {
		/* A name of 15 bytes has no room for a '+' behind it. */
		if (len + 2 > IFNAME_SIZE)
			continue;
		wide[len] = '+';
		id = conf_name_find(c, wide, (size_t)len + 1);
	}
	return id;
}

unsigned match_rule(const struct ifname *from, const struct flow_range *range, const char *iif,
		    const struct flow *packet)
{
	const struct flow *f = &range->flow;

	return (ifname_matches(from, iif) ? 0u : MISS_IIF) |
	       (addr_covers(&f->group, range->group_len, &packet->group) ? 0u : MISS_GROUP) |
	       (addr_covers(&f->source, range->source_len, &packet->source) ? 0u : MISS_SOURCE);
}

bool match_link_local(const struct addr *group, unsigned len)
{
	if (addr_fam(group) == FAM_4)
		return len >= ADDR_V4_BITS + 24 && group->b[12] == 224 && !group->b[13] && !group->b[14];
	unsigned scope = group->b[1] & 0xf;

	return len >= 16 && (scope == 1 || scope == 2);
}

bool match_is_ssm(const struct addr *group, unsigned len)
{
	if (addr_fam(group) == FAM_4)
		return len >= ADDR_V4_BITS + 8 && group->b[12] == 232;
	return len >= 32 && group->b[1] >> 4 == 3 && !group->b[2] && !group->b[3];
}

bool match_stays_here(const struct addr *source)
{
	static const struct addr none, self = { .b = { [15] = 1 } };

	if (addr_fam(source) == FAM_4)
		return source->b[12] == 0 || source->b[12] == 127 || source->w[3] == UINT32_MAX;
	return addr_eq(source, &none) || addr_eq(source, &self) ||
	       (source->b[0] == 0xfe && (source->b[1] & 0xc0) == 0x80);
}

bool match_range_stays(const struct flow_range *range)
{
	const struct addr *source = &range->flow.source;
	unsigned len = range->source_len;

	if (flow_range_any_source(range) || !match_stays_here(source))
		return false;
	/* The first address stays; so do all where the range is no wider than what match_stays_here() knows. */
	if (addr_fam(source) == FAM_4 && source->b[12] == 255)
		return len == 128;
	return len >= (addr_fam(source) == FAM_4 ? ADDR_V4_BITS + 8u : source->b[0] ? 10u : 127u);
}
