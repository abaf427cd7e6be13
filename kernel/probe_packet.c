/* SPDX-License-Identifier: ISC */
#include "kernel/probe_packet.h"

#include <netinet/in.h>
#include <string.h>

#define PROBE_PIM 103			/* IPPROTO_PIM */

static bool probe_packet_sum_wrong(const uint8_t *p, size_t n)
{
	size_t len = (size_t)(p[0] & 15) * 4;
	uint32_t sum = 0;

	if (len < 20 || len > n)
		return len < 20;
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16) != 0xffff;
}

/* Goes on to the header behind those of IPv6 that may stand before it; *at becomes its place, *is_rest whether this is
 * a fragment other than the first.  Returns its protocol. */
static uint8_t probe_packet_next6(const uint8_t *p, size_t n, size_t *at, bool *is_rest)
{
	uint8_t next = p[6];

	*at = 40;
	*is_rest = false;
	while ((next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT) && *at + 8 <= n) {
		const uint8_t *h = p + *at;

		*is_rest |= next == IPPROTO_FRAGMENT && (h[2] || h[3] & 0xf8);
		*at += next == IPPROTO_FRAGMENT ? 8 : ((size_t)h[1] + 1) * 8;
		next = h[0];
	}
	return next;
}

/* ICMPv6 to groups that hosts and routers of one link say to each other: MLD (RFC 3810, section 5), neighbours and
 * routers (RFC 4861, section 4), multicast router discovery (RFC 4286). */
static bool probe_packet_is_control6(const uint8_t *p, size_t n, size_t at, uint8_t next)
{
	uint8_t type;

	if (next == PROBE_PIM)
		return true;
	if (next != IPPROTO_ICMPV6 || at >= n)
		return false;
	type = p[at];
	return (type >= 130 && type <= 137) || type == 143 || (type >= 151 && type <= 153);
}

/* The ports of UDP and TCP, where the header of IP ends at `at`. */
static void probe_packet_ports(struct probe_sniffed *s, const uint8_t *p, size_t n, size_t at, uint8_t protocol)
{
	s->protocol = protocol;
	s->has_ports = (protocol == IPPROTO_UDP || protocol == IPPROTO_TCP) && at + sizeof s->ports <= n;
	if (s->has_ports)
		memcpy(s->ports, p + at, sizeof s->ports);
}

bool probe_packet_decode(const uint8_t *p, size_t n, struct probe_sniffed *s)
{
	uint8_t len, next;
	size_t at;

	if (n >= 20 && p[0] >> 4 == 4) {
		addr_any(FAM_4, &s->flow.source, &len);
		s->flow.group = s->flow.source;
		memcpy(s->flow.source.b + 12, p + 12, 4);
		memcpy(s->flow.group.b + 12, p + 16, 4);
		s->ttl = p[8];
		s->len = (uint32_t)p[2] << 8 | p[3];
		s->is_whole = p[6] & 0x40;
		s->is_rest = p[6] & 0x1f || p[7];
		s->is_control = p[9] == IPPROTO_IGMP || p[9] == PROBE_PIM;
		s->is_broken = probe_packet_sum_wrong(p, n);
		probe_packet_ports(s, p, n, (size_t)(p[0] & 15) * 4, p[9]);
		return true;
	}
	if (n >= 40 && p[0] >> 4 == 6) {
		memcpy(s->flow.source.b, p + 8, 16);
		memcpy(s->flow.group.b, p + 24, 16);
		s->ttl = p[7];
		s->len = ((uint32_t)p[4] << 8 | p[5]) + 40;
		s->is_whole = true;
		next = probe_packet_next6(p, n, &at, &s->is_rest);
		s->is_control = probe_packet_is_control6(p, n, at, next);
		s->is_broken = false;
		probe_packet_ports(s, p, n, at, next);
		return true;
	}
	return false;
}
