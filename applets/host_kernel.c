/* SPDX-License-Identifier: ISC
 *
 * Checks of what this machine allows at all: the kernel's features, our rights,
 * who holds the routing sockets, limits of memberships.
 */
#include "applets/host.h"

#include <errno.h>
#include <unistd.h>

static const struct {
	const char *routing, *tables, *pim;
} symbols[FAM_N] = {
	[FAM_4] = { "CONFIG_IP_MROUTE", "CONFIG_IP_MROUTE_MULTIPLE_TABLES", "CONFIG_IP_PIMSM_V2" },
	[FAM_6] = { "CONFIG_IPV6_MROUTE", "CONFIG_IPV6_MROUTE_MULTIPLE_TABLES", "CONFIG_IPV6_PIMSM_V2" },
};

void check_kernel(struct host *h)
{
	for (enum fam fam = 0; fam < FAM_N; fam++) {
		const struct look_support *s = &h->support[fam];
		const char *name = fam_str(fam);

		if (!host_wants(h, fam))
			continue;
		if (s->routing == 0) {
			finding_add(&h->found, FINDING_ERROR, "kernel", "this kernel routes no %s multicast: "
				    "it was built without %s, or %s is off", name, symbols[fam].routing, name);
			continue;
		}
		if (s->routing < 0)
			finding_add(&h->found, FINDING_UNSEEN, "kernel", "whether this kernel has %s: /proc/net "
				    "is masked, and a socket to ask needs CAP_NET_RAW", symbols[fam].routing);
		if (s->tables == 0)
			finding_add(&h->found, FINDING_NOTE, "kernel", "this kernel has one table for %s "
				    "multicast, so -t cannot be used: no %s", name, symbols[fam].tables);
		else if (s->tables < 0)
			finding_add(&h->found, FINDING_UNSEEN, "kernel", "whether this kernel has %s",
				    symbols[fam].tables);
		if (s->pim == 0)
			finding_add(&h->found, FINDING_NOTE, "kernel", "no %s in this kernel: not needed, only "
				    "moves of a source to another interface are noticed less often",
				    symbols[fam].pim);
		else if (s->pim < 0)
			finding_add(&h->found, FINDING_UNSEEN, "kernel", "whether this kernel has %s (not "
				    "needed): a socket to ask needs CAP_NET_RAW", symbols[fam].pim);
	}
}

/* Rights only matter where no daemon runs yet. */
void check_rights(struct host *h)
{
	bool lacks = false;

	for (enum fam fam = 0; fam < FAM_N; fam++) {
		if (h->links.taken[fam] == 1)
			return;
		lacks |= host_wants(h, fam) && h->support[fam].raw == 0;
	}
	if (!lacks)
		return;
	if (kernel_look_netns_ours() == 0) {
		finding_add(&h->found, FINDING_ERROR, "rights", "no routing socket can be opened here: this "
			    "network namespace belongs to another user namespace, where the capabilities of "
			    "this container do not count; start it in the host's user namespace, or with a "
			    "network of its own");
	} else if (geteuid() == 0) {
		finding_add(&h->found, FINDING_ERROR, "rights", "no routing socket can be opened here: "
			    "CAP_NET_RAW is missing in this container (CAP_NET_ADMIN is for -t only)");
		finding_fix(&h->found, "docker run --cap-add NET_RAW IMAGE");
	} else {
		finding_add(&h->found, FINDING_NOTE, "rights", "uid %u may not open a routing socket: "
			    "CAP_NET_RAW is missing", (unsigned)geteuid());
		finding_fix(&h->found, "sudo smcrouted");
	}
}

void check_holder(struct host *h)
{
	for (enum fam fam = 0; fam < FAM_N; fam++) {
		const char *name = fam_str(fam);

		if (!host_wants(h, fam))
			continue;
		if (h->links.taken[fam] < 0)
			finding_add(&h->found, FINDING_UNSEEN, "holder", "whether somebody holds the %s multicast "
				    "routing socket: this kernel does not tell", name);
		if (h->links.taken[fam] != 1 || host_ours(h, fam))
			continue;
		if (h->holder[fam]) {
			finding_add(&h->found, FINDING_ERROR, "holder", "process %d (%s) holds the %s multicast "
				    "routing socket, so smcrouted cannot have it; end it, or give smcrouted a "
				    "table of its own (-t)", h->holder[fam], h->comm[fam], name);
			finding_fix(&h->found, "kill %d", h->holder[fam]);
		} else {
			finding_add(&h->found, FINDING_UNSEEN, "holder", "who holds the %s multicast routing "
				    "socket: %s", name, geteuid() == 0 ? "a process that /proc does not show" :
				    "root sees it");
		}
	}
}

/* ---- memberships ---- */

#define OTHERS 32		/* descriptors that the daemon has besides */

struct wanted {
	uint64_t any[FAM_N], single[FAM_N];	/* memberships: of any source, of single ones */
};

static void count_joins(const struct conf *c, struct wanted *w)
{
	for (uint32_t i = 0; i < c->nmgroups; i++) {
		const struct mroute *g = &c->mgroups[i];
		bool any = conf_any_source(&g->group, g->slen);

		(any ? w->any : w->single)[addr_fam(&g->group)] += (uint64_t)1 << mgroup_bits(g);
	}
}

/* A limit of 0 admits none. */
static void check_zero(struct host *h, const char *name, long long value, uint64_t wanted, int usual)
{
	if (!wanted)
		return;
	if (value < 0)
		finding_add(&h->found, FINDING_UNSEEN, "memberships", "%s, which limits the memberships of the "
			    "configuration: /proc/sys does not show it", name);
	else if (value == 0) {
		finding_add(&h->found, FINDING_ERROR, "memberships", "%s is 0: no group can be joined", name);
		finding_fix(&h->found, "sysctl -w %s=%d", name, usual);
	}
}

void check_memberships(struct host *h)
{
	long long most = kernel_look_sysctl("net.ipv4.igmp_max_memberships");
	long long files = kernel_look_nofile(h->holder[FAM_4]);
	struct wanted w = { 0 };
	uint64_t sockets;

	count_joins(h->conf, &w);
	check_zero(h, "net.ipv4.igmp_max_memberships", most, w.any[FAM_4] + w.single[FAM_4], 20);
	check_zero(h, "net.ipv4.igmp_max_msf", kernel_look_sysctl("net.ipv4.igmp_max_msf"), w.single[FAM_4], 10);
	check_zero(h, "net.ipv6.mld_max_msf", kernel_look_sysctl("net.ipv6.mld_max_msf"), w.single[FAM_6], 64);
	if (most <= 0)
		return;
	/* Each socket takes that many groups; the daemon spreads them. */
	sockets = (w.any[FAM_4] + w.single[FAM_4] + (uint64_t)most - 1) / (uint64_t)most;
	if (files < 0 && sockets) {
		finding_add(&h->found, FINDING_UNSEEN, "memberships", "how many descriptors smcrouted may have");
	} else if (sockets + OTHERS > (uint64_t)files && files > 2 * OTHERS) {
		finding_add(&h->found, FINDING_ERROR, "memberships", "%llu IPv4 memberships take %llu sockets of %lld "
			    "(net.ipv4.igmp_max_memberships), and smcrouted may have %lld descriptors",
			    (unsigned long long)(w.any[FAM_4] + w.single[FAM_4]), (unsigned long long)sockets,
			    most, files);
		finding_fix(&h->found, "sysctl -w net.ipv4.igmp_max_memberships=%llu",
			    (unsigned long long)(w.any[FAM_4] + w.single[FAM_4]) / (uint64_t)(files - 2 * OTHERS) + 1);
	}
}
