/* SPDX-License-Identifier: ISC
 *
 * The signatures, measured on Linux 6.18.  A packet passes these points in turn: reverse path filter (TcpExt
 * IPReversePathFilter), table and entry (its packet counters), TTL and MTU of each output (the VIF's counter; Ip
 * FragFails), packet filter (Ip ForwDatagrams, IpExt OutMcastPkts).  It ended before the first that did not move.
 */
#include "applets/doctor/verdict.h"

/* Samples are not taken at one instant, and other flows count on the same counters. */
static bool verdict_is_most(uint64_t part, uint64_t whole)
{
	return part && part >= whole - whole / 2;
}

static enum verdict verdict_of_routed(const struct flow_diff *d)
{
	if (!d->outputs)
		return VERDICT_NO_RULE;
	if (verdict_is_most(d->lacking, d->right)) {
		if (verdict_is_most(d->frag_fails, d->lacking))
			return VERDICT_MTU;
		return d->output_down || (d->seen && d->ttl > d->threshold) ? VERDICT_OUTPUT : VERDICT_TTL;
	}
	/* IPv6 looks at the MTU behind the packet filter (net/ipv6/ip6_output.c). */
	if (verdict_is_most(d->unsent, d->out))
		return verdict_is_most(d->frag_fails, d->unsent) ? VERDICT_MTU : VERDICT_FIREWALL;
	return VERDICT_FINE;
}

enum verdict verdict_of(const struct flow_diff *d)
{
	if (d->right)
		return verdict_of_routed(d);
	/* IPv6 counts a packet as wrong even where it came in on no MIF. */
	if (d->wrong && d->vif)
		return VERDICT_WRONG_IIF;
	if (d->unresolved)
		return VERDICT_NO_RULE;
	if (d->seen ? d->rp_refuses : verdict_is_most(d->rp_filter, d->arrived))
		return VERDICT_RP_FILTER;
	if (!d->arrived && !d->wrong)
		return VERDICT_NOTHING;
	if (d->other_table)
		return VERDICT_TABLE;
	/* On a VIF and in no counter: it did not come as far as the entry. */
	if (!d->vif)
		return VERDICT_NO_VIF;
	return d->seen ? VERDICT_FIREWALL : VERDICT_NOTHING;
}
