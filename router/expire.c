/* SPDX-License-Identifier: ISC
 *
 * The pass goes in slices, so that others have their turn.
 */
#include "router/expire.h"

#include <errno.h>

#include "router/entry.h"

/* Entries that one slice of the pass asks the kernel about, and may have it drop: some 0.6 and 4 us. */
#define SLICE_STATS 256
/* Places that one slice walks over. */
#define SLICE_PLACES 16384

/* Asks the kernel whether the entry was used and drops it when it was not for too long. */
static void expire_sample(struct router *r, uint32_t at)
{
	const struct mfc *e = &r->mfc.v[at];
	uint32_t packets;

	if (!entry_read_packets(e, &packets)) {
		/* What the kernel does not tell now it may tell at the next pass. */
		if (errno != ENOENT || !entry_take_out(r, at))
			return;
		entry_report(r, EVENT_GONE, e);
		entry_drop(r, at);
	} else if (!mfc_sample(&r->mfc, at, packets, r->now) &&
		   (uint32_t)(r->now / MFC_TICK) - mfc_use(&r->mfc, at)->used >= r->expire_sec * (1000 / MFC_TICK)) {
		if (!entry_take_out(r, at))
			return;
		r->count.expired++;
		entry_report(r, EVENT_EXPIRED, e);
		entry_drop(r, at);
	}
}

/* Says how many messages about flows were left out. */
static void expire_flush_limits(struct router *r)
{
	log_limit_flush(&r->lim_refused, r->now, LOG_LVL_ERR, "no entry for new sources");
	log_limit_flush(&r->lim_evicted, r->now, LOG_LVL_NOTICE, "entries that made room (option -M)");
	log_limit_flush(&r->lim_kernel, r->now, LOG_LVL_ERR, "refusals of the kernel");
	log_limit_flush(&r->lim_blocked, r->now, LOG_LVL_INFO, "sources without a rule");
	log_limit_flush(&r->lim_moved, r->now, LOG_LVL_INFO, "flows that moved");
}

void expire_tick(struct router *r)
{
	unsigned stats = 0, places = 0;

	if (!r->pass_due || r->now < r->pass_due)
		return;
	if (!r->pass_start) {
		r->pass_start = r->now;
		r->pass_place = r->mfc.n;
	}
	/* From the end, as those at the end may get places before them. */
	if (r->pass_place > r->mfc.n)
		r->pass_place = r->mfc.n;
	for (; r->pass_place && stats < SLICE_STATS && places < SLICE_PLACES; r->pass_place--, places++)
		if (mfc_is_dynamic(&r->mfc.v[r->pass_place - 1])) {
			expire_sample(r, r->pass_place - 1);
			stats++;
		}
	r->pass_due = r->now;
	if (r->pass_place)
		return;
	expire_flush_limits(r);
	/* An entry is to go between SEC and SEC + max(SEC / 10, 1) after its last packet: a sample may
	 * see a packet up to one period late, and find the time not quite up once more. */
	int64_t next = r->pass_start + (r->expire_sec < 10 ? 400 : (int64_t)r->expire_sec * 40);

	r->pass_due = !mfc_dynamic(&r->mfc) ? 0 : next > r->now ? next : r->now + 1;
	r->pass_start = 0;
}
