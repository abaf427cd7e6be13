/* SPDX-License-Identifier: ISC
 *
 * What a bridge of this host does to a flow, in words, with the commands that mend it.
 */
#ifndef APPLETS_DOCTOR_ADVISE_BRIDGE_H
#define APPLETS_DOCTOR_ADVISE_BRIDGE_H

#include "applets/doctor/advice.h"

/* On the way out: no port gets the packets of an output, or one that should does not. */
void advise_bridge_nobody(struct advice *r, const struct evidence_out *o, const struct loss *l);
void advise_bridge_port(struct advice *r, const struct evidence_out *o, const struct loss *l);

/* On the way in: the port takes in nothing, or the bridge keeps it from this host. */
void advise_bridge_port_in(struct advice *r, const struct loss *l);
void advise_bridge_kept(struct advice *r, const struct loss *l);

/* The same for an interface where a rule waits for a group in vain; false when nothing keeps it for sure. */
bool advise_bridge_keeps(struct advice *r, const struct probe_link *l);

/* A rule names a port of the bridge where it comes in, instead of that; false when none does. */
bool advise_bridge_named(struct advice *r, const struct loss *l);

/* The same for an interface where a rule waits in vain; false when it is no port. */
bool advise_bridge_waits(struct advice *r, const struct probe_link *port);

#endif
