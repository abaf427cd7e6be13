/* SPDX-License-Identifier: ISC
 *
 * Which interfaces get a VIF or MIF, in the order in which the configuration
 * refers to them, and which give theirs back.  Nobody else adds or removes one.
 */
#include "router/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void vif_release(struct router *r, enum fam fam, uint32_t at)
{
	int vif = r->ifs.v[at].vif[fam];

	sync_leave_vif(r, fam, vif);
	if (kernel_vif_del(fam, vif) < 0)
		sync_failed(r, errno);
	log_debug("%s: %s %d released", r->ifs.v[at].name, fam == FAM_4 ? "VIF" : "MIF", vif);
	iface_slot_free(&r->ifs, fam, at);
}

bool vif_release_unwanted(struct router *r, enum fam fam)
{
	bool any = false;

	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		const struct iface *i = iface_by_vif(&r->ifs, fam, vif);

		if (i && !i->wanted[fam]) {
			vif_release(r, fam, r->ifs.vif[fam][vif]);
			any = true;
		}
	}
	return any;
}

static void vif_take(struct router *r, enum fam fam, uint32_t at)
{
	struct iface *i = &r->ifs.v[at];
	int vif = iface_slot_alloc(&r->ifs, fam, at);

	if (vif < 0 && vif_release_unwanted(r, fam))
		vif = iface_slot_alloc(&r->ifs, fam, at);
	if (vif < 0 && !i->waits[fam])
		log_notice("%s: all %d %s interfaces of the kernel are taken, it waits for one",
			   i->name, KERNEL_VIFS, fam_str(fam));
	i->waits[fam] = vif < 0;
	if (vif < 0)
		return;
	if (kernel_vif_add(fam, vif, i->ifindex, i->ttl) < 0) {
		int err = errno;

		iface_slot_free(&r->ifs, fam, at);
		i->vif_errno[fam] = (int16_t)err;
		sync_failed(r, err);
		log_err("%s: the kernel refused it as a multicast interface for %s: %s", i->name,
			fam_str(fam), strerror(err));
		return;
	}
	i->vif_errno[fam] = 0;
	i->table_told[fam] = false;
	if (fam == FAM_4)
		r->ttl[vif] = i->ttl;
	log_debug("%s: %s %d", i->name, fam == FAM_4 ? "VIF" : "MIF", vif);
}

struct ranked {
	uint32_t rank;
	uint16_t name;
};

static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Calls fn for each usable interface that a name means. */
static void each_match(struct router *r, uint16_t id, void (*fn)(struct router *, enum fam, uint32_t), enum fam fam)
{
	const struct conf_name *n = &r->conf->names[id];

	if (!n->wild) {
		uint32_t at = iface_find_name(&r->ifs, n->name);

		if (at != IFACE_NONE && iface_usable(&r->ifs.v[at]))
			fn(r, fam, at);
		return;
	}
	for (uint32_t at = 0; at < r->ifs.n; at++)
		if (r->ifs.v[at].ifindex && iface_usable(&r->ifs.v[at]) &&
		    iface_name_matches(r->ifs.v[at].name, n->name, n->len, true))
			fn(r, fam, at);
}

static void mark_wanted(struct router *r, enum fam fam, uint32_t at)
{
	if (!r->ifs.v[at].wanted[fam])
		r->ifs.v[at].wanted[fam] = IFACE_WANTED;
}

static void take_wanted(struct router *r, enum fam fam, uint32_t at)
{
	struct iface *i = &r->ifs.v[at];

	if (i->vif[fam] < 0 && i->wanted[fam] == IFACE_WANTED) {
		i->wanted[fam] = IFACE_TRIED;
		vif_take(r, fam, at);
	}
}

int vif_assign(struct router *r, enum fam fam)
{
	const struct conf *c = r->conf;
	struct ranked *order = malloc((c->nnames + 1) * sizeof *order);
	uint32_t n = 0;

	if (!order)
		return -1;
	for (uint32_t id = 0; id < c->nnames; id++)
		if (c->names[id].refs[fam])
			order[n++] = (struct ranked){ c->names[id].first[fam], (uint16_t)id };
	qsort(order, n, sizeof *order, by_rank);
	for (uint32_t at = 0; at < r->ifs.n; at++)
		r->ifs.v[at].wanted[fam] = IFACE_UNWANTED;
	for (uint32_t k = 0; k < n; k++)
		each_match(r, order[k].name, mark_wanted, fam);
	for (uint32_t at = 0; at < r->ifs.n; at++)
		r->ifs.v[at].waits[fam] &= r->ifs.v[at].wanted[fam] != IFACE_UNWANTED;
	for (uint32_t k = 0; k < n; k++)
		each_match(r, order[k].name, take_wanted, fam);
	free(order);
	return 0;
}
