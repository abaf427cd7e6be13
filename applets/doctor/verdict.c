/* SPDX-License-Identifier: ISC
 *
 * Measured on Linux 6.18: TTL and MTU are compared before the VIF counts a copy (ipmr_queue_xmit()), but for IPv6,
 * where the MTU is compared behind the packet filter (ip6_finish_output()).  The packet filter before routing comes
 * before the reverse path filter, and before both what disable_ipv6 drops (ip6_rcv_core()).
 */
#include "applets/doctor/verdict.h"

struct losses {
	struct loss *v;
	unsigned n;
};

static uint64_t verdict_less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t verdict_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t verdict_slack(const struct evidence *e, uint64_t n)
{
	return 3 + n / 32 + e->unread;
}

/* Packets that are seen come in and go out within a moment; and what VIFs and the host count is read before what
 * entries count, and again after it. */
static uint64_t verdict_slack_out(const struct evidence *e, uint64_t n)
{
	return 2 + n / 128 + e->unread;
}

static void verdict_add(struct losses *l, enum verdict verdict, uint64_t n, uint64_t of)
{
	if (l->n < LOSSES)
		l->v[l->n++] = (struct loss){ verdict, n, of };
}

uint64_t verdict_routed(const struct evidence *e)
{
	uint64_t n;

	if (!e->is_seen)
		return e->right.hi;
	n = verdict_less(e->right.hi, e->late);
	/* While the router is asked for one that it makes anew the kernel may lose a few: they got to none. */
	if (e->is_fresh && n)
		return verdict_min(n, e->ip);
	return n + verdict_slack(e, e->ip) < e->ip ? n : e->ip;
}

/* None of it gets to the entry. */
static void verdict_none_in(const struct evidence *e, struct losses *l)
{
	uint64_t n = e->is_seen ? e->ip : e->wrong;

	if (e->lacks_family)
		verdict_add(l, VERDICT_FAMILY, n, n);
	if (e->is_seen && e->filter == FILTER_DROPS)
		verdict_add(l, VERDICT_FIREWALL, n, n);
	if (e->is_regrouped && !l->n)
		verdict_add(l, VERDICT_CHANGED, n, n);
	if (e->is_regrouped)
		return;
	if (e->stays_here)
		verdict_add(l, VERDICT_SOURCE, n, n);
	if (e->rp_refuses && !e->stays_here)
		verdict_add(l, VERDICT_RP_FILTER, n, n);
	if (e->has_other_table)
		verdict_add(l, VERDICT_TABLE, n, n);
	else if (!e->has_vif)
		verdict_add(l, VERDICT_NO_VIF, n, n);
	else if (e->is_unresolved && !e->stays_here)
		verdict_add(l, VERDICT_NO_ANSWER, n, n);
	else if (e->has_entry && !e->is_here)
		verdict_add(l, VERDICT_WRONG_IIF, n, n);
	if (!l->n && e->is_changed)
		verdict_add(l, VERDICT_CHANGED, n, n);
	if (!l->n && e->broken >= e->ip)
		verdict_add(l, VERDICT_BROKEN, n, n);
	if (!l->n && e->refused + verdict_slack(e, n) >= n && e->refused)
		verdict_add(l, VERDICT_RP_FILTER, n, n);
	if (!l->n && e->has_marked_table && e->filter == FILTER_PASSES)
		verdict_add(l, VERDICT_TABLE, n, n);
	if (!l->n)
		verdict_add(l, e->filter == FILTER_LIMITS ? VERDICT_LIMIT : VERDICT_LOST_IN, n, n);
}

/* Between the wire and the IP stack.  What is mended first shows the next, so all are told. */
static void verdict_lost_below(const struct evidence *e, uint64_t lost, struct losses *l)
{
	if (e->port_stops)
		verdict_add(l, VERDICT_PORT_IN, lost, e->wire);
	if (e->ingress == FILTER_DROPS)
		verdict_add(l, VERDICT_FIREWALL, lost, e->wire);
	if (e->is_kept)
		verdict_add(l, VERDICT_KEPT, lost, e->wire);
	if (!l->n && e->is_changed)
		verdict_add(l, VERDICT_CHANGED, lost, e->wire);
	if (!l->n)
		verdict_add(l, e->ingress == FILTER_LIMITS ? VERDICT_LIMIT : VERDICT_INGRESS, lost, e->wire);
}

unsigned verdict_in(const struct evidence *e, struct loss v[LOSSES])
{
	struct losses l = { v, 0 };
	uint64_t lost = verdict_less(e->wire, e->ip);

	if (!e->is_seen) {
		/* IPv6 counts a packet as wrong even where it came in on no MIF. */
		if (!e->right.hi && (e->wrong || e->is_unresolved))
			verdict_none_in(e, &l);
		return l.n;
	}
	if (lost > verdict_slack_out(e, e->wire) && !e->is_lower)
		verdict_lost_below(e, lost, &l);
	lost = verdict_less(e->ip, e->right.hi);
	if (e->ip && !e->right.hi)
		verdict_none_in(e, &l);
	else if (lost > verdict_slack(e, e->ip) && !e->stays_here && e->broken >= lost)
		verdict_add(&l, VERDICT_BROKEN, lost, e->ip);
	else if (lost > verdict_slack(e, e->ip) && !e->stays_here && !e->is_fresh)
		verdict_add(&l, e->filter == FILTER_LIMITS ? VERDICT_LIMIT : VERDICT_LOST_IN, lost, e->ip);
	return l.n;
}

/* The packets were seen: which ones an output does not take is known. */
static void verdict_out_seen(const struct evidence *e, const struct evidence_out *o, uint64_t came, struct losses *l)
{
	uint64_t lost = verdict_less(came, o->left.hi), low, large, slack = verdict_slack_out(e, came);

	/* Some were lost, before the entry or behind it: it was read so late that this cannot be told. */
	if (came < e->ip && !lost && !e->is_fresh && e->right.hi + verdict_slack(e, e->ip) >= e->ip &&
	    o->left.hi + verdict_slack(e, e->ip) < e->ip) {
		verdict_add(l, VERDICT_UNSURE, e->ip - o->left.hi, e->ip);
		return;
	}
	/* A rule of the packet filter may have raised the TTL since, or allowed fragments: then nothing lacks. */
	low = verdict_min(lost, o->low.hi);
	if (low && (lost > slack || low == o->low.hi))
		verdict_add(l, VERDICT_TTL, low, came);
	else
		low = 0;
	lost -= low;
	large = verdict_min(lost, o->large.hi);
	if (large && (lost > slack || large == o->large.hi))
		verdict_add(l, VERDICT_MTU, large, came);
	else
		large = 0;
	lost -= large;
	/* What is known to stop the others is told with it. */
	if (l->n && o->filter == FILTER_DROPS)
		verdict_add(l, VERDICT_FIREWALL, came, came);
	if (lost <= slack || (l->n && o->filter == FILTER_DROPS))
		return;
	/* The MTU of a route may be less than that of its interface; of IPv6 it is heeded behind the VIF. */
	if (e->fam == FAM_6 && o->filter != FILTER_DROPS && e->frag_fails + slack >= lost)
		verdict_add(l, VERDICT_MTU, lost, came);
	else if (came - low - large > o->vif.hi + verdict_slack(e, came))
		verdict_add(l, e->frag_fails + slack >= lost ? VERDICT_MTU : e->ipsec + slack >= lost ?
			    VERDICT_IPSEC : VERDICT_TTL_CHANGED, lost, came);
	else if (o->filter == FILTER_DROPS)
		verdict_add(l, VERDICT_FIREWALL, lost, came);
	else if (o->filter == FILTER_LIMITS)
		verdict_add(l, VERDICT_LIMIT, lost, came);
	else if (o->is_regrouped)
		verdict_add(l, VERDICT_CHANGED, lost, came);
	else
		verdict_add(l, o->queue_drops + slack >= lost - lost / 8 ? VERDICT_QUEUE : VERDICT_LOST_OUT, lost,
			    came);
}

/* Only counters were seen. */
static void verdict_out_counted(const struct evidence *e, const struct evidence_out *o, uint64_t came,
				struct losses *l)
{
	uint64_t slack = verdict_slack_out(e, came), lost = verdict_less(came, o->vif.hi);
	bool is_large = e->fam == FAM_4 && o->large.hi && o->large.hi + slack >= lost;
	enum verdict behind;

	/* Of many sources some may have a TTL of 1 on purpose, as what this host says itself. */
	if (e->is_many && o->left.hi && verdict_less(came, o->left.hi) > slack) {
		verdict_add(l, VERDICT_UNSURE, came - o->left.hi, came);
		return;
	}
	if (lost > slack || (came && !o->vif.hi)) {
		/* Failures to fragment far beyond what lacks are of other packets, some of them may be. */
		verdict_add(l, is_large && o->large.hi > lost + lost / 4 + slack ? VERDICT_UNSURE : is_large ?
			    VERDICT_MTU : e->ipsec && e->ipsec + slack >= lost ? VERDICT_IPSEC : VERDICT_TTL, lost,
			    came);
		return;
	}
	/* Behind the VIF: what the IP stack lacks may be what the driver lacks, more of it than not: what this host
	 * itself sends to other groups counts with what it sent of these. */
	lost = verdict_less(came, o->left.hi);
	if (e->fam == FAM_6 && o->large.hi && o->large.hi + slack >= lost)
		behind = o->large.hi > lost + lost / 4 + slack ? VERDICT_UNSURE : VERDICT_MTU;
	else if (o->queue_drops + slack >= lost - lost / 8 && came - o->sent.lo <= slack)
		behind = VERDICT_QUEUE;
	else
		behind = !o->is_hidden && 2 * (came - o->sent.lo) + slack >= lost ? VERDICT_FIREWALL :
			 VERDICT_LOST_OUT;
	if (lost > slack || (came && !o->left.hi))
		verdict_add(l, behind, lost, came);
	else if (verdict_less(came, o->left.lo) > slack)
		verdict_add(l, o->filter == FILTER_DROPS ? VERDICT_FIREWALL : VERDICT_UNSURE, came - o->left.lo, came);
}

/* What the driver itself dropped of what was seen to leave: the other end of a veth pair, or of a tunnel, say. */
static void verdict_out_driver(const struct evidence *e, const struct evidence_out *o, uint64_t came,
			       struct losses *l)
{
	if (o->unsent > verdict_slack(e, came))
		verdict_add(l, VERDICT_DRIVER, verdict_min(o->unsent, came), came);
}

/* From the output into a bridge and to its ports.  A port that should get them got all at most that it sent. */
static void verdict_out_bridge(const struct evidence *e, const struct evidence_out *o, uint64_t came, struct losses *l)
{
	uint64_t got = o->port ? o->port_got : o->most, lost = verdict_less(came, got);
	bool is_short = lost > verdict_slack_out(e, came) || !got;

	if (is_short && o->ports == FILTER_DROPS && !o->is_unwanted)
		verdict_add(l, VERDICT_FIREWALL, lost, came);
	else if (o->port && is_short)
		verdict_add(l, VERDICT_PORT, lost, came);
	else if (!o->port && o->is_unwanted && e->is_seen && got)
		return;			/* it has just begun to snoop */
	else if (is_short)
		verdict_add(l, VERDICT_NOBODY, o->is_unwanted ? came : lost, came);
	else if (o->is_unwanted && !e->is_seen)
		verdict_add(l, VERDICT_UNSURE, came, came);
}

/* What else would stop them, once the output takes any. */
static void verdict_out_known(const struct evidence *e, const struct evidence_out *o, uint64_t came,
			      struct losses *l)
{
	if (!e->is_seen)
		return;
	if (o->low.lo)
		verdict_add(l, VERDICT_TTL, verdict_min(o->low.lo, came), came);
	if (o->large.lo)
		verdict_add(l, VERDICT_MTU, verdict_min(o->large.lo, came), came);
	if (o->filter == FILTER_DROPS)
		verdict_add(l, VERDICT_FIREWALL, came, came);
}

unsigned verdict_out(const struct evidence *e, const struct evidence_out *o, struct loss v[LOSSES])
{
	struct losses l = { v, 0 };
	uint64_t came = verdict_routed(e);

	if (!came)
		return 0;
	if (o->is_down || o->lacks_carrier)
		verdict_add(&l, VERDICT_OUTPUT, came, came);
	else if (o->lacks_family)
		verdict_add(&l, VERDICT_FAMILY, came, came);
	else if (o->lacks_route && verdict_less(came, o->vif.hi) > verdict_slack(e, came))
		verdict_add(&l, VERDICT_ROUTE, verdict_less(came, o->vif.hi), came);
	if (l.n)
		verdict_out_known(e, o, came, &l);
	else if (e->is_seen)
		verdict_out_seen(e, o, came, &l);
	else
		verdict_out_counted(e, o, came, &l);
	if (!l.n)
		verdict_out_driver(e, o, came, &l);
	if (!l.n && o->bridge)
		verdict_out_bridge(e, o, came, &l);
	return l.n;
}
