/* SPDX-License-Identifier: ISC
 *
 * Rules of the system (`ip mrule`) that a routing table other than the default
 * one needs: without them the kernel never looks into it.
 */
#ifndef ROUTER_TABLE_H
#define ROUTER_TABLE_H

struct router;

/* With r->table: logs, once for each interface and family, the command that is missing for packets of an
 * inbound interface to get there. */
void table_tell(struct router *r);

#endif
