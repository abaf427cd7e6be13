/* SPDX-License-Identifier: ISC
 *
 * What is wrong with the way of a packet, and the commands against it: shared by -H, which asks for all rules of a
 * configuration, and doctor, which asks for one flow.  Commands are added to the last finding.
 */
#ifndef APPLETS_DOCTOR_REMEDY_H
#define APPLETS_DOCTOR_REMEDY_H

#include "applets/doctor/host.h"
#include "lib/text.h"

/* Room for an interface name, or its key of sysctl(8), as a word of a command. */
#define REMEDY_WORD TEXT_WORD_SIZE(KERNEL_IFNAME + 32)

/* What stands behind the "ip" of tools and keywords of a family: "ip%stables". */
extern const char remedy_six[FAM_N][2];

/* True when the reverse path filter of an interface refuses a source, with the reason in why[RP_WHY]; false when it
 * does not, or cannot be seen.  *r is the route back. */
#define RP_WHY 64
bool remedy_rp_refuses(const struct host *h, const struct probe_link *in, const struct addr *src,
		       struct probe_route *r, char *why);

/* True when the reverse path filter of an interface looks the source up with the mark of the packet. */
bool remedy_rp_marks(const struct probe_link *in);

/* The command that makes a setting of an interface, net.ipv4.conf.NAME.KEY, and the line that makes it last. */
void remedy_sysctl(struct findings *f, enum fam fam, const char *name, const char *key, int value);

/* The command that lets the source, or prefix, in; src = NULL: any source. */
void remedy_rp_filter(struct host *h, const struct probe_link *in, const struct addr *src, uint8_t slen,
		      const struct probe_route *r);

/* "ip link set dev NAME WHAT" */
void remedy_link(struct findings *f, const char *name, const char *what);

/* The command that makes a chain accept the packet. */
void remedy_chain(struct findings *f, const struct probe_chain *c, const struct probe_packet *p, uint8_t glen);

/* The program that a chain is of, and what makes an accepted group last there. */
const char *remedy_maker(const struct probe_chain *c);
const char *remedy_lasts(const struct probe_chain *c);

/* The command that shows a chain which may drop packets. */
void remedy_chain_show(struct findings *f, const struct probe_chain *c);

/* The command that gives an interface IPv6 again; NULL: it is gone. */
#define REMEDY_V6_MTU 1280	/* RFC 8200, section 5 */
void remedy_v6(struct findings *f, const struct probe_link *l);

/* The command that leads packets of an interface to another table than they are looked up in now. */
void remedy_table(struct findings *f, enum fam fam, const char *iif, const struct probe_lookup *now, uint32_t table);

/* Where such packets are looked up, as words in buf[REMEDY_WHERE], which it returns. */
#define REMEDY_WHERE 64
const char *remedy_where(uint32_t table, char *buf);

/* Writes `WAYifname "NAME" ` for a rule of nft in single quotes, way "i" or "o", to buf[REMEDY_NFT]; nothing when the
 * name is NULL or cannot stand there.  Returns buf. */
#define REMEDY_NFT (KERNEL_IFNAME + 16)
const char *remedy_nft_ifname(const char *way, const char *name, char *buf);

/* True when a word is in a list that ends with NULL. */
bool remedy_is_among(const char *word, const char *const *list);

/* True when a text is not empty and all of it letters and digits of ASCII, or among others. */
bool remedy_is_plain(const char *s, const char *others);

#endif
