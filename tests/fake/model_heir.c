/* SPDX-License-Identifier: ISC
 *
 * Another process takes the tables over, as they are: with what strangers left in them, and where they cannot be read.
 */
#include <errno.h>
#include <stdio.h>

#include "tests/fake/kernel.h"
#include "tests/fake/meaning.h"
#include "tests/fake/model_parts.h"

/* An entry that no rule asked for, or one as no rule would have it. */
static void model_leave_entry(uint64_t *random)
{
	enum fam fam = (enum fam)model_take(random, FAM_N);
	unsigned s = model_take(random, MODEL_SOURCES + 1), g = model_take(random, MODEL_GROUPS);
	int iif = (int)model_take(random, 8);
	struct flow flow = { model_addr(s < MODEL_SOURCES ? model_sources[fam][s] : fam == FAM_4 ? "0.0.0.0" : "::"),
			     model_addr(model_groups[fam][g]) };

	kernel_mfc_add(&flow, iif, model_take(random, 256), NULL);
	if (s == MODEL_SOURCES)
		return;
	model_forget_flow(&flow);
	if (fake_mfc(&flow, NULL, NULL))
		fake_set_idle(&flow, 0);
}

static void model_leave(uint64_t random)
{
	unsigned verb = model_take(&random, 4);

	for (unsigned i = model_take(&random, 4); i-- > 0;)
		model_leave_entry(&random);
	if (verb == 0)
		kernel_vif_add((enum fam)model_take(&random, FAM_N), 5 + (int)model_take(&random, 4), 7, 1);
	if (verb == 1) {
		struct flow flow = { model_addr(model_sources[FAM_4][0]),
				     model_addr(model_groups[FAM_4][model_take(&random, MODEL_GROUPS)]) };

		if (!fake_mfc(&flow, NULL, NULL))
			fake_add_unresolved(&flow);
	}
	if (verb == 2)
		fake_fail(model_take(&random, 2) ? "mfc_read" : "vifs_read", EIO, 1);
}

void model_succeed(uint64_t random)
{
	struct router *r = &model_router;
	const struct router old = *r;
	char name[KERNEL_FDNAME];

	model_settle();
	if (model_is_faulty)
		return;
	model_tell_ages();
	fake_link_add(7);
	fake_stranger(true);
	model_leave(random);
	fake_stranger(false);
	router_free(r);
	model_begin_crowd();
	kernel_release();
	if (router_init(r, &model_ops, NULL) < 0)
		model_say("no memory");
	r->sync.slice = old.sync.slice;
	r->max_dynamic = old.max_dynamic;
	r->expire_sec = old.expire_sec;
	r->now = old.now;
	r->table = old.table;
	for (enum fam f = 0; f < FAM_N; f++) {
		snprintf(name, sizeof name, "mroute%c", f == FAM_4 ? '4' : '6');
		if (kernel_adopt(name, -1, 0) < 0 || kernel_mroute_open(f, 0) != 1)
			model_say("%s is not taken over", name);
		router_family(r, f, true);
		snprintf(name, sizeof name, "mrdisc%c", f == FAM_4 ? '4' : '6');
		kernel_adopt(name, -1, 0);
		kernel_mrdisc_open(f);
		kernel_report_open(f);
		r->mrdisc->up[f] = r->refresh->up[f] = true;
	}
	kernel_adopt("member.1", -1, 0);
	model_sweep();
	/* Of memory alone: what the kernel refuses meanwhile is not tried again, as no kernel does so. */
	model_begin_scarce();
	fake_fail_some(0, 0);
	for (enum fam f = 0; f < FAM_N; f++)
		router_adopt(r, f, r->now);
	model_end_scarce();
	/* Whoever cannot read its file does not start. */
	model_is_scarce = false;
	model_is_heir = true;
	model_reload(0, true);
	model_settle();
	model_is_heir = false;
	/* There nothing tells a successor how old an entry is. */
	if (fake_is_freebsd())
		model_renew_all();
	kernel_join_settled();
}
