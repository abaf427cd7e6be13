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

/* True when somebody behind the ports of a bridge joined the flow's group; appends " (S behind a port, ...)" with the
 * sources that were asked for. */
bool advise_bridge_asked(const struct advice *r, const struct probe_link *bridge, uint16_t vlan, struct buf *text);

/* The port of a bridge where a flow was seen to come in; NULL when it was at none. */
const struct probe_link *advise_bridge_from(const struct advice *r);

/* On the way in: the port takes in nothing, or the bridge keeps it from this host. */
void advise_bridge_port_in(struct advice *r, const struct loss *l);
void advise_bridge_kept(struct advice *r, const struct loss *l);

/* The same for an interface where a rule waits for a group in vain; false when nothing keeps it for sure. */
bool advise_bridge_keeps(struct advice *r, const struct probe_link *l);

/* A rule names a port of the bridge where it comes in, instead of that; false when none does. */
bool advise_bridge_named(struct advice *r, const struct loss *l);

/* A rule names a VLAN on the interface where it comes in, without that tag; false when none does. */
bool advise_bridge_untagged(struct advice *r, const struct loss *l);

/* The same as for a port for an interface where a rule waits in vain; false when it is no port. */
bool advise_bridge_waits(struct advice *r, const struct probe_link *port);

#endif
