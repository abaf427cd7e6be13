/* SPDX-License-Identifier: ISC
 *
 * Single fields: addresses with their lengths, and numbers.  The config file and the words of a client command are
 * read by the same functions.  They know no line and no file: the reason why a word is wrong comes back as a text that
 * stays until the next call.
 */
#ifndef CONF_FIELD_H
#define CONF_FIELD_H

#include "conf/lex.h"
#include "lib/flow.h"

/* Parses a group or source with an optional length; bits past the length are cleared, and each way to write any
 * source gives what addr_any() gives.  Returns NULL, or why it is none. */
const char *field_addr(const struct word *w, bool is_group, struct addr *a, uint8_t *len);

/* Looks whether the address of a word had bits past its length; *a and len are what field_addr() made of it.  Returns
 * what to write instead, or NULL when it had none. */
const char *field_host_bits(const struct word *w, const struct addr *a, uint8_t len);

/* Returns NULL, or says that the two are not of one family. */
const char *field_mixed(const struct flow *f);

/* Parses `[SOURCE[/LEN]] GROUP[/LEN]`, one or two words, with the checks that the file has.  Returns NULL and
 * fills *range in, or the reason. */
const char *field_range(const char *const *w, int nw, struct flow_range *range);

/* Parses a decimal number from 1 to max, which is 9 or more, digits only; 0 when it is none. */
unsigned field_number(const struct word *w, unsigned max);

#endif
