/* SPDX-License-Identifier: ISC
 *
 * Measured on Linux 6.18: where a packet was routed its TTL is one less (ipmr_queue_xmit(), ip6mr_prepare_xmit());
 * behind that a packet of IPv4 has no inbound interface (ip_mc_output()), one of IPv6 has the outbound one twice
 * (ip6_output()), and before 6.17 so it had at the hook for what is forwarded (ip6mr_forward2()).
 */
#include "kernel/linux/filter.h"

#include <string.h>

#define UDP 17			/* IPPROTO_UDP */

void filter_value(struct filter_value *a, const void *v, const void *known, size_t len)
{
	*a = (struct filter_value){ .len = len < FILTER_VALUE ? len : FILTER_VALUE };
	if (!v)
		return;
	memcpy(a->v, v, a->len);
	if (known)
		memcpy(a->known, known, a->len);
	else
		memset(a->known, 0xff, a->len);
}

bool filter_is_known(const struct filter_value *a, size_t at, size_t len)
{
	if (at + len > a->len)
		return false;
	while (len && a->known[at + len - 1] == 0xff)
		len--;
	return !len;
}

enum match filter_between(const struct filter_value *a, size_t at, const uint8_t *lo, const uint8_t *hi, size_t len)
{
	uint8_t least[FILTER_VALUE], most[FILTER_VALUE];
	bool is_same;

	if (!len || at > a->len || len > a->len - at)
		return MATCH_MAY;
	is_same = !memcmp(lo, hi, len);
	for (size_t i = 0; i < len; i++) {
		uint8_t v = a->v[at + i], known = a->known[at + i];

		least[i] = v & known;
		most[i] = v | (uint8_t)~known;
		/* One value, and a bit of it differs. */
		if (is_same && (v ^ lo[i]) & known)
			return MATCH_NO;
	}
	if (memcmp(most, lo, len) < 0 || memcmp(least, hi, len) > 0)
		return MATCH_NO;
	return memcmp(least, lo, len) >= 0 && memcmp(most, hi, len) <= 0 ? MATCH_YES : MATCH_MAY;
}

enum match filter_masked(const void *v, const void *known, const void *other, const void *mask, size_t len)
{
	const uint8_t *a = v, *k = known, *b = other, *m = mask;
	enum match is = MATCH_YES;

	for (size_t i = 0; i < len; i++) {
		uint8_t bits = k ? k[i] : 0xff;

		if ((a[i] ^ b[i]) & m[i] & bits)
			return MATCH_NO;
		if (m[i] & ~bits)
			is = MATCH_MAY;
	}
	return is;
}

enum match filter_header(const struct filter_packet *f, size_t at, const void *lo, const void *hi, size_t len)
{
	struct filter_value a;

	filter_value(&a, f->ip, f->ip_known, f->v4 ? 20 : 40);
	return filter_between(&a, at, lo, hi, len);
}

enum match filter_port(const struct filter_packet *f, bool is_dst, uint16_t lo, uint16_t hi)
{
	const uint8_t from[] = { (uint8_t)(lo >> 8), (uint8_t)lo }, to[] = { (uint8_t)(hi >> 8), (uint8_t)hi };
	struct filter_value a;

	filter_value(&a, f->ports, f->ports_known, sizeof f->ports);
	return filter_between(&a, is_dst ? 2 : 0, from, to, 2);
}

enum match filter_mark(const struct filter_bits *b, uint32_t mark, uint32_t mask)
{
	if ((b->v ^ mark) & b->known & mask || mark & ~mask)
		return MATCH_NO;
	return mask & ~b->known ? MATCH_MAY : MATCH_YES;
}

void filter_set_mark(struct filter_bits *b, struct filter_bits value, uint32_t mask, bool surely)
{
	uint32_t v = (b->v & ~mask) ^ value.v, known = (b->known | mask) & value.known;

	/* Bits of the value outside of the mask are exchanged: known where they were. */
	b->known = surely ? known : b->known & known & ~(b->v ^ v);
	b->v = v;
}

int filter_ttl(const struct filter_packet *f)
{
	size_t at = f->v4 ? 8 : 7;

	return f->ip_known[at] == 0xff ? f->ip[at] : -1;
}

void filter_set_ttl(struct filter_packet *f, int ttl)
{
	size_t at = f->v4 ? 8 : 7;

	f->ip[at] = (uint8_t)(ttl < 0 ? 0 : ttl);
	f->ip_known[at] = ttl < 0 ? 0 : 0xff;
}

void filter_write(struct filter_packet *f, size_t at, const struct filter_value *a, bool surely)
{
	size_t first = f->v4 ? 12 : 8, end = f->v4 ? 20 : 40;

	for (size_t i = 0; i < a->len && at + i < end; i++) {
		uint8_t same = (uint8_t)~(f->ip[at + i] ^ a->v[i]) & f->ip_known[at + i];

		f->is_changed |= at + i >= first && same != 0xff;
		f->ip_known[at + i] = a->known[i] & (surely ? 0xff : same);
		f->ip[at + i] = a->v[i];
	}
}

void filter_set_group(struct filter_packet *f, const void *address, bool surely)
{
	struct filter_value a;

	filter_value(&a, address, NULL, f->v4 ? 4 : 16);
	filter_write(f, f->v4 ? 16 : 24, &a, surely);
}

bool filter_flow(const struct filter_packet *f, struct flow *flow)
{
	size_t len = f->v4 ? 4 : 16, at = f->v4 ? 12 : 8;
	struct filter_value a;

	filter_value(&a, f->ip, f->ip_known, at + 2 * len);
	*flow = f->p->flow;
	memcpy(flow->source.b + 16 - len, f->ip + at, len);
	memcpy(flow->group.b + 16 - len, f->ip + at + len, len);
	return filter_is_known(&a, at, 2 * len);
}

uint32_t filter_state(const struct filter_packet *f, uint32_t *known)
{
	*known = UINT32_MAX;
	if (f->untracked < 0)
		*known = ~(FILTER_STATE_NEW | FILTER_STATE_UNTRACKED);
	/* Nothing ever answers from a group: each of its packets is new. */
	return f->untracked == 1 ? FILTER_STATE_UNTRACKED : FILTER_STATE_NEW;
}

enum match filter_and(enum match a, enum match b)
{
	return a < b ? a : b;
}

enum match filter_not(enum match m, bool is_inverted)
{
	return !is_inverted || m == MATCH_MAY ? m : m == MATCH_YES ? MATCH_NO : MATCH_YES;
}

static void filter_know(uint8_t *to, uint8_t *known, const void *v, size_t len)
{
	memcpy(to, v, len);
	memset(known, 0xff, len);
}

void filter_begin(struct filter_packet *f, const struct probe_packet *p)
{
	const uint8_t *s = p->flow.source.b, *g = p->flow.group.b;
	bool v4 = flow_fam(&p->flow) == FAM_4;
	const uint8_t mac4[] = { 1, 0, 0x5e, g[13] & 0x7f, g[14], g[15] };	/* RFC 1112, section 6.4 */
	const uint8_t mac6[] = { 0x33, 0x33, g[12], g[13], g[14], g[15] };	/* RFC 2464, section 7 */
	static const uint8_t type[2][2] = { { 0x86, 0xdd }, { 8, 0 } };

	*f = (struct filter_packet){
		.p = p, .v4 = v4, .mark.known = UINT32_MAX,
		.protocol = p->protocol ? p->protocol : UDP,
	};
	filter_know(f->ether, f->ether_known, v4 ? mac4 : mac6, 6);
	filter_know(f->ether + 12, f->ether_known + 12, type[v4], 2);
	f->ip[0] = v4 ? 0x45 : 0x60;
	f->ip_known[0] = v4 ? 0xff : 0xf0;
	filter_know(f->ip + (v4 ? 9 : 6), f->ip_known + (v4 ? 9 : 6), &f->protocol, 1);
	filter_know(f->ip + (v4 ? 16 : 24), f->ip_known + (v4 ? 16 : 24), v4 ? g + 12 : g, v4 ? 4 : 16);
	if (!p->any_source)
		filter_know(f->ip + (v4 ? 12 : 8), f->ip_known + (v4 ? 12 : 8), v4 ? s + 12 : s, v4 ? 4 : 16);
	if (p->ttl)
		filter_set_ttl(f, p->ttl);
	if (p->has_ports)
		filter_know(f->ports, f->ports_known, p->ports, sizeof f->ports);
}

static bool filter_interface(uint32_t *to, char *to_name, int ifindex, const char *name)
{
	*to = (uint32_t)ifindex;
	memset(to_name, 0, KERNEL_IFNAME);
	strncpy(to_name, name ? name : "", KERNEL_IFNAME - 1);
	return ifindex || name;
}

static void filter_in(struct filter_packet *f, int ifindex, const char *name)
{
	f->has_iif = filter_interface(&f->iif, f->iif_name, ifindex, name);
}

static void filter_out(struct filter_packet *f, int ifindex, const char *name)
{
	f->has_oif = filter_interface(&f->oif, f->oif_name, ifindex, name);
}

void filter_at(struct filter_packet *f, enum probe_hook hook)
{
	const struct probe_packet *p = f->p;
	bool is_port = hook <= HOOK_PORT_IN, is_out = hook >= HOOK_AFTER;
	int ttl = filter_ttl(f);

	if (hook == HOOK_FORWARD && ttl > 0)
		filter_set_ttl(f, ttl - 1);
	filter_in(f, is_port ? p->port_in : p->iif, is_port ? p->port_in_name : p->iif_name);
	if (hook >= HOOK_PORT_OUT)
		filter_out(f, p->port_out, p->port_out_name);
	else
		filter_out(f, p->oif, p->oif_name);
	if (hook == HOOK_FORWARD && !f->v4 && !f->has_forward_iif && f->iif != f->oif)
		f->has_iif = false;
	if (hook == HOOK_AFTER && !f->v4)
		filter_in(f, p->oif, p->oif_name);
	else if (is_out)
		filter_in(f, 0, NULL);
	/* None is known to be none, too. */
	f->has_iif |= is_out && (f->v4 || hook != HOOK_AFTER);
	if (hook < HOOK_FORWARD) {
		filter_out(f, 0, NULL);
		f->has_oif = true;
	}
}
