/* SPDX-License-Identifier: ISC */
#include "applets/doctor/evidence_entry.h"

uint64_t evidence_entry_routed(const struct doctor *d, const struct watched *w)
{
	bool is_same = w->had_entry && w->packets_before == w->e.st.packets && w->wrong_before == w->e.st.wrong_if;

	if (!w->has_entry || w->e.unresolved)
		return 0;
	/* As many as before, and the last one came since: it was made anew. */
	if (is_same && d->seconds && w->e.idle_ms < 1000 * ((int64_t)d->seconds - 1))
		return w->e.st.packets / sample_copies(d, &w->e);
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

int evidence_entry_guess(const struct doctor *d, const struct watched *w, uint64_t wrong)
{
	const struct probe_links *links = &d->host.links;
	int only = 0;

	for (const struct probe_link *l = links->v; l < links->v + links->n; l++) {
		if (l->flags & LINK_LOOPBACK || l->ifindex == w->e.iif ||
		    evidence_entry_unrouted(d, l, false) + EVIDENCE_CHATTER(d) < wrong ||
		    !evidence_entry_unrouted(d, l, false))
			continue;
		if (only)
			return 0;
		only = l->ifindex;
	}
	return only;
}
