/* SPDX-License-Identifier: ISC */
#include "applets/doctor/evidence_entry.h"

uint64_t evidence_entry_routed(const struct doctor *d, const struct watched *w)
{
	if (!w->has_entry || w->e.unresolved)
		return 0;
	return sample_more(w->had_entry ? w->packets_before : 0, w->e.st.packets) / sample_copies(d, &w->e);
}

uint64_t evidence_entry_unrouted(const struct doctor *d, const struct probe_link *l, bool is_all)
{
	const struct probe_link *was = sample_before(d, l);
	const struct host_vifs *vifs = &d->after.vifs;
	uint64_t in = 0, routed = 0;

	if (was)
		in = l->multicast ? sample_more(was->multicast, l->multicast) : sample_more(was->packets, l->packets);
	for (int i = 0; i < vifs->n; i++)
		if (vifs->v[i].ifindex == l->ifindex)
			routed += vifs->v[i].st.in_packets;
	routed -= is_all ? routed : 0;
	return in > routed ? in - routed : 0;
}
