/* SPDX-License-Identifier: ISC
 * See edit_owner.h. */
#include "applets/control/edit_owner.h"

#include <errno.h>
#include <stdio.h>

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
