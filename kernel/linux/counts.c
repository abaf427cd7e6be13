/* SPDX-License-Identifier: ISC
 *
 * Counters of (*,G) entries, which SIOCGETSGCNT asks for by source and group alone (net/ipv4/ipmr.c, ipmr_ioctl): of
 * several of a group it finds one.  /proc/net/ip_mr_cache and ip6_mr_cache have all, of the default table.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel.h"
#include "kernel/linux/mroute_codec.h"
#include "lib/lines.h"

/* An IPv4 address is a number of this machine, in whose memory it stands as in a packet; one of IPv6 is in full. */
static bool counts_addr(enum fam fam, const char *word, struct addr *a)
{
	addr_any(fam, a, &(uint8_t){ 0 });
	if (fam == FAM_6)
		return addr_parse(word, strlen(word), a) == ADDR_OK;
	a->w[3] = (uint32_t)strtoul(word, NULL, 16);
	return strspn(word, "0123456789ABCDEF") == 8;
}

int kernel_counts_any(enum fam fam, kernel_counts_fn *fn, void *ctx)
{
	enum { GROUP, SOURCE, IIF, PACKETS, BYTES, WRONG, WORDS };
	struct mfc_stats st;
	char *line, *w[WORDS];
	struct flow flow;
	struct lines l;

	if (lines_open(&l, fam == FAM_4 ? "/proc/net/ip_mr_cache" : "/proc/net/ip6_mr_cache") < 0)
		return -1;
	while ((line = lines_next(&l))) {
		if (lines_words(line, w, WORDS) < WORDS || !counts_addr(fam, w[GROUP], &flow.group) ||
		    !counts_addr(fam, w[SOURCE], &flow.source) || !flow_any_source(&flow))
			continue;
		mroute_stats(&st, strtoull(w[PACKETS], NULL, 10), strtoull(w[BYTES], NULL, 10),
			     strtoull(w[WRONG], NULL, 10));
		fn(ctx, &flow.group, (int)strtol(w[IIF], NULL, 10), &st);
	}
	lines_close(&l);
	return 0;
}
