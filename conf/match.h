/* SPDX-License-Identifier: ISC
 *
 * What the lines of a configuration mean for an interface and a packet: the one answer that the daemon, the checker,
 * explain and the doctor share.  Pure functions of their arguments: nothing of this machine is looked at.  What a
 * name means is in ifname.h.
 */
#ifndef CONF_MATCH_H
#define CONF_MATCH_H

#include "conf/conf.h"
#include "conf/ifname.h"

/* What the phyint lines that mean an interface say about it together. */
struct phyint_match {
	bool is_disabled;
	bool has_mrdisc;
	uint8_t ttl;			/* threshold; 1 = none */
	uint16_t refresh;		/* seconds between reports of memberships; 0 = there are none */
	/* Those that decided, of the lines given; NULL = none did. */
	const struct phyint *enable_line, *ttl_line, *refresh_line;
};

/* Looks for the lines that hold for an interface among v[n].  An exact name goes before a wildcard, a longer
 * wildcard before a shorter one, whatever the order of the lines; enable or disable, the threshold and the seconds of
 * refresh are judged each on its own, mrdisc is on when any of the lines says so.  No two of v have the same name. */
struct phyint_match match_phyint(const struct phyint *v, uint32_t n, const char *interface);

/* The same for a name of a configuration and its lines.  For a wildcard: what holds for each interface that
 * it means, unless a narrower line says otherwise.  O(length of the name). */
struct phyint_match match_conf_phyint(const struct conf *c, const struct ifname *name);

/* The next wider wildcard of a configuration that takes a name in: eth1, eth1+, eth+, +.  CONF_NONE when
 * there is none. */
uint16_t match_wider(const struct conf *c, const struct ifname *name);

/* What keeps a rule from matching a packet; the lower the sum, the nearer it is. */
enum { MISS_SOURCE = 1, MISS_GROUP = 2, MISS_IIF = 4 };

/* Holds a rule (its inbound interface and range) against a packet that comes in on `iif`: 0 when it matches,
 * else a sum of MISS_*. */
unsigned match_rule(const struct ifname *from, const struct flow_range *range, const char *iif,
		    const struct flow *packet);

/* True when no router forwards any group of a prefix, whatever its rules say: 224.0.0.0/24 (RFC 5771,
 * section 4); ff01::/16 and ff02::/16, with whatever flags (RFC 4291, section 2.7).  len counts from 128. */
bool match_link_local(const struct addr *group, unsigned len);

/* True when all groups of a prefix are for one source: 232.0.0.0/8 and ff3x::/32 (RFC 4607, section 1).  As above. */
bool match_is_ssm(const struct addr *group, unsigned len);

/* True when no router forwards packets of a source, whatever its rules say: 0.0.0.0/8, 127.0.0.0/8 and
 * 255.255.255.255 (RFC 1122, section 3.2.1.3); ::, ::1 and fe80::/10 (RFC 4291, sections 2.5.2, 2.5.3 and 2.5.6). */
bool match_stays_here(const struct addr *source);

/* The same of each source of a range that has one. */
bool match_range_stays(const struct flow_range *range);

#endif
