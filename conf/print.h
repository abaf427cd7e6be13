/* SPDX-License-Identifier: ISC
 *
 * Directives as canonical text: one blank between words, no clause that says nothing.
 */
#ifndef CONF_PRINT_H
#define CONF_PRINT_H

#include "conf/conf.h"

/* Appends "mroute from eth0 source 10.0.0.1 group 225.1.2.3": a rule or membership up to its outputs.  The
 * directive ("mroute", "mgroup") is padded with blanks to `width` columns; any source is not written,
 * "kernel" is when it is said. */
void print_rule_head(struct buf *out, const char *directive, int width, const char *iif,
		     const struct flow_range *range, bool in_kernel);

/* The same with its outputs, of a configuration. */
void print_rule(struct buf *out, const struct conf *c, const char *directive, int width, const struct conf_rule *m);

/* Appends an output if its name is a keyword too, or if it is none.  To be called for all that are none first: with
 * another output behind it `group 225.1.2.3` would be read as a group. */
void print_oif(struct buf *out, const struct ifname *oif, bool is_keyword);

/* Appends a phyint line with its end. */
void print_phyint(struct buf *out, const struct phyint *p);

/* Appends the canonical text of c: phyint, mgroup, mroute, each in its order, which parses to an equal conf. */
void conf_print(struct buf *out, const struct conf *c);

#endif
