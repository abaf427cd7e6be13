/* SPDX-License-Identifier: ISC
 *
 * Any bytes as messages of the routing sockets and of those for neighbours: nothing is
 * read outside them, and what is believed is within its bounds.
 */
#include <stdlib.h>

#include "kernel/mrdisc.h"
#include "kernel/report.h"
#include "kernel/linux/mroute_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upcall up;

	for (enum fam f = FAM_4; f < FAM_N; f++) {
		if (mroute_upcall(f, data, size, &up))
			if (up.fam != f || up.vif < 0 || up.vif >= KERNEL_VIFS ||
			    addr_fam(&up.flow.source) != f || !addr_is_multicast(&up.flow.group, 128))
				abort();
		if (mrdisc_is_solicit(f, data, size) && size < 4)
			abort();
		if (report_query_version(f, data, size) > (size < 12 ? 2u : 3u))
			abort();
	}
	return 0;
}
