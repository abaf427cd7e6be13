/* SPDX-License-Identifier: ISC
 * See edit_owner.h. */
#include "applets/control/edit_owner.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "applets/control/edit_words.h"
#include "applets/control/journal.h"
#include "lib/status.h"
#include "router/claims.h"

uint32_t edit_owner_hold(const struct call *call)
{
	errno = EFBIG;
	if (call->daemon && journal_is_full(call->daemon->journal))
		return HASH_NONE;
	return call->owner ? owner_hold(&call->router->rules.owners, call->owner) : OWNER_UNNAMED;
}

int edit_owner_refused(struct call *call)
{
	if (errno == EFBIG)
		return call_fail(call, EXIT_SYSTEM, "the journal of what clients ask for is full (%d MB): take some of "
				 "it back, or write it to the config file", JOURNAL_LIMIT >> 20);
	if (errno != ENOSPC)
		return call_no_memory(call);
	return call_fail(call, EXIT_SYSTEM, "%d owners ask for something already: disown one",
			 OWNER_SEVERAL - OWNER_NAMED);
}

uint32_t edit_owner_find(const struct call *call)
{
	return call->owner ? owner_find(&call->router->rules.owners, call->owner) : OWNER_UNNAMED;
}

const char *edit_owner_other(const struct call *call, const struct rules *t, uint32_t id, uint32_t owner)
{
	struct claim claim;

	for (struct claim_walk w = claims_walk(t, id); claims_next(&w, &claim);)
		if (!change_is_of(owner, claim.owner))
			return owner_name(&call->router->rules.owners, claim.owner);
	return NULL;
}

/* Says in whose name there is nothing of a rule or join, and in whose there is: "" when nobody else asks for it. */
static void edit_owner_put_whose(const struct call *call, const struct rules *t, uint32_t id, char *out, size_t size)
{
	const char *other = id == HASH_NONE ? NULL : edit_owner_other(call, t, id, edit_owner_find(call));

	*out = '\0';
	if (call->owner)
		snprintf(out, size, " of owner %s%s%s", call->owner, other ? ", but of " : "", other ? other : "");
	else if (other)
		snprintf(out, size, ", but of owner %s: -o %s takes it back", other, other);
}

int edit_owner_not_there(struct call *call, const struct flow_range *range, const struct rules *t, uint32_t id)
{
	char s[ADDR_STRLEN] = "*", g[ADDR_STRLEN], whose[sizeof call->error / 2];

	edit_owner_put_whose(call, t, id, whose, sizeof whose);
	if (!flow_range_any_source(range))
		prefix_str(&range->flow.source, range->source_len, s);
	prefix_str(&range->flow.group, range->group_len, g);
	/* Programs look for the first text, which is that of SMCRoute 2.4. */
	return t == &call->router->rules.joins ?
	       call_fail(call, EXIT_NONE, "failed leave (%s,%s), not a member%s", s, g, whose) :
	       call_fail(call, EXIT_NONE, "no rule (%s, %s) from %s%s", s, g, call->argv[1], whose);
}

void edit_owner_note_others(struct call *call, const struct rules *t, uint32_t id, const char *what)
{
	const char *other = edit_owner_other(call, t, id, edit_owner_find(call));

	if (other)
		call_note(call, "%s stays: owner %s asks for it", what, other);
}

/* Counts what the kernel refused of a slice, when that is done: nobody else has edited meanwhile. */
static void edit_owner_count(struct call *call)
{
	struct router *r = call->router;

	if (!call->is_counting || router_is_busy(r))
		return;
	call->flush.failed += r->edit.failed;
	if (r->edit.failed)
		call->flush.err = r->edit.err;
	call->is_counting = false;
}

int edit_owner_disown(struct call *call)
{
	struct router *r = call->router;
	uint32_t owner = edit_owner_find(call);
	int res = 0;

	if (owner == HASH_NONE && !call->is_again)
		return call_fail(call, EXIT_NONE, "owner %s asks for nothing", call->owner);
	if (!call->is_again) {
		call->flush.failed = 0;
		call->is_counting = false;
	}
	edit_owner_count(call);
	if (router_is_busy(r)) {
		call->later = router_ticket(r);
		return 0;
	}
	if (owner != HASH_NONE && !call->is_over) {
		call->is_counting = true;
		/* Its name is wanted to the end. */
		owner_refer(&r->rules.owners, owner);
		res = change_disown(r, owner);
		owner_drop(&r->rules.owners, owner);
		router_sync(r);
		edit_owner_count(call);
	}
	if (res < 0)
		return edit_words_refused(call);
	call->has_more = res && !router_is_busy(r);
	if (!call->has_more && !call->is_over)
		call->later = router_ticket(r);
	call->is_over = !res;
	if (call->has_more || call->later || !call->flush.failed)
		return 0;
	return call_fail(call, EXIT_SYSTEM, "the kernel refused: %s", strerror(call->flush.err));
}
