/* SPDX-License-Identifier: ISC
 *
 * What mroute and mgroup have in common: the clauses from, source and group; and what mroute alone has: kernel and to.
 * They come in any order up to "to" and the names behind it.  Each clause is checked as it is read, so that all errors
 * of a line are reported from left to right.
 */
#ifndef CONF_CLAUSE_H
#define CONF_CLAUSE_H

#include "conf/parser.h"

enum { CLAUSE_FROM, CLAUSE_SOURCE, CLAUSE_GROUP, CLAUSE_KERNEL, CLAUSE_TO, CLAUSE_N };
#define CLAUSES_OF_GROUPS CLAUSE_KERNEL		/* those before this one make a membership */

/* What a line of clauses says. */
struct clauses {
	struct conf_rule rule;
	bool is_lost;		/* what nobody understood may have been what is missing */
	struct word at[CLAUSE_N];	/* the keywords; p = NULL: not there */
	struct word value[CLAUSE_N];	/* the word behind each */
};

/* Fills *f with what stands behind the directive of a line; n is CLAUSE_N, or CLAUSES_OF_GROUPS.
 * Only when ps->is_bad is false is f->rule whole, an absent source being any. */
void clauses_read(struct parser *ps, struct clauses *f, int n);

/* True for a name that is a keyword too, behind which a value stands. */
bool clause_is_word(const char *name);

#endif
