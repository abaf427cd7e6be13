/* SPDX-License-Identifier: ISC
 *
 * Which interfaces get a VIF or MIF, in the order in which the configuration
 * refers to them, and which give theirs back.  Nobody else adds or removes one.
 */
#include "router/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void log_vif(const struct iface *i, enum fam fam, int vif, const char *what)
{
	log_at(LOG_LVL_DEBUG, "%s: %s %d%s", i->name, fam == FAM_4 ? "VIF" : "MIF", vif, what);
}

void vif_leave(struct router *r, enum fam fam, struct iface *i)
{
	sync_vif(r, fam, i->vif[fam], true);
	iface_slot_free(&r->ifs, fam, i);
}

bool vif_release_unwanted(struct router *r, enum fam fam)
{
	bool any = false;

	for (int vif = 0; vif < KERNEL_VIFS; vif++) {
		struct iface *i = iface_by_vif(&r->ifs, fam, vif);

		if (!i || i->wanted[fam])
			continue;
		vif_leave(r, fam, i);
		if (kernel_vif_del(fam, vif) < 0)
			sync_failed(r);
		log_vif(i, fam, vif, " released");
		any = true;
	}
	return any;
}

static void vif_take(struct router *r, enum fam fam, struct iface *i)
{
	bool waited = i->waits[fam];
	int vif;

	do
		vif = iface_slot_alloc(&r->ifs, fam, i);
	while (vif < 0 && vif_release_unwanted(r, fam));
	i->waits[fam] = vif < 0;
	if (vif < 0) {
		if (!waited)
			log_notice("%s: all %d %s interfaces of the kernel are taken, it waits for one",
				   i->name, KERNEL_VIFS, fam_str(fam));
		return;
	}
	int err = kernel_vif_add(fam, vif, i->ifindex, i->ttl) < 0 ? errno : 0;

	i->vif_errno[fam] = (int16_t)err;
	if (err) {
		iface_slot_free(&r->ifs, fam, i);
		sync_failed(r);
		log_err("%s: the kernel refused it as a multicast interface for %s: %s", i->name,
			fam_str(fam), strerror(err));
		return;
	}
	i->table[fam] = TABLE_UNKNOWN;
	if (fam == FAM_4)
		r->ttl[vif] = i->ttl;
	log_vif(i, fam, vif, "");
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

void vif_assign(struct router *r, enum fam fam)
{
	const struct conf *c = r->conf;
	struct iface *i = NULL;
	uint32_t n = 0;

	if (!r->up[fam])
		return;
	struct ranked *order = malloc((c->nnames + 1) * sizeof *order);

	if (!order) {
		sync_failed(r);
		return;
	}
	while ((i = iface_next(&r->ifs, i)))
		i->wanted[fam] = IFACE_UNWANTED;
	for (uint32_t id = 0; id < c->nnames; id++) {
		if (!c->names[id].refs[fam])
			continue;
		order[n++] = (struct ranked){ c->names[id].first[fam], (uint16_t)id };
		while ((i = iface_match(&r->ifs, &c->names[id].ifname, i)))
			if (iface_usable(i))
				i->wanted[fam] = IFACE_WANTED;
	}
	while ((i = iface_next(&r->ifs, i)))
		i->waits[fam] &= i->wanted[fam] == IFACE_WANTED;
	qsort(order, n, sizeof *order, by_rank);
	for (uint32_t k = 0; k < n; k++)
		while ((i = iface_match(&r->ifs, &c->names[order[k].name].ifname, i)))
			if (i->vif[fam] < 0 && i->wanted[fam] == IFACE_WANTED) {
				i->wanted[fam] = IFACE_TRIED;
				vif_take(r, fam, i);
			}
	free(order);
}
