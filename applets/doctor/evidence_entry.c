/* SPDX-License-Identifier: ISC */
#include "applets/doctor/evidence_entry.h"

uint64_t evidence_entry_routed(const struct doctor *d, const struct watched *w)
{
	if (!w->has_entry || w->e.unresolved)
		return 0;
	return sample_more(w->had_entry ? w->packets_before : 0, w->e.st.packets) / sample_copies(d, &w->e);
}
