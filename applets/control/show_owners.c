/* SPDX-License-Identifier: ISC
 *
 * Names of owners need no escape: owner_check() lets nothing pass that would.
 */
#include "applets/control/show_owners.h"

#include "lib/json.h"
#include "router/claims.h"

void show_owners_json(const struct router *r, const struct rules *t, uint32_t id, struct buf *out)
{
	struct claim claim;

	json_list(out, "owners");
	for (struct claim_walk w = claims_walk(t, id); claims_next(&w, &claim);)
		json_item(out, owner_name(&r->rules.owners, claim.owner));
	buf_chr(out, ']');
}

void show_owners_text(const struct router *r, const struct rules *t, uint32_t id, struct buf *out)
{
	bool has_outputs = t == &r->rules.routes && t->v[id].owner == OWNER_SEVERAL;
	const struct names *names = &r->rules.names;
	const char *sep = "";
	struct claim claim;

	for (struct claim_walk w = claims_walk(t, id); claims_next(&w, &claim);) {
		const struct oif_list *list = &names->lists[claim.oifs];

		buf_printf(out, "%s%s%s", sep, owner_name(&r->rules.owners, claim.owner), has_outputs ? " (" : "");
		for (uint32_t i = 0; has_outputs && i < list->n; i++)
			buf_printf(out, "%s%s", i ? " " : "", names->v[list->names[i]].ifname.text);
		buf_str(out, !has_outputs ? "" : list->n ? ")" : "stop)");
		sep = ", ";
	}
}
