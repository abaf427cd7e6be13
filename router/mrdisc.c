/* SPDX-License-Identifier: ISC
 *
 * A small table of (interface, family) with the time of its next advertisement.
 * Few interfaces are advertised on, so it is walked.
 */
#include "router/mrdisc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

/* Marsaglia's xorshift32: jitter need not be unpredictable, only different between routers. */
static uint32_t mrdisc_random(struct mrdisc *m)
{
	uint32_t x = m->rnd ? m->rnd : 1;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return m->rnd = x;
}

static struct adv *mrdisc_find(struct mrdisc *m, enum fam fam, int ifindex)
{
	for (uint32_t k = 0; k < m->n; k++)
		if (m->v[k].ifindex == ifindex && m->v[k].fam == fam)
			return &m->v[k];
	return NULL;
}

struct mrdisc *mrdisc_new(void)
{
	struct mrdisc *m = calloc(1, sizeof *m);

	if (m)
		m->interval = MRDISC_INTERVAL;
	return m;
}

int64_t mrdisc_due(const struct mrdisc *m)
{
	int64_t due = 0;

	for (uint32_t k = 0; k < m->n; k++)
		if (!due || m->v[k].due < due)
			due = m->v[k].due;
	return due;
}

static void mrdisc_advertise(struct router *r, struct adv *a)
{
	struct mrdisc *m = r->mrdisc;
	uint32_t delay;

	/* Query interval and robustness are those of a querier, which this router is not (section 3.2). */
	a->failed = kernel_mrdisc_send(a->fam, a->ifindex, MRDISC_ADVERT, (uint8_t)m->interval, 0, 0) < 0;
	if (a->failed) {
		log_at(LOG_LVL_DEBUG, "%s: no %s router advertisement: %s",
		       iface_str(iface_find(&r->ifs, a->ifindex)), fam_str(a->fam), strerror(errno));
		/* Without an address there is nothing to be done until one comes: see mrdisc_link(). */
		delay = m->interval * 1000;
	} else {
		delay = mrdisc_delay(m->interval, ++a->sent, mrdisc_random(m));
	}
	a->last = r->now;
	a->due = r->now + (delay > MRDISC_GAP_MS ? delay : MRDISC_GAP_MS);
}

/* From the first advertisement on. */
static void mrdisc_begin(struct router *r, struct adv *a)
{
	a->down = a->failed = false;
	a->sent = 0;
	a->last = 0;
	a->due = r->now + mrdisc_delay(r->mrdisc->interval, 0, mrdisc_random(r->mrdisc));
}

static void mrdisc_start(struct router *r, enum fam fam, int ifindex)
{
	struct mrdisc *m = r->mrdisc;
	struct adv *v = grow(m->v, &m->cap, m->n + 1, sizeof *v);
	int was;

	if (!v) {
		log_err("out of memory: no multicast router discovery on interface %d", ifindex);
		return;
	}
	m->v = v;
	was = kernel_mrdisc_listen(fam, ifindex, true);
	if (was < 0)
		log_at(LOG_LVL_DEBUG, "interface %d: solicitations for %s are not heard: %s", ifindex, fam_str(fam),
		       strerror(errno));
	v += m->n++;
	v->ifindex = ifindex;
	v->fam = fam;
	mrdisc_begin(r, v);
	if (was <= 0)
		return;
	/* Of the last time nothing is known. */
	v->sent = MRDISC_INITIAL;
	v->due = r->now + mrdisc_random(m) % (m->interval * 1000);
}

static void mrdisc_stop(struct router *r, struct adv *a)
{
	if (iface_find(&r->ifs, a->ifindex))
		kernel_mrdisc_send(a->fam, a->ifindex, MRDISC_TERM, 0, 0, 0);
	kernel_mrdisc_listen(a->fam, a->ifindex, false);
	*a = r->mrdisc->v[--r->mrdisc->n];
}

/* True when an interface is to be advertised on. */
static bool mrdisc_is_wanted(const struct router *r, const struct iface *i, enum fam fam)
{
	return i && i->mrdisc && r->mrdisc->up[fam] && i->vif[fam] >= 0 && !i->disabled && (i->flags & LINK_UP);
}

void mrdisc_sync(struct router *r)
{
	struct mrdisc *m = r->mrdisc;

	if (!WITH_MRDISC || !m->stale)
		return;
	m->stale = false;
	for (struct iface *i = NULL; (i = iface_next(&r->ifs, i));)
		for (enum fam f = 0; f < FAM_N; f++) {
			struct adv *a = mrdisc_find(m, f, i->ifindex);

			if (!mrdisc_is_wanted(r, i, f)) {
				/* What was taken over may say that it is to be advertised on no more. */
				if (!a && r->has_rules && m->up[f] && kernel_mrdisc_listen(f, i->ifindex, false) > 0)
					kernel_mrdisc_send(f, i->ifindex, MRDISC_TERM, 0, 0, 0);
				continue;
			}
			if (!a)
				mrdisc_start(r, f, i->ifindex);
			/* Whoever was to take over, and failed, may have taken it back. */
			else if (a->down || r->adopts)
				mrdisc_begin(r, a);
		}
	for (uint32_t k = m->n; k-- > 0;)
		if (!mrdisc_is_wanted(r, iface_find(&r->ifs, m->v[k].ifindex), m->v[k].fam))
			mrdisc_stop(r, &m->v[k]);
}

void mrdisc_tick(struct router *r)
{
	struct mrdisc *m = r->mrdisc;

	for (uint32_t k = 0; WITH_MRDISC && k < m->n; k++)
		if (m->v[k].due <= r->now)
			mrdisc_advertise(r, &m->v[k]);
}

void mrdisc_solicited(struct router *r, enum fam fam, int ifindex)
{
	struct adv *a = mrdisc_find(r->mrdisc, fam, ifindex);

	if (!a)
		return;
	int64_t soonest = a->last + MRDISC_GAP_MS;

	/* Too soon after the last message: one answer later serves all who asked meanwhile. */
	if (!a->last || r->now >= soonest)
		mrdisc_advertise(r, a);
	else if (a->due > soonest)
		a->due = soonest;
}

void mrdisc_link(struct router *r, int ifindex, bool down)
{
	struct mrdisc *m = r->mrdisc;

	for (uint32_t k = 0; k < m->n; k++) {
		struct adv *a = &m->v[k];

		if (a->ifindex != ifindex)
			continue;
		if (down)
			a->down = true;
		else if (a->failed)
			a->due = r->now;
	}
}

void mrdisc_end(struct router *r)
{
	struct mrdisc *m = r->mrdisc;

	while (m && m->n)
		mrdisc_stop(r, &m->v[m->n - 1]);
	for (enum fam f = 0; WITH_MRDISC && f < FAM_N; f++)
		kernel_mrdisc_close(f);
}

void mrdisc_free(struct mrdisc *m)
{
	if (m)
		free(m->v);
	free(m);
}
