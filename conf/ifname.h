/* SPDX-License-Identifier: ISC
 *
 * Interface names as people write them in a configuration or a command: what is
 * one, and which interfaces it means.  No interface of the machine is looked at.
 */
#ifndef CONF_IFNAME_H
#define CONF_IFNAME_H

#include <stdbool.h>
#include <stddef.h>

#define IFNAME_SIZE 16		/* bytes of a name with its NUL, a final '+' included */

/* The name of one interface; or a wildcard, which ends in '+' and means every interface whose name begins
 * with what stands before that. */
struct ifname {
	char text[IFNAME_SIZE];	/* as written, without an alias suffix; zero bytes fill the rest */
	unsigned len;		/* bytes of text, without the '+' of a wildcard */
	bool is_wildcard;
};

/* Checks n bytes as an interface name.  Cuts an alias suffix off (eth0:1 becomes eth0) by lowering *n.
 * Returns NULL when it is a name, else why it is none: a constant text. */
const char *ifname_check(const char *s, size_t *n);

/* The name that n bytes are, n < IFNAME_SIZE: a final '+' makes it a wildcard. */
struct ifname ifname_of(const char *s, size_t n);

/* True when the name means the interface that is called so.  An interface's own name is taken as it
 * stands, even where it ends in '+'. */
bool ifname_matches(const struct ifname *name, const char *interface);

/* True when every interface that `narrow` means is one that `wide` means too. */
bool ifname_within(const struct ifname *narrow, const struct ifname *wide);

#endif
