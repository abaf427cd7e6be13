/* SPDX-License-Identifier: ISC
 *
 * Memberships.
 */
#include "tests/fake/parts.h"

#include <errno.h>

#include "kernel/sources.h"

unsigned fake_join_count(enum fam fam) { return fake.join.count[fam]; }
unsigned kernel_group_sources(void) { return fake.system->group_sources; }
const char *kernel_join_limit(int err, enum fam fam) { return fake.system->limit(err, fam); }

static bool member_is_asm(const struct item *i)
{
	return addr_eq(&i->key.flow.source, &(struct addr){ 0 });
}

static void member_go(struct item *i)
{
	if (!member_is_asm(i))
		sources_less((int)i->key.ifindex, &i->key.flow.group);
	item_del(&fake.join, i);
	fake.members_changed = true;
}

void fake_members_go(int ifindex)
{
	for (uint32_t at = fake.join.n; at-- > 0;)
		if (fake.join.v[at].key.ifindex == (uint32_t)ifindex)
			member_go(&fake.join.v[at]);
}

/* How many sources of a group are joined on an interface by sockets of ours, and of whoever we took over from, but for
 * those that are joined by `but`, too. */
static unsigned member_sources(const struct table *t, int ifindex, const struct addr *grp, struct table *but)
{
	unsigned n = 0;

	for (uint32_t at = 0; at < t->n; at++)
		n += t->v[at].key.ifindex == (uint32_t)ifindex && !member_is_asm(&t->v[at]) &&
		     addr_eq(&t->v[at].key.flow.group, grp) && !(but && item_find(but, &t->v[at]));
	return n;
}

/* What no kernel survives that has a limit. */
static void members_check(int ifindex, const struct addr *grp)
{
	fake_must(member_sources(&fake.join, ifindex, grp, NULL) +
		  member_sources(&fake.aside, ifindex, grp, &fake.join) <= FAKE_SOURCES,
		  "has too many sources of a group", addr_fam(grp), ifindex);
}

/* Why nothing can be joined, 0 = it can. */
static int member_lacks(int ifindex, const struct addr *src, const struct addr *grp)
{
	if (!fake_link_is(ifindex))
		return ENODEV;
	if (fake.system->needs_multicast && fake.link[ifindex] & FAKE_NO_MULTICAST)
		return EADDRNOTAVAIL;
	return src && !sources_have_room(ifindex, grp) ? ENOMEM : 0;
}

int kernel_join(int ifindex, const struct addr *src, const struct addr *grp, uint32_t *slot)
{
	struct item key = item_key(ifindex, src, grp);
	int err = fake_planned("join", item_find(&fake.join, &key) ? EADDRINUSE : member_lacks(ifindex, src, grp));

	fake_say_membership("join", ifindex, src, grp);
	if (!err) {
		if (src)
			sources_more(ifindex, grp);
		item_add(&fake.join, &key);
		if (src && fake.system->group_sources)
			members_check(ifindex, grp);
		fake.members_changed = true;
		*slot = (uint32_t)ifindex;
	}
	return fake_done(err);
}

int kernel_leave(int ifindex, const struct addr *src, const struct addr *grp, uint32_t slot)
{
	struct item key = item_key(ifindex, src, grp), *i = item_find(&fake.join, &key);
	int err = fake_planned("leave", i || !fake_link_is(ifindex) ? 0 : EADDRNOTAVAIL);

	(void)slot;
	fake_say_membership("leave", ifindex, src, grp);
	if (!err && i)
		member_go(i);
	return fake_done(err);
}

void fake_member(int ifindex, const struct addr *grp, bool on)
{
	struct item key = item_key(ifindex, NULL, grp), *i = item_find(&fake.others, &key);

	if (on && !i)
		item_add(&fake.others, &key);
	else if (!on && i)
		item_del(&fake.others, i);
	fake.members_changed = true;
}

int kernel_members_read(uint32_t *n)
{
	int err = fake.system->sees_members ? fake_planned("members_read", 0) : EOPNOTSUPP;
	bool differs = fake.members_changed;

	SAY("members");
	*n = err ? 0 : fake.join.n + fake.others.n;
	fake.members_changed = false;
	return fake_done(err) < 0 ? -1 : differs;
}

/* As IPv6 has it for both families. */
static bool members_have(const struct table *t, int ifindex, const struct flow_range *range)
{
	for (uint32_t at = 0; at < t->n; at++) {
		const struct item *i = &t->v[at];
		const struct flow *f = &i->key.flow;

		if (i->key.ifindex == (uint32_t)ifindex &&
		    addr_covers(&range->flow.group, range->group_len, &f->group) &&
		    (addr_eq(&f->source, &(struct addr){ 0 }) ||
		     addr_covers(&range->flow.source, range->source_len, &f->source)))
			return true;
	}
	return false;
}

bool kernel_members_loop(int ifindex, const struct flow_range *range)
{
	return fake.system->sees_members &&
	       (members_have(&fake.join, ifindex, range) || members_have(&fake.others, ifindex, range));
}

void kernel_members_follow(bool on)
{
	SAY("members %s\n", on ? "followed" : "not followed");
}

void kernel_join_close(void)
{
	sources_forget();
	while (fake.join.n)
		item_del(&fake.join, &fake.join.v[fake.join.n - 1]);
}
