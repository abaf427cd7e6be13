/* SPDX-License-Identifier: ISC
 *
 * A small table of (interface, family) with what is due there.  Few interfaces are refreshed, so it is walked.  A round
 * goes through the table of memberships in slices: there may be 65,536 of them, one packet each in old versions.
 */
#include "router/refresh.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf.h"
#include "lib/grow.h"
#include "router/group.h"

/* Other Querier Present Interval: RFC 3376, 8.5; RFC 3810, 9.5. */
#define REFRESH_QUIET_MS 255000

/* Older Version Querier Present Timeout: RFC 3376, 8.12; RFC 3810, 9.12. */
#define REFRESH_OLDER_MS 260000

/* Packets of all interfaces, and memberships of one that are looked at, in a turn; time between turns. */
#define REFRESH_PACKETS 32
#define REFRESH_PLACES 8192
#define REFRESH_GAP_MS 20
#define REFRESH_BATCH 128

struct refresh *refresh_new(void)
{
	return calloc(1, sizeof(struct refresh));
}

static struct refreshed *refresh_find(struct refresh *t, enum fam fam, int ifindex)
{
	for (uint32_t k = 0; k < t->n; k++)
		if (t->v[k].ifindex == ifindex && t->v[k].fam == fam)
			return &t->v[k];
	return NULL;
}

int64_t refresh_due(const struct refresh *t)
{
	int64_t due = 0;

	for (uint32_t k = 0; k < t->n; k++)
		if (!due || t->v[k].due < due)
			due = t->v[k].due;
	return due;
}

/* ---- who asks ---- */

/* How long no querier must be heard until there is none, in ms: in proportion where reports are to come more often. */
static int64_t refresh_quiet(const struct iface *i)
{
	int64_t quiet = i->refresh ? (int64_t)i->refresh * REFRESH_QUIET_MS / CONF_REFRESH : REFRESH_QUIET_MS;

	return quiet < REFRESH_QUIET_MS ? quiet : REFRESH_QUIET_MS;
}

/* When the last general query came in, 0 = none did. */
static int64_t refresh_last_query(const struct iface *i, enum fam fam)
{
	int64_t last = 0;

	for (unsigned v = 0; v < REPORT_VERSIONS; v++)
		if (i->queried[fam][v] > last)
			last = i->queried[fam][v];
	return last;
}

/* When it will be sure that there is no querier, if none is heard until then.  Of one that asks each 125 s (RFC 3376,
 * 8.2) the first query comes within half of the time that is waited for the next. */
static int64_t refresh_sure_at(const struct iface *i, enum fam fam)
{
	int64_t last = refresh_last_query(i, fam), quiet = refresh_quiet(i);

	return last ? last + quiet : i->up_since + quiet / 2;
}

enum querier refresh_querier(const struct router *r, const struct iface *i, enum fam fam)
{
	if (!r->refresh->up[fam] || !(i->flags & LINK_UP))
		return QUERIER_UNKNOWN;
	if (r->now >= refresh_sure_at(i, fam))
		return QUERIER_NONE;
	return refresh_last_query(i, fam) ? QUERIER_HEARD : QUERIER_UNKNOWN;
}

/* The oldest version that a querier used lately, 0 = none but perhaps the newest. */
static unsigned refresh_older(const struct router *r, const struct iface *i, enum fam fam)
{
	unsigned newest = fam == FAM_4 ? 3 : 2;

	for (unsigned v = 1; v < newest; v++)
		if (i->queried[fam][v - 1] && r->now < i->queried[fam][v - 1] + REFRESH_OLDER_MS)
			return v;
	return 0;
}

static const char *refresh_protocol(enum fam fam)
{
	return fam == FAM_4 ? "IGMP" : "MLD";
}

void refresh_queried(struct router *r, enum fam fam, int ifindex, unsigned version)
{
	struct iface *i = iface_find(&r->ifs, ifindex);
	struct refreshed *e = refresh_find(r->refresh, fam, ifindex);

	if (!i || !version || version > REPORT_VERSIONS)
		return;
	i->queried[fam][version - 1] = r->now;
	if (!e)
		return;
	if (e->is_alone)
		log_info("%s: an %s querier is heard, it has memberships reported", i->name, refresh_protocol(fam));
	e->is_alone = e->is_running = false;
	e->due = refresh_sure_at(i, fam);
}

void refresh_link(struct router *r, struct iface *i)
{
	memset(i->queried, 0, sizeof i->queried);
	i->up_since = r->now;
}

/* ---- rounds ---- */

/* Begins a round, or puts it off while there may be a querier: then false. */
static bool refresh_begin(struct router *r, struct refreshed *e, const struct iface *i)
{
	if (refresh_querier(r, i, e->fam) != QUERIER_NONE) {
		e->due = refresh_sure_at(i, e->fam);
		return false;
	}
	if (!e->is_alone)
		log_info("%s: no %s querier is heard: memberships are reported again every %u s", i->name,
			 refresh_protocol(e->fam), e->sec);
	e->is_alone = e->is_running = true;
	e->version = kernel_report_version(e->fam, i->name, refresh_older(r, i, e->fam));
	e->place = r->groups->n;
	e->next = r->now + (int64_t)e->sec * 1000;
	return true;
}

/* Collects the next memberships of a round and their places; their number.  *left: places that may be looked at. */
static uint32_t refresh_collect(const struct groups *t, struct refreshed *e, unsigned *left, struct flow *v,
				uint32_t *at)
{
	uint32_t n = 0;

	/* From the end, as those at the end may get places before them. */
	if (e->place > t->n)
		e->place = t->n;
	for (; e->place && n < REFRESH_BATCH && *left; e->place--, --*left) {
		const struct member *m = &t->v[e->place - 1];

		if (!m->used || !m->joined || !m->refs || m->ifindex != e->ifindex || flow_fam(&m->flow) != e->fam)
			continue;
		at[n] = e->place;
		v[n++] = m->flow;
	}
	return n;
}

/* Reports a batch while packets are left: 0, or -1 with errno. */
static int refresh_send(const struct iface *i, struct refreshed *e, const struct flow *v, const uint32_t *at,
			uint32_t n, unsigned *packets)
{
	uint32_t k = 0;

	for (; k < n && *packets; --*packets) {
		int done = kernel_report_send(e->fam, e->ifindex, i->mtu, e->version, v + k, n - k);

		if (done < 0)
			return -1;
		k += (uint32_t)done;
	}
	if (k < n)
		e->place = at[k];
	return 0;
}

static void refresh_turn(struct router *r, struct refreshed *e, unsigned *packets)
{
	const struct iface *i = iface_find(&r->ifs, e->ifindex);
	unsigned places = REFRESH_PLACES;
	struct flow v[REFRESH_BATCH];
	uint32_t at[REFRESH_BATCH], n;
	int res = 0;

	e->due = r->now + REFRESH_GAP_MS;
	if (!i || (!e->is_running && !refresh_begin(r, e, i)))
		return;
	while (!res && *packets && places && (n = refresh_collect(r->groups, e, &places, v, at)))
		res = refresh_send(i, e, v, at, n, packets);
	if (res < 0)
		log_at(LOG_LVL_DEBUG, "%s: memberships of %s are not reported: %s", i->name, fam_str(e->fam),
		       strerror(errno));
	/* After a failure the rest waits for the next round: without an address it would fail again. */
	if (res < 0 || !e->place) {
		e->is_running = false;
		if (e->next > e->due)
			e->due = e->next;
	}
}

void refresh_tick(struct router *r)
{
	struct refresh *t = r->refresh;
	unsigned packets = REFRESH_PACKETS;

	for (uint32_t k = 0; k < t->n; k++)
		if (t->v[k].due <= r->now)
			refresh_turn(r, &t->v[k], &packets);
}

/* ---- where ---- */

/* Puts an interface into the table, or takes note of its other interval. */
static void refresh_start(struct router *r, enum fam fam, const struct iface *i)
{
	struct refresh *t = r->refresh;
	struct refreshed *e = refresh_find(t, fam, i->ifindex);
	struct refreshed *v = e ? t->v : grow(t->v, &t->cap, t->n + 1, sizeof *v);

	if (e && e->sec == i->refresh)
		return;
	if (!v) {
		log_err("%s: out of memory: its memberships are not reported again", i->name);
		return;
	}
	t->v = v;
	if (!e)
		e = &v[t->n++];
	*e = (struct refreshed){ .ifindex = i->ifindex, .fam = fam, .sec = i->refresh };
	e->due = refresh_sure_at(i, fam);
	if (e->due < r->now)
		e->due = r->now;
}

static bool refresh_is_wanted(const struct router *r, const struct iface *i, enum fam fam)
{
	return i && i->refresh && r->refresh->up[fam] && !i->disabled && (i->flags & LINK_UP);
}

void refresh_sync(struct router *r)
{
	struct refresh *t = r->refresh;

	if (!t->is_stale)
		return;
	t->is_stale = false;
	for (struct iface *i = NULL; (i = iface_next(&r->ifs, i));)
		for (enum fam f = 0; f < FAM_N; f++)
			if (refresh_is_wanted(r, i, f))
				refresh_start(r, f, i);
	for (uint32_t k = t->n; k-- > 0;)
		if (!refresh_is_wanted(r, iface_find(&r->ifs, t->v[k].ifindex), t->v[k].fam))
			t->v[k] = t->v[--t->n];
}

void refresh_free(struct refresh *t)
{
	if (t)
		free(t->v);
	free(t);
}

void refresh_end(void)
{
	for (enum fam f = 0; f < FAM_N; f++)
		kernel_report_close(f);
}
