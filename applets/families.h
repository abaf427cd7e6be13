/* SPDX-License-Identifier: ISC
 *
 * The two families: their routing sockets, upcalls on these, and what becomes of a family that another program has.
 */
#ifndef APPLETS_FAMILIES_H
#define APPLETS_FAMILIES_H

#include "applets/state.h"

/* Opens each family on its own; 0 when one at least is there, otherwise an exit status, or -1 when the daemon is to
 * end.  One that another program has is taken when that ends. */
int families_open(struct daemon *d);

/* Takes over what stands in the tables of families that were handed over, when the interfaces are known. */
void families_adopt(struct daemon *d);

/* Takes over what stands in the table of one that is ours, where another process has been at work: false, and said,
 * when that cannot be read.  Then its table is empty; or, where even that fails, it is tried again as one of another's.
 */
bool families_read(struct daemon *d, enum fam fam);

/* Takes families that others had and that are free now, and finds out who has them otherwise. */
void families_again(struct daemon *d);

/* The same without looking for who has them: for the timer d->families, whose ctx is the daemon. */
void families_retry(void *d);

/* True when there are upcalls to be answered: for router_ops, whose ctx is the daemon; answers some. */
bool families_has_packets(void *d);
void families_packets(void *d);

/* Answers upcalls that were read ahead: for the timer d->upcalls, whose ctx is the daemon. */
void families_upcalls(void *d);

#endif
