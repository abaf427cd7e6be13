/* SPDX-License-Identifier: ISC
 *
 * What FreeBSD calls what may be missing, and its commands.
 */
#include "kernel/kernel.h"

#define BOTH(text) { text, text }

const char *kernel_word(enum kernel_word word, enum fam fam)
{
	static const char *const words[KERNEL_WORDS][FAM_N] = {
		[WORD_ROUTING] = { "its module (kldload ip_mroute)", "its module (kldload ip6_mroute)" },
		[WORD_TABLES] = BOTH("tables, which this system has not"),
		[WORD_PIM] = {
			"packets on a wrong interface are not noticed, as this kernel refuses MRT_ASSERT",
			"packets on a wrong interface are not noticed, as this kernel would tell of each one",
		},
		[WORD_RIGHT] = BOTH("the privilege of root (in a jail also vnet, a network stack of its own)"),
		[WORD_RIGHT_ROOT] = BOTH("this jail has no network stack of its own (vnet)"),
		[WORD_RIGHT_USER] = BOTH("that is for root"),
		[WORD_LINKS] = BOTH("ifconfig -l"),
		[WORD_LINK_SHOW] = BOTH("ifconfig"),
		[WORD_LINK_COUNTS] = BOTH("netstat -d -I"),
		[WORD_LINK_SET] = BOTH("ifconfig"),
		[WORD_SNIFF] = BOTH("/dev/bpf is needed; as root doctor sees them"),
		[WORD_COUNTERS] = BOTH("this system does not count multicast by itself"),
		[WORD_V6_OFF] = BOTH("IFDISABLED is set, as it is from the start"),
		[WORD_V6_ON] = BOTH("inet6 -ifdisabled auto_linklocal"),
	};

	return words[word][fam];
}
