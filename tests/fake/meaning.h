/* SPDX-License-Identifier: ISC
 *
 * What rules mean, as behaviour is specified and with no thought of how the engine does it: a list and a loop.  Private
 * to the model.
 */
#ifndef TESTS_FAKE_MEANING_H
#define TESTS_FAKE_MEANING_H

#include <stdbool.h>

#include "lib/addr.h"

#define MEANING_IFACES 5
#define MEANING_NAMES 8
#define MEANING_RULES 24
#define MEANING_OWNERS 4	/* the file, who has no name, two with names */

/* The interfaces, then names that mean some of them. */
extern const char *const meaning_names[MEANING_NAMES];

/* A rule: addresses as bytes, prefixes in bits from the left, outputs as bits of meaning_names.  Who asks for it, as
 * bits, and for which outputs; it is there, with all of these, as long as anybody does: meaning_sum(). */
struct meaning_rule {
	unsigned char asked, own[MEANING_OWNERS];
	bool is_there;
	bool in_kernel;
	enum fam fam;
	unsigned iif, outputs, source_bits, group_bits;
	unsigned char source[16], group[16];
};

/* An interface that may be there, by its name. */
struct meaning_iface {
	bool is_up;			/* it is there */
	bool is_disabled;		/* a phyint line says so */
	bool has_no_multicast;		/* a wildcard leaves it out */
	bool has_mrdisc, has_refresh;	/* phyint lines say so */
	unsigned ttl;			/* its threshold, 0 as 1 */
};

/* What a system cannot do. */
struct meaning_limits {
	bool needs_multicast;		/* no rule uses an interface without that flag */
	bool never_reflects;		/* nothing goes out where it came in */
	bool has_no_any;		/* no entry for all sources */
};
extern struct meaning_limits meaning_limits;

extern struct meaning_rule meaning_rules[MEANING_RULES];
extern struct meaning_iface meaning_ifaces[MEANING_IFACES];

void meaning_sum(struct meaning_rule *m);

/* True when a name means an interface that rules with that name may use. */
bool meaning_uses(unsigned name, unsigned iface);

/* True when a rule has a name that means no interface it may use now, so that it is pending. */
bool meaning_waits(const struct meaning_rule *m);

/* True when a rule names an interface as output where it takes packets in. */
bool meaning_reflects(const struct meaning_rule *m);

/* True when an interface needs a number for a family: a rule has a name that means it. */
bool meaning_wants(enum fam fam, unsigned iface);

/* True when a rule for this one source and group has it on an interface, or, MEANING_IFACES, on any. */
bool meaning_is_static(enum fam fam, unsigned iface, const unsigned char *source, const unsigned char *group);

/* True when the first bits of both are the same. */
bool meaning_prefix_has(const unsigned char *prefix, unsigned bits, const unsigned char *address);

/* The interfaces that a packet goes out of, as bits; *covered: whether a rule decided about it. */
unsigned meaning_decide(enum fam fam, unsigned iface, const unsigned char *source, const unsigned char *group,
			bool *covered);

/* What rules and interfaces were while the engine brings the kernel in line, in slices: remembers how they are now, and
 * forgets all that.  False when there is no room to remember more. */
bool meaning_remember(void);
void meaning_forget(void);

/* True when a packet goes out of these interfaces now, or did so at a time that is remembered. */
bool meaning_was(enum fam fam, unsigned iface, const unsigned char *source, const unsigned char *group, unsigned out);

/* True when a rule of the kernel takes packets of a group on an interface that are no other rule's affair, in no way:
 * it must be in the kernel then. */
bool meaning_is_kernels(enum fam fam, unsigned iface, const unsigned char *group);

/* The place of a rule with the same iif and range, or of a free one; MEANING_RULES when there is none. */
unsigned meaning_place(const struct meaning_rule *m);

#endif
