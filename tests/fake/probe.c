/* SPDX-License-Identifier: ISC
 *
 * See probe.h: the verbs of kernel/probe.h on what a test has filled in.
 */
#include "tests/fake/probe.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct filters {
	int none;
};

static struct filters fake_filters;
struct fake_probe fake_probe;

/* Whether the doctor has watched: it catches SIGINT from then on. */
static bool fake_is_end(void)
{
	struct sigaction act;

	return sigaction(SIGINT, NULL, &act) == 0 && act.sa_handler != SIG_DFL;
}

/* Time goes by: packets go from eth0 to eth1, as the first entry says. */
static void fake_pass(void)
{
	struct probe_mfc *e = &fake_probe.mfc[0];
	bool is_end = fake_is_end();
	uint64_t n = fake_probe.passes[is_end ? 2 : 0];

	n += is_end ? fake_probe.passes[1] : 0;
	fake_probe.passes[1] = is_end ? 0 : fake_probe.passes[1];
	if (++fake_probe.readings == fake_probe.slow_at)
		n += fake_probe.slow;
	for (unsigned i = 0; n && i < fake_probe.nlinks; i++) {
		bool is_in = fake_probe.links[i].ifindex == e->iif;

		fake_probe.links[i].multicast += is_in ? n : 0;
		fake_probe.links[i].packets += is_in ? n : 0;
		fake_probe.links[i].sent += is_in || (fake_probe.is_filtered && i == fake_probe.nlinks - 1) ? 0 : n;
		fake_probe.vifs[FAM_4][i].st.in_packets += is_in ? n : 0;
		fake_probe.vifs[FAM_4][i].st.out_packets += is_in ? 0 : n;
	}
	e->st.packets += n;
	fake_probe.counters.mcast_out += n;
	fake_probe.counters.forwarded += n;
	for (unsigned i = 0; i < SNIFF_STATIONS; i++)
		fake_probe.passed[i] += n;
}

void fake_probe_reset(void)
{
	static const struct probe_support all = { .routing = 1, .tables = 1, .pim = 1, .raw = 1 };

	fake_probe = (struct fake_probe){
		.has_tables = true, .table = 1, .sysctl = 100, .nofile = 1024, .netns_ours = 1,
		.support = { all, all },
	};
}

struct probe_link *fake_probe_link(int ifindex, const char *name)
{
	struct probe_link *l = &fake_probe.links[fake_probe.nlinks++];

	*l = (struct probe_link){
		.ifindex = ifindex, .flags = LINK_UP | LINK_RUNNING | LINK_MULTICAST, .mtu = 1500,
		.address = { true, true }, .allmulti = 1, .v6 = 1, .port.state = PORT_NONE,
		.bridge = { .snoops = -1, .querier = { -1, -1 }, .takes_all = -1, .has_stp = -1,
			    .filters_vlans = -1, .snoops_vlans = -1 },
	};
	strncpy(l->name, name, sizeof l->name - 1);
	return l;
}

int probe_links(struct probe_links *l)
{
	unsigned n = fake_probe.nlinks;

	fake_pass();
	*l = (struct probe_links){
		.v = malloc(sizeof fake_probe.links), .n = n, .cap = n, .rp_all = fake_probe.rp_all,
		.heeds_allmulti = fake_probe.heeds_allmulti,
	};
	if (!l->v)
		return -1;
	memcpy(l->v, fake_probe.links, sizeof fake_probe.links);
	memcpy(l->taken, fake_probe.taken, sizeof l->taken);
	l->addresses = fake_probe.is_own ? calloc(1, sizeof *l->addresses) : NULL;
	if (l->addresses) {
		l->addresses->addr = fake_probe.mfc[0].flow.source;
		l->naddresses = 1;
	}
	return 0;
}

void probe_links_free(struct probe_links *l)
{
	free(l->v);
	free(l->addresses);
	*l = (struct probe_links){ 0 };
}

int probe_vifs(enum fam fam, struct probe_vif *v, int max)
{
	int n = fake_probe.nvifs[fam];

	fake_pass();
	if (n < 0) {
		errno = ENOENT;
		return -1;
	}
	n = n < max ? n : max;
	memcpy(v, fake_probe.vifs[fam], (size_t)n * sizeof *v);
	return n;
}

int probe_mfc(enum fam fam, probe_mfc_fn *fn, void *ctx)
{
	if (fake_probe.is_unseen[fam]) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (++fake_probe.mfc_reads == 2)
		fake_probe.passes[1] += fake_probe.busy;
	fake_pass();
	for (unsigned i = 0; i < fake_probe.nmfc; i++) {
		struct probe_mfc *e = &fake_probe.mfc[i];

		if (flow_fam(&e->flow) == fam)
			fn(ctx, e);
		e->st.packets += fake_probe.grows;
	}
	return 0;
}

int probe_mdb(probe_mdb_fn *fn, void *ctx)
{
	for (unsigned i = 0; i < fake_probe.nmdb; i++)
		fn(ctx, &fake_probe.mdb[i]);
	return 0;
}

int probe_table(enum fam fam, const char *iif, struct probe_lookup *l)
{
	(void)fam;
	(void)iif;
	if (!fake_probe.has_tables) {
		errno = EOPNOTSUPP;
		return -1;
	}
	*l = (struct probe_lookup){ .table = fake_probe.table, .pref = PROBE_LAST_PREF };
	return 0;
}

uint32_t probe_default_table(enum fam fam)
{
	(void)fam;
	return 1;
}

int probe_route(const struct addr *host, struct probe_route *r)
{
	(void)host;
	*r = fake_probe.route;
	return 0;
}

int probe_route_out(const struct addr *group, int oif, struct probe_route *r)
{
	(void)group;
	*r = (struct probe_route){ .none = fake_probe.lacks_way_out, .n = 1, .oif = { oif } };
	return 0;
}

int probe_counters(enum fam fam, struct probe_counters *c)
{
	(void)fam;
	fake_pass();
	*c = fake_probe.counters;
	return 0;
}

void probe_support(enum fam fam, struct probe_support *s)
{
	*s = fake_probe.support[fam];
}

tristate probe_netns_ours(void)
{
	return fake_probe.netns_ours;
}

int probe_members(enum fam fam, probe_member_fn *fn, void *ctx)
{
	struct addr group;

	addr_parse("225.1.2.3", 9, &group);
	for (unsigned i = 0; fam == FAM_4 && fake_probe.is_member && i < fake_probe.nlinks; i++)
		fn(ctx, fake_probe.links[i].ifindex, &group);
	return 0;
}

long long kernel_sysctl(const char *name)
{
	(void)name;
	return fake_probe.sysctl;
}

long probe_cmdline(int pid, char *text, size_t size)
{
	(void)pid;
	(void)text;
	(void)size;
	return -1;
}

bool probe_is_smcrouted(int pid, const char *comm)
{
	(void)pid;
	return !strncmp(comm, "smcroute", 8);
}

bool probe_router_after(int after, int *pid, char *comm, size_t size)
{
	(void)after;
	(void)pid;
	(void)comm;
	(void)size;
	return false;
}

long long probe_nofile(int pid)
{
	(void)pid;
	return fake_probe.nofile;
}

struct filters *probe_filters_open(void)
{
	return &fake_filters;
}

void probe_filters_close(struct filters *f)
{
	(void)f;
}

int probe_filters_error(const struct filters *f, enum probe_filter filter)
{
	(void)f;
	return filter == PROBE_NFT ? fake_probe.nft_errno : 0;
}

void probe_filters_judge(const struct filters *f, enum probe_hook from, enum probe_hook to,
			 const struct probe_packet *p, probe_chain_fn *fn, void *ctx)
{
	(void)f;
	(void)p;
	for (unsigned i = 0; i < fake_probe.nchains && !fake_probe.nft_errno; i++)
		if (fake_probe.chains[i].hook >= from && fake_probe.chains[i].hook <= to)
			fn(ctx, &fake_probe.chains[i]);
}

int probe_sniff_open(struct probe_sniff *s, enum fam fam, const struct addr *grp)
{
	(void)fam;
	(void)grp;
	*s = (struct probe_sniff){ { -1, -1 } };
	errno = EPERM;
	return fake_probe.nsniffed ? 0 : -1;
}

void probe_sniff_close(struct probe_sniff *s)
{
	(void)s;
}

/* Those of the first entry that have come to a station since it was read. */
static void fake_passed(enum probe_station station, probe_sniff_fn *fn, void *ctx)
{
	const struct probe_mfc *e = &fake_probe.mfc[0];
	struct probe_sniffed p = { .station = station, .ifindex = station == SNIFF_OUT ? e->oif[0] : e->iif,
				   .flow = e->flow, .ttl = 16, .len = 100 };

	for (; fake_probe.passed[station]; fake_probe.passed[station]--)
		fn(ctx, &p);
}

/* A sample begins with three readings and ends with as many: what was sniffed is there in the first of its end. */
int probe_sniff_drain(const struct probe_sniff *s, int max, probe_sniff_fn *fn, void *ctx)
{
	(void)s;
	(void)max;
	fake_probe.drains++;
	for (unsigned i = 0; fake_probe.drains == 4 && i < fake_probe.nsniffed; i++)
		fn(ctx, &fake_probe.sniffed[i]);
	fake_pass();
	fake_passed(SNIFF_WIRE, fn, ctx);
	fake_passed(SNIFF_OUT, fn, ctx);
	fake_pass();
	fake_passed(SNIFF_IP, fn, ctx);
	return 0;
}

uint64_t probe_sniff_lost(const struct probe_sniff *s)
{
	(void)s;
	return 0;
}
