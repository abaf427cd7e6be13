/* SPDX-License-Identifier: ISC
 *
 * What the files of the model share.  Few names, sources and groups, so that rules meet.
 */
#ifndef TESTS_FAKE_MODEL_PARTS_H
#define TESTS_FAKE_MODEL_PARTS_H

#include "router/change.h"
#include "router/router.h"

#define MODEL_SOURCES 4
#define MODEL_GROUPS 6
#define MODEL_JOINS 6

extern const char *const model_sources[FAM_N][MODEL_SOURCES];
extern const char *const model_groups[FAM_N][MODEL_GROUPS];

/* A join: its interface by meaning_names, its source, MODEL_SOURCES = any. */
struct model_join {
	bool is_there;
	enum fam fam;
	unsigned iif, source, group;
};
extern struct model_join model_joins[MODEL_JOINS];
/* Groups for which there ever was one, as bits of MODEL_GROUPS: what goes out where it came in may be held back. */
extern unsigned model_joined[FAM_N];

extern struct router model_router;
extern bool model_is_faulty;	/* something was refused since all was as the rules want it */
extern bool model_is_scarce;	/* the step that is being taken lacks memory */

/* Notes what is wrong, unless something is already. */
__attribute__((format(printf, 1, 2))) void model_say(const char *fmt, ...);

/* A number below n out of what is left of the random one. */
unsigned model_take(uint64_t *random, unsigned n);

/* The rule's range, a name, and a rule with such outputs, in words of the engine. */
struct meaning_rule;
struct flow_range model_range(const struct meaning_rule *m);
struct ifname model_ifname(unsigned name);
void model_fill_rule(struct change_rule *rule, struct ifname *oifs, const struct meaning_rule *m, unsigned outputs);

struct addr model_addr(const char *text);
/* The bytes of an address as they are on the wire. */
void model_addr_bytes(enum fam fam, const struct addr *a, unsigned char *out);
void model_bytes(enum fam fam, const char *text, unsigned char *out);

/* Around what the engine does in a step that may lack memory. */
void model_begin_scarce(void);
void model_end_scarce(void);

/* ---- model_link.c ---- */

void model_begin_links(void);

/* A dump of all interfaces. */
void model_sweep(void);

/* Something becomes of an interface, `other` has a part in it. */
void model_link(unsigned verb, unsigned iface, unsigned other);

/* Neighbours ask, other programs join, addresses and rules for tables change. */
void model_others(uint64_t random);

/* ---- model_edit.c ---- */

/* Adds, replaces or removes a rule, as a client does for an owner; asks for a membership or takes it back; has a
 * file with the rules that there are and an order of its own take their place, but for a few that go with it unless
 * it `is_same`. */
void model_edit(uint64_t random, unsigned owner);
void model_edit_join(uint64_t random);
void model_reload(uint64_t random, bool is_same);

/* Has the engine do a little of what it is busy with; all of it, as who edits rules has to wait. */
void model_go_on(unsigned n);
void model_settle(void);
void model_free_edits(void);

extern const struct router_ops model_ops;

/* ---- model_claims.c ---- */

/* The number of an owner, who is held and must be dropped; HASH_NONE without memory. */
uint32_t model_hold_owner(unsigned owner);

/* What an owner asks for more, or with is_more false instead, and takes back: of outputs only these, unless there are
 * none.  False when it asks for nothing of it. */
void model_add_claim(struct meaning_rule *m, unsigned owner, bool is_more, unsigned outputs);
bool model_take_claims(struct meaning_rule *m, unsigned owner, unsigned outputs);

/* Who asks for what of a rule as the engine has it, which is known to be one of several. */
void model_read_claims(struct meaning_rule *m);

/* A rule as it is when the file has all that it says and who has no name asks for; when it has nothing of it. */
struct meaning_rule model_in_file(const struct meaning_rule *m);
void model_drop_file(struct meaning_rule *m);

/* Takes back all that an owner with a name asks for; has a successor know what these do. */
void model_disown(uint64_t random);
void model_restore_claims(void);
extern bool model_is_heir;

/* The rules are those that were asked for, whatever the kernel and memory are like. */
void model_compare_rules(void);

/* ---- model_crowd.c ---- */

/* Forgets all of it; tells of its interface. */
void model_begin_crowd(void);
void model_tell_crowd(void);

/* Many rules and memberships that are nobody's business come or go; many sources send at once; a flow multiplies. */
void model_crowd(uint64_t random);
void model_storm(uint64_t random);

/* One of whoever has the most entries makes room. */
void model_event(void *ctx, const struct event *ev);

/* ---- model_compare.c ---- */

/* Forgets when packets came. */
void model_forget_packets(void);
void model_forget_flow(const struct flow *flow);

/* Notes that a packet of a flow came in on the interface of its entry, and what has become of entries meanwhile. */
void model_note_packet(const struct flow *flow);
void model_watch(void);

/* Has the kernel tell how long each entry has been idle; each has had a packet now, as far as the engine knows. */
void model_tell_ages(void);
void model_renew_all(void);

/* Lets ms go by, in which the engine does what is due; entries go in their time, not before and not long after. */
void model_wait(int64_t ms);

/* Compares the kernel with the mirror, and both with what the rules mean. */
void model_compare_all(void);

/* ---- model_heir.c ---- */

/* Has another router take the kernel's tables over. */
void model_succeed(uint64_t random);

#endif
