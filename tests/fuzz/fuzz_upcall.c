/* SPDX-License-Identifier: ISC
 *
 * Any bytes as messages of the routing and router discovery sockets: nothing is
 * read outside them, and what is believed is within its bounds.
 */
#include <stdlib.h>

#include "kernel/mrdisc.h"
#include "kernel/linux/mroute_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mrdisc_msg msg, back;
	uint8_t out[MRDISC_MAX];
	struct upcall up;

	for (enum fam f = FAM_4; f < FAM_N; f++) {
		if (mroute_upcall(f, data, size, &up))
			if (up.fam != f || up.vif < 0 || up.vif >= KERNEL_VIFS ||
			    addr_fam(&up.flow.source) != f || !addr_is_multicast(&up.flow.group, 128))
				abort();
		if (!mrdisc_decode(f, data, size, &msg))
			continue;
		if (!mrdisc_decode(f, out, mrdisc_encode(f, &msg, out), &back) ||
		    back.kind != msg.kind || back.interval != msg.interval ||
		    back.query_interval != msg.query_interval || back.robustness != msg.robustness)
			abort();
	}
	return 0;
}
