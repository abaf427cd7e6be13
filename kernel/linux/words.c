/* SPDX-License-Identifier: ISC
 *
 * What Linux calls what may be missing, and its commands.
 */
#include "kernel/kernel.h"

#include <unistd.h>

#define BOTH(text) { text, text }
#define OF(what) { "CONFIG_IP_" what, "CONFIG_IPV6_" what }
#define NO_PIM " in this kernel, wrong interfaces are noticed only where they are an output"

const char *kernel_word(enum kernel_word word, enum fam fam)
{
	static const char *const words[KERNEL_WORDS][FAM_N] = {
		[WORD_FAMILY] = { NULL, "CONFIG_IPV6" },
		[WORD_ROUTING] = OF("MROUTE"),
		[WORD_TABLES] = OF("MROUTE_MULTIPLE_TABLES"),
		[WORD_PIM] = { "no CONFIG_IP_PIMSM_V2" NO_PIM, "no CONFIG_IPV6_PIMSM_V2" NO_PIM },
		[WORD_RIGHT] = BOTH("the right to this network namespace (CAP_NET_RAW in the user namespace that "
				    "owns it)"),
		[WORD_RIGHT_ROOT] = BOTH("CAP_NET_RAW is missing in this container (CAP_NET_ADMIN is for -t only)"),
		[WORD_RIGHT_USER] = BOTH("CAP_NET_RAW is missing"),
		[WORD_RIGHT_FIX] = BOTH("docker run --cap-add NET_RAW IMAGE"),
		[WORD_LINKS] = BOTH("ip -br link"),
		[WORD_LINK_SHOW] = BOTH("ip -d link show dev"),
		[WORD_LINK_COUNTS] = BOTH("ip -s -s link show dev"),
		[WORD_LINK_SET] = BOTH("ip link set dev"),
		[WORD_INTERFACES] = BOTH("in /etc/network/interfaces, or its like"),	/* ifupdown of Debian */
		[WORD_SNIFF] = BOTH("CAP_NET_RAW is needed; as root doctor sees them"),
		[WORD_COUNTERS] = BOTH("/proc/net is masked"),
		[WORD_V6_OFF] = BOTH("disable_ipv6 is set"),
	};

	/* The parameter ipv6.disable, which turns it off, is there when IPv6 is (net/ipv6/af_inet6.c). */
	if (word == WORD_FAMILY && (access("/sys/module/ipv6", F_OK) == 0 || access("/sys/module", F_OK) < 0))
		return NULL;
	/* IPv4 routing depends on it (net/ipv4/Kconfig), and without it there is no such file (net/ipv4/igmp.c,
	 * igmp_mc_init).  The other file shows that /proc can be seen. */
	if (word == WORD_ROUTING && fam == FAM_4 && access("/proc/net/igmp", F_OK) < 0 &&
	    access("/proc/net/dev", F_OK) == 0)
		return "CONFIG_IP_MULTICAST, CONFIG_IP_MROUTE";
	return words[word][fam];
}
