/* SPDX-License-Identifier: ISC
 *
 * Any bytes as datagrams of rtnetlink: nothing is read outside them, and what
 * is believed is within its bounds.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/linux/rtnl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const unsigned char *p = data;
	struct link_event ev;
	struct rtnl_msg m;

	while (rtnl_next(&p, &size, &m)) {
		rtnl_error(&m);
		if (rtnl_rule(&m, &ev) && !memchr(ev.name, '\0', sizeof ev.name))
			abort();
		if (rtnl_link(&m, &ev)) {
			if (ev.ifindex <= 0 || !memchr(ev.name, '\0', sizeof ev.name))
				abort();
			if (ev.kind == LINK_NEW && !ev.name[0])
				abort();
		}
	}
	return 0;
}
