/* SPDX-License-Identifier: ISC
 *
 * A packet that comes from outside is counted by the interface that receives it, in its driver or, for a virtual one,
 * where it hands the packet on, and then by its entry, once (net/ipv4/ipmr.c and net/ipv6/ip6mr.c, ip_mr_forward()).
 * A copy that the host gives to itself is counted by the entry again and by no interface (net/core/dev.c,
 * dev_loopback_xmit()).  So an entry that counts more packets than its interface has received has some that came back.
 * What else an entry counts without an interface is left out or allowed for:
 *	- packets that this host sends itself: entries with a source of its own are not looked at;
 *	- IPv4 counts a copy that comes back on another output (ip_mr_forward(), "It is our own packet, looped back"):
 *	  each output may have one of each packet;
 *	- what tc puts into an interface (net/sched/act_mirred.c, ingress) is counted by none: who does that on an
 *	  interface whose packets go out there again is told of a storm that is none;
 *	- drivers that bring their counters up to date now and then: those of the interface are read a tick before and a
 *	  tick after those of the entry, so that they cover a longer time, and twice as much is allowed.
 */
#include "router/storm.h"

#include <stdlib.h>

#define STORM_MS 2000		/* between two steps: drivers count that often */
#define STORM_EACH_MS 60000
#define STORM_SAMPLES 32	/* entries that are looked at in one go; the next time others */
#define STORM_LEAST 100		/* packets that come back and are worth a line */

enum { STORM_RECEIVED_BEFORE, STORM_ENTRY_BEFORE, STORM_ENTRY_AFTER, STORM_RECEIVED_AFTER };

struct storm_sample {
	struct flow flow;
	int ifindex;
	unsigned outputs;
	uint64_t received;		/* by the interface, before */
	uint64_t packets;		/* of the entry: before, then how many more */
	bool is_lost;			/* something could not be read */
};

void storm_free(struct storm *t)
{
	free(t->v);
	*t = (struct storm){ 0 };
}

static uint64_t storm_received(struct router *r, struct storm_sample *s)
{
	const struct iface *i = iface_find(&r->ifs, s->ifindex);
	uint64_t n = 0;

	s->is_lost |= !i || kernel_received(i->name, &n) < 0;
	return n;
}

static uint64_t storm_packets(struct storm_sample *s)
{
	struct mfc_stats st = { 0 };

	s->is_lost |= kernel_mfc_stats(&s->flow, &st) < 0;
	return st.packets;
}

/* Finds entries to look at, from where the last search ended. */
static void storm_choose(struct router *r)
{
	struct storm *t = &r->storm;

	t->v = calloc(STORM_SAMPLES, sizeof *t->v);
	for (uint32_t k = 0; t->v && k < r->mfc.n && t->n < STORM_SAMPLES; k++) {
		const struct mfc *e = &r->mfc.v[t->place++ % r->mfc.n];
		const struct iface *i = iface_by_vif(&r->ifs, flow_fam(&e->flow), e->iif);

		if (e->state == MFC_FREE || !(e->flags & MFC_REFLECTS) || !(e->flags & MFC_INSTALLED) ||
		    !(e->oifs >> e->iif & 1) || !i || kernel_is_own(&e->flow.source))
			continue;
		t->v[t->n] = (struct storm_sample){ .flow = e->flow, .ifindex = i->ifindex,
						    .outputs = (unsigned)__builtin_popcount(e->oifs) };
		t->v[t->n].received = storm_received(r, &t->v[t->n]);
		t->n++;
	}
}

/* Says so when more came back than can be explained. */
static void storm_judge(struct router *r, struct storm_sample *s)
{
	uint64_t after = storm_received(r, s), received = after - s->received;
	char flow[FLOW_STRLEN];

	/* An interface that never counted one does not count. */
	if (s->is_lost || !after || after < s->received || s->packets < STORM_LEAST ||
	    s->packets / 2 / s->outputs <= received)
		return;
	r->count.multiplied++;
	log_limited(&r->lim_storm, r->now, LOG_LVL_ERR, "%s multiplies: its entry counted %llu packets within %d s and "
		    "%s received %llu of all kinds within %d s, so what goes out there comes back; drop that output",
		    flow_str(&s->flow, flow), (unsigned long long)s->packets, STORM_MS / 1000,
		    iface_str(iface_find(&r->ifs, s->ifindex)), (unsigned long long)received, 3 * STORM_MS / 1000);
}

static void storm_step(struct router *r, struct storm_sample *s, int step)
{
	uint64_t packets;

	switch (step) {
	case STORM_ENTRY_BEFORE:
		s->packets = storm_packets(s);
		break;
	case STORM_ENTRY_AFTER:
		packets = storm_packets(s);
		s->packets = packets > s->packets ? packets - s->packets : 0;
		break;
	default:
		storm_judge(r, s);
	}
}

int64_t storm_due(const struct router *r)
{
	return r->mfc.reflecting ? r->storm.due ? r->storm.due : r->now + 1 : 0;
}

void storm_tick(struct router *r)
{
	struct storm *t = &r->storm;

	if (!r->mfc.reflecting || r->now < t->due)
		return;
	log_limit_flush(&r->lim_storm, r->now, LOG_LVL_ERR, "flows that multiply");
	t->due = r->now + STORM_MS;
	if (t->step == STORM_RECEIVED_BEFORE)
		storm_choose(r);
	else
		for (unsigned i = 0; i < t->n; i++)
			storm_step(r, &t->v[i], t->step);
	if (t->n && t->step < STORM_RECEIVED_AFTER) {
		t->step++;
		return;
	}
	free(t->v);
	*t = (struct storm){ .place = t->place, .due = r->now + STORM_EACH_MS - (int64_t)t->step * STORM_MS };
}
