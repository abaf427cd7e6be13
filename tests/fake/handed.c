/* SPDX-License-Identifier: ISC
 *
 * Sockets that one process hands to another.
 */
#include "tests/fake/parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/sources.h"

void kernel_fds(kernel_fd_fn *fn, void *ctx)
{
	char name[KERNEL_FDNAME];

	for (unsigned kind = 0; kind < KINDS; kind++)
		for (enum fam fam = 0; fam < FAM_N; fam++)
			if (*fake_kind_open(kind, fam)) {
				snprintf(name, sizeof name, "%s%d", fake_kind_names[kind], fake_digit(fam));
				fn(ctx, name, fake_kind_fd(kind, fam));
			}
	if (fake.join.n)
		fn(ctx, "member.1", FAKE_MEMBER_FD);
	for (enum fam fam = 0; fam < FAM_N; fam++)
		for (int i = 0; i < FAKE_LINKS; i++)
			if (fake.heard[fam][i]) {
				snprintf(name, sizeof name, "advert%d.%d", fake_digit(fam), i);
				fn(ctx, name, FAKE_MEMBER_FD + 1);
			}
}

void kernel_fds_follow(kernel_fd_follow_fn *fn, void *ctx)
{
	fake.follow = fn;
	fake.follow_ctx = ctx;
}

/* Moves all memberships to a table where nobody finds them. */
static void members_move(struct table *to, struct table *from)
{
	for (; from->n; item_del(from, &from->v[from->n - 1]))
		if (!item_find(to, &from->v[from->n - 1]))
			item_add(to, &from->v[from->n - 1]);
}

void kernel_release(void)
{
	SAY("release\n");
	fake.follow = NULL;
	for (unsigned kind = 0; kind < KINDS; kind++)
		for (enum fam fam = 0; fam < FAM_N; fam++) {
			if (*fake_kind_open(kind, fam))
				fake.handed[kind][fam] = HANDED_HELD;
			*fake_kind_open(kind, fam) = false;
		}
	for (enum fam fam = 0; fam < FAM_N; fam++)
		for (int i = 0; i < FAKE_LINKS; i++) {
			fake.advert[fam][i] = fake.heard[fam][i] ? HANDED_HELD : HANDED_NONE;
			fake.heard[fam][i] = 0;
		}
	members_move(&fake.aside, &fake.join);
	sources_forget();
	fake.members = fake.aside.n ? HANDED_HELD : HANDED_NONE;
	fake.link_open = false;
}

/* An interface that is advertised on, by the name of its socket: HANDED_NONE for another name. */
static uint8_t *advert_of(const char *name)
{
	static uint8_t none;
	unsigned digit, ifindex;

	if (sscanf(name, "advert%1u.%u", &digit, &ifindex) == 2 && ifindex < FAKE_LINKS)
		return &fake.advert[digit == 6 ? FAM_6 : FAM_4][ifindex];
	none = HANDED_NONE;
	return &none;
}

int kernel_adopt(const char *name, int fd, uint32_t table)
{
	enum handed *h = NULL;
	int err = EINVAL;
	char known[KERNEL_FDNAME];

	(void)fd;
	(void)table;
	for (unsigned kind = 0; kind < KINDS; kind++)
		for (enum fam fam = 0; fam < FAM_N; fam++) {
			snprintf(known, sizeof known, "%s%d", fake_kind_names[kind], fake_digit(fam));
			if (!strcmp(name, known))
				h = &fake.handed[kind][fam];
		}
	if (!strncmp(name, "member", 6))
		h = &fake.members;
	if (h)
		err = *h == HANDED_OFFERED ? EEXIST : *h == HANDED_NONE ? ESTALE : 0;
	else if (*advert_of(name) == HANDED_HELD)
		err = 0;
	err = fake_planned("adopt", err);
	SAY("adopt %s", name);
	if (!err && h)
		*h = HANDED_OFFERED;
	else if (!err)
		*advert_of(name) = HANDED_OFFERED;
	return fake_done(err);
}

unsigned kernel_join_settled(void)
{
	bool any = fake.members == HANDED_OFFERED;

	if (any)
		SAY("settled\n");
	/* What nobody has joined meanwhile is seen on the wire. */
	for (; any && fake.aside.n; item_del(&fake.aside, &fake.aside.v[fake.aside.n - 1])) {
		const struct item *i = &fake.aside.v[fake.aside.n - 1];
		bool is_asm = addr_eq(&i->key.flow.source, &(struct addr){ 0 });

		if (item_find(&fake.join, i))
			continue;
		fake_say_membership("lost", (int)i->key.ifindex, is_asm ? NULL : &i->key.flow.source,
				    &i->key.flow.group);
		fake_done(0);
	}
	if (any)
		fake.members = HANDED_NONE;
	memset(fake.advert, HANDED_NONE, sizeof fake.advert);
	return any;
}
