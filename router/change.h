/* SPDX-License-Identifier: ISC
 *
 * What owners ask for at run time: single rules and memberships.  Each owner has its own claim to a rule, and takes
 * back nothing but that.  Whoever has no name takes back what the configuration asks for too, until the next reload.
 * router_sync() must follow each change.
 */
#ifndef ROUTER_CHANGE_H
#define ROUTER_CHANGE_H

#include "router/state.h"

/* A route as it is named from outside.  A name may be among the outputs twice. */
struct change_rule {
	struct ifname iif;
	struct flow_range range;
	const struct ifname *oifs;
	uint32_t noifs;
	uint32_t owner;			/* held */
};

/* Outputs that an owner can ask for of a route: no entry of the kernel can have more than there are VIFs. */
#define CHANGE_OUTPUTS KERNEL_VIFS

/* Memberships beyond which a join is refused: a few words can ask for 65,536 on each interface. */
#define CHANGE_MEMBERS (1 << 18)

/* What one packet may cost: pairs of prefix lengths, of source and group, among all routes, as each is looked for; and
 * routes of one range, which differ in their inbound interface.  Who asks for another one beyond that is refused. */
#define CHANGE_LENGTHS 256
#define CHANGE_IIFS 1024

enum change_how {
	CHANGE_MORE,		/* outputs beside those that the owner asks for already */
	CHANGE_REPLACE,		/* exactly these; of who has no name in the place of the configuration's too */
	CHANGE_RESTORE,		/* exactly these; what others ask for stays, and makes this claim not needless */
};

/* Has the owner ask for the route and these outputs.  *id is the number of the rule.  0, or -1 with ENOMEM, ENOSPC,
 * E2BIG for more than CHANGE_OUTPUTS, or EMLINK for more than CHANGE_LENGTHS or CHANGE_IIFS, and nothing changed. */
int change_add(struct router *r, const struct change_rule *rule, enum change_how how, uint32_t *id);

/* Makes what the owner, who is held, asks for of a route or join what it was once: exactly this, or nothing.  Of the
 * configuration's part, which has come from its file just before, only less can be restored.  As change_add(). */
int change_restore(struct router *r, const struct change_rule *rule, bool is_join, bool is_wanted);

/* Takes back what the owner asks for of the route, which is number id; with outputs named just those.  Of these the
 * last one leaves a stop rule when nobody else asks for the route.  0, or -1: with ENOENT when it asks for none of
 * that, or with ENOMEM. */
int change_remove(struct router *r, const struct change_rule *rule, uint32_t id);

/* True when the claims of an owner are among those that another one, or the same, takes back: whoever has no name takes
 * the configuration's too. */
bool change_is_of(uint32_t owner, uint32_t claimed_by);

/* True when the owner asks for an output of a route; one without a name: when the configuration does. */
bool change_has_output(const struct router *r, uint32_t id, uint32_t owner, const struct ifname *oif);

/* Has the owner, who is held, ask for a membership, and tries again what of it has failed.  0, or -1 with ENOMEM,
 * ENOSPC, or EDQUOT for more than CHANGE_MEMBERS in all, and nothing changed. */
int change_join(struct router *r, const struct ifname *iif, const struct flow_range *range, uint32_t owner);

/* Takes back the owner's part in a join.  0, or -1: with ENOENT when it has none, or with ENOMEM. */
int change_leave(struct router *r, uint32_t join, uint32_t owner);

/* Takes back what an owner, who is held, asks for, a slice of it.  1 while there is more, by another call behind
 * router_sync(); 0, or -1 with ENOMEM and some of it still there.  r->edit is what this slice concerns. */
int change_disown(struct router *r, uint32_t owner);

#endif
