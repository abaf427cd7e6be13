/* SPDX-License-Identifier: ISC
 *
 * A small table of (interface, family) with the time of its next advertisement.
 * Few interfaces are advertised on, so it is walked.
 */
#include "router/mrdisc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "router/router.h"

void mrdisc_free(struct mrdisc *m)
{
	free(m->v);
	memset(m, 0, sizeof *m);
}

/* Marsaglia's xorshift32: jitter need not be unpredictable, only different between routers. */
static uint32_t next_random(struct mrdisc *m)
{
	uint32_t x = m->rnd ? m->rnd : 1;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return m->rnd = x;
}

static struct adv *find(struct mrdisc *m, enum fam fam, int ifindex)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->v[i].ifindex == ifindex && m->v[i].fam == fam)
			return &m->v[i];
	return NULL;
}

static void schedule(struct mrdisc *m)
{
	m->due = 0;
	for (uint32_t i = 0; i < m->n; i++)
		if (!m->due || m->v[i].due < m->due)
			m->due = m->v[i].due;
}

static void advertise(struct router *r, struct adv *a)
{
	struct mrdisc *m = &r->mrdisc;

	/* Query interval and robustness are those of a querier, which this router is not (section 3.2). */
	a->failed = kernel_mrdisc_send(a->fam, a->ifindex, MRDISC_ADVERT, (uint8_t)m->interval, 0, 0) < 0;
	if (a->failed) {
		uint32_t at = iface_find(&r->ifs, a->ifindex);

		log_debug("%s: no %s router advertisement: %s", at == IFACE_NONE ? "?" : r->ifs.v[at].name,
			  fam_str(a->fam), strerror(errno));
	} else if (a->sent < UINT32_MAX) {
		a->sent++;
	}
	a->last = r->now;
	/* Without an address there is nothing to be done until one comes: see mrdisc_address(). */
	uint32_t delay = a->failed ? m->interval * 1000 : mrdisc_delay(m->interval, a->sent, next_random(m));
	a->due = r->now + (delay > MRDISC_GAP_MS ? delay : MRDISC_GAP_MS);
}

/* From the first advertisement on. */
static void begin(struct router *r, struct adv *a)
{
	a->down = a->failed = false;
	a->sent = 0;
	a->last = 0;
	a->due = r->now + mrdisc_delay(r->mrdisc.interval, 0, next_random(&r->mrdisc));
}

static void start(struct router *r, enum fam fam, int ifindex)
{
	struct mrdisc *m = &r->mrdisc;

	if (m->n == m->cap) {
		uint32_t cap = m->cap ? m->cap * 2 : 8;
		struct adv *v = realloc(m->v, cap * sizeof *v);

		if (!v) {
			log_err("out of memory: no multicast router discovery on interface %d", ifindex);
			return;
		}
		m->v = v;
		m->cap = cap;
	}
	if (kernel_mrdisc_listen(fam, ifindex, true) < 0)
		log_debug("interface %d: solicitations for %s are not heard: %s", ifindex, fam_str(fam), strerror(errno));
	m->v[m->n] = (struct adv){ .ifindex = ifindex, .fam = fam, .wanted = true };
	begin(r, &m->v[m->n++]);
}

static void stop(struct router *r, uint32_t i)
{
	struct mrdisc *m = &r->mrdisc;
	struct adv *a = &m->v[i];

	if (iface_find(&r->ifs, a->ifindex) != IFACE_NONE)
		kernel_mrdisc_send(a->fam, a->ifindex, MRDISC_TERM, 0, 0, 0);
	kernel_mrdisc_listen(a->fam, a->ifindex, false);
	m->v[i] = m->v[--m->n];
}

void mrdisc_sync(struct router *r)
{
	struct mrdisc *m = &r->mrdisc;

	if (!WITH_MRDISC || !m->stale)
		return;
	m->stale = false;
	for (uint32_t i = 0; i < m->n; i++)
		m->v[i].wanted = false;
	for (uint32_t at = 0; at < r->ifs.n; at++) {
		const struct iface *i = &r->ifs.v[at];

		for (enum fam f = 0; i->ifindex && i->mrdisc && f < FAM_N; f++) {
			if (!m->up[f] || i->vif[f] < 0 || !iface_usable(i) || !(i->flags & LINK_UP))
				continue;
			struct adv *a = find(m, f, i->ifindex);
			if (!a) {
				start(r, f, i->ifindex);
				continue;
			}
			a->wanted = true;
			if (a->down)
				begin(r, a);
		}
	}
	for (uint32_t i = m->n; i-- > 0;)
		if (!m->v[i].wanted)
			stop(r, i);
	schedule(m);
}

void mrdisc_tick(struct router *r)
{
	struct mrdisc *m = &r->mrdisc;

	if (!WITH_MRDISC || !m->due || r->now < m->due)
		return;
	for (uint32_t i = 0; i < m->n; i++)
		if (m->v[i].due <= r->now)
			advertise(r, &m->v[i]);
	schedule(m);
}

void mrdisc_solicited(struct router *r, enum fam fam, int ifindex)
{
	struct mrdisc *m = &r->mrdisc;
	struct adv *a = find(m, fam, ifindex);

	if (!a)
		return;
	/* Too soon after the last message: one answer later serves all who asked meanwhile. */
	if (a->last && r->now - a->last < MRDISC_GAP_MS) {
		if (a->due > a->last + MRDISC_GAP_MS)
			a->due = a->last + MRDISC_GAP_MS;
	} else {
		advertise(r, a);
	}
	schedule(m);
}

void mrdisc_address(struct router *r, int ifindex)
{
	struct mrdisc *m = &r->mrdisc;

	for (uint32_t i = 0; i < m->n; i++)
		if (m->v[i].ifindex == ifindex && m->v[i].failed)
			m->v[i].due = r->now;
	schedule(m);
}

void mrdisc_down(struct router *r, int ifindex)
{
	struct mrdisc *m = &r->mrdisc;

	for (uint32_t i = 0; i < m->n; i++)
		m->v[i].down |= m->v[i].ifindex == ifindex;
}

void mrdisc_end(struct router *r)
{
	while (r->mrdisc.n)
		stop(r, r->mrdisc.n - 1);
	for (enum fam f = 0; WITH_MRDISC && f < FAM_N; f++)
		kernel_mrdisc_close(f);
	mrdisc_free(&r->mrdisc);
}
