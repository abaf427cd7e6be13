/* SPDX-License-Identifier: ISC
 *
 * Not a test by itself: asks the packet filters of this host about a packet and
 * prints each chain that does not surely let it pass, a line each.
 *
 *	probe_filter IIF OIF SOURCE GROUP TTL PORT
 */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/probe.h"

static void told(void *ctx, const struct probe_chain *c)
{
	static const char *const fates[] = {
		[FATE_DROPPED] = "drop", [FATE_BY_CHANCE] = "chance", [FATE_UNKNOWN] = "may",
		[FATE_LOWERED] = "lowered", [FATE_RENAMED] = "renamed",
	};

	(void)ctx;
	printf("%s %s %s %s %s %llu %u\n", fates[c->fate], c->family, c->table, c->name,
	       c->rule_chain ? c->rule_chain : "-", (unsigned long long)c->rule, c->ttl);
}

/* The route to the source leads out of an interface. */
static tristate leads_out(const struct addr *src, int iif)
{
	struct probe_route r = { .n = 0 };

	if (probe_route(src, &r) < 0)
		return -1;
	for (unsigned i = 0; !r.none && i < r.n; i++)
		if (r.oif[i] == iif)
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	struct probe_packet p = { .has_ports = true, .protocol = 17, .is_frame = 1 };
	struct filters *f = probe_filters_open();
	unsigned port;

	if (argc != 7 || !f)
		return 1;
	p.iif_name = argv[1];
	p.oif_name = argv[2];
	p.iif = (int)if_nametoindex(argv[1]);
	p.oif = (int)if_nametoindex(argv[2]);
	addr_parse(argv[3], strlen(argv[3]), &p.flow.source);
	addr_parse(argv[4], strlen(argv[4]), &p.flow.group);
	p.ttl = (uint8_t)atoi(argv[5]);
	port = (unsigned)atoi(argv[6]);
	for (unsigned i = 0; i < sizeof p.ports; i += 2) {
		p.ports[i] = (uint8_t)(port >> 8);
		p.ports[i + 1] = (uint8_t)port;
	}
	p.routes_back = leads_out(&p.flow.source, p.iif);
	for (unsigned i = 0; i < PROBE_FILTERS; i++)
		if (probe_filters_error(f, i))
			printf("unread %u: %s\n", i, strerror(probe_filters_error(f, i)));
	probe_filters_judge(f, HOOK_PORT_INGRESS, HOOK_EGRESS, &p, told, NULL);
	probe_filters_close(f);
	return 0;
}
