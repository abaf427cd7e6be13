/* SPDX-License-Identifier: ISC */
#include "applets/doctor/checks.h"

#include <unistd.h>

#include "applets/doctor/check_bridge.h"
#include "applets/doctor/check_net.h"
#include "applets/doctor/running.h"
#include "conf/read.h"
#include "lib/status.h"

static void check_kernel(struct host *h, const struct host_fam *k)
{
	const struct probe_support *s = &k->support;
	const char *lacks;

	if (!k->is_wanted)
		return;
	lacks = s->off ? kernel_word(WORD_FAMILY, k->fam) : s->routing ? NULL : kernel_word(WORD_ROUTING, k->fam);
	if (s->off && !lacks) {
		finding_add(&h->found, FINDING_ERROR, "%s is off in this kernel, as by ipv6.disable=1 in "
			    "/proc/cmdline: it needs another start", k->name);
		return;
	}
	if (lacks) {
		finding_add(&h->found, FINDING_ERROR, "this kernel routes no %s multicast: it needs %s", k->name,
			    lacks);
		return;
	}
	if (s->routing < 0)
		finding_add(&h->found, FINDING_UNSEEN, "whether this kernel has %s: it cannot be seen, and a socket "
			    "to ask needs CAP_NET_RAW", kernel_word(WORD_ROUTING, k->fam));
	if (s->tables == 0 && kernel_has_tables())
		finding_add(&h->found, FINDING_NOTE, "this kernel has one table for %s multicast, so -t cannot be "
			    "used: no %s", k->name, kernel_word(WORD_TABLES, k->fam));
	else if (s->tables < 0)
		finding_add(&h->found, FINDING_UNSEEN, "whether this kernel has %s",
			    kernel_word(WORD_TABLES, k->fam));
	if (s->loops) {
		finding_add(&h->found, FINDING_NOTE, "%s: copies come back to the router, so each counts as a packet "
			    "on a wrong interface, as %s is 1; with 0 programs of this host that are to hear their own "
			    "packets must ask for that (IP_MULTICAST_LOOP)", k->name, s->loops);
		finding_fix(&h->found, "sysctl %s=0", s->loops);
	}
	if (s->pim == 0)
		finding_add(&h->found, FINDING_NOTE, "%s: %s; not needed, only moves of a source to another "
			    "interface are noticed less often", k->name, kernel_word(WORD_PIM, k->fam));
	else if (s->pim < 0)
		finding_add(&h->found, FINDING_UNSEEN, "whether this kernel tells of %s packets on any wrong interface "
			    "(not needed): a socket to ask needs CAP_NET_RAW", k->name);
}

/* Rights only matter where no daemon runs yet. */
static void check_rights(struct host *h)
{
	unsigned uid = geteuid();
	const char *fix = uid == 0 ? kernel_word(WORD_RIGHT_FIX, FAM_4) : "sudo smcrouted";
	bool lacks = false;

	for (const struct host_fam *k = h->of; k < h->of + FAM_N; k++) {
		if (k->taken == 1)
			return;
		lacks |= k->is_wanted && k->support.raw == 0;
	}
	if (!lacks)
		return;
	if (probe_netns_ours() == 0) {
		finding_add(&h->found, FINDING_ERROR, "no routing socket can be opened here: this network namespace "
			    "belongs to another user namespace, where the capabilities of this container do not count; "
			    "start it in the host's user namespace, or with a network of its own");
		return;
	}
	if (uid == 0)
		finding_add(&h->found, FINDING_ERROR, "no routing socket can be opened here: %s",
			    kernel_word(WORD_RIGHT_ROOT, FAM_4));
	else
		finding_add(&h->found, FINDING_NOTE, "uid %u may not open a routing socket: %s", uid,
			    kernel_word(WORD_RIGHT_USER, FAM_4));
	if (fix)
		finding_fix(&h->found, "%s", fix);
}

static void check_holder(struct host *h, const struct host_fam *k)
{
	char holder[HOLDER];

	if (!k->is_wanted)
		return;
	if (k->taken < 0)
		finding_add(&h->found, FINDING_UNSEEN, "whether somebody holds the %s multicast routing socket: this "
			    "kernel does not tell", k->name);
	if (k->is_foreign || k->is_old) {
		finding_add(&h->found, FINDING_ERROR, "%s holds the %s multicast routing socket, so smcrouted cannot "
			    "have it; end it%s", host_holder(k, holder), k->name,
			    kernel_has_tables() ? ", or give smcrouted a table of its own (-t)" : "");
		if (k->is_old)
			finding_fix(&h->found, "%s kill", h->ctl);
		else if (k->holder)
			finding_fix(&h->found, "kill %d", k->holder);
		else
			finding_fix(&h->found, "sudo smcroute-check -H");
	} else if (k->taken == 1 && !k->holder) {
		finding_add(&h->found, FINDING_UNSEEN, "who holds the %s multicast routing socket: %s", k->name,
			    geteuid() == 0 ? "a process that cannot be seen" : "root sees it");
	}
}

#define OTHER_FILES 32		/* descriptors that the daemon has besides */

/* Returns the value of a limit, -1 where it cannot be read.  One of 0 admits none. */
static long long check_limit(struct host *h, const char *name, uint64_t wanted, int usual)
{
	long long value = kernel_sysctl(name);

	if (wanted && value < 0)
		finding_add(&h->found, FINDING_UNSEEN, "%s, which limits the memberships of the configuration: "
			    "/proc/sys does not show it", name);
	else if (wanted && value == 0) {
		finding_add(&h->found, FINDING_ERROR, "%s is 0: no group can be joined", name);
		finding_fix(&h->found, "sysctl -w %s=%d", name, usual);
	}
	return value;
}

static void check_memberships(struct host *h)
{
	static const char groups[] = "net.ipv4.igmp_max_memberships";
	long long files, most;
	unsigned long long wanted = 0, sockets;
	uint64_t single[FAM_N] = { 0 };		/* of single sources */

	/* Such a system has none of these settings. */
	if (kernel_group_sources())
		return;
	files = probe_nofile(h->of[FAM_4].holder);
	for (const struct conf_rule *g = h->conf->mgroups; g < h->conf->mgroups + h->conf->nmgroups; g++) {
		enum fam fam = flow_range_fam(&g->range);
		uint64_t n = (uint64_t)1 << conf_join_bits(&g->range);

		wanted += fam == FAM_4 ? n : 0;
		single[fam] += flow_range_any_source(&g->range) ? 0 : n;
	}
	most = check_limit(h, groups, wanted, 20);
	check_limit(h, "net.ipv4.igmp_max_msf", single[FAM_4], 10);
	check_limit(h, "net.ipv6.mld_max_msf", single[FAM_6], 64);
	if (most <= 0)
		return;
	/* Each socket takes that many groups; the daemon spreads them. */
	sockets = (wanted + (unsigned long long)most - 1) / (unsigned long long)most;
	if (files < 0 && sockets) {
		finding_add(&h->found, FINDING_UNSEEN, "how many descriptors smcrouted may have");
	} else if (sockets + OTHER_FILES > (unsigned long long)files && files > 2 * OTHER_FILES) {
		finding_add(&h->found, FINDING_ERROR, "%llu IPv4 memberships take %llu sockets of %lld (%s), and "
			    "smcrouted may have %lld descriptors", wanted, sockets, most, groups, files);
		finding_fix(&h->found, "sysctl -w %s=%llu", groups,
			    wanted / (unsigned long long)(files - 2 * OTHER_FILES) + 1);
	}
}

static const struct check {
	const char *what;
	void (*family)(struct host *h, const struct host_fam *k);	/* is called for both */
	void (*host)(struct host *h);
} checks[] = {
	{ .what = "kernel", .family = check_kernel },
	{ .what = "rights", .host = check_rights },
	{ .what = "holder", .family = check_holder },
	{ .what = "interface", .host = check_interfaces },
	{ .what = "vifs", .family = check_vifs },
	{ .what = "table", .family = check_tables },
	{ .what = "rp_filter", .host = check_rp_filter },
	{ .what = "firewall", .host = check_firewall },
	{ .what = "allmulti", .family = check_allmulti },
	{ .what = "snooping", .family = check_bridges },
	{ .what = "memberships", .host = check_memberships },
};

void checks_run(struct host *h)
{
	for (const struct check *c = checks; c < checks + sizeof checks / sizeof *checks; c++) {
		h->found.what = c->what;
		for (enum fam fam = 0; c->family && fam < FAM_N; fam++)
			c->family(h, &h->of[fam]);
		if (c->host)
			c->host(h);
	}
}

/* Prints all; the exit status. */
static int checks_write(const struct host *h, enum form form)
{
	const struct findings *f = &h->found;
	uint32_t bad = f->count[FINDING_ERROR] + f->count[FINDING_WARNING];
	struct buf tail = { 0 };
	bool ok;

	if (form == FORM_JSON)
		buf_printf(&tail, ",\"errors\":%u,\"warnings\":%u,\"more\":%u}\n", f->count[FINDING_ERROR],
			   f->count[FINDING_WARNING], f->dropped);
	if (form == FORM_TEXT && f->dropped)
		buf_printf(&tail, "and %u more of these kinds\n", f->dropped);
	if (form == FORM_TEXT && !bad)
		buf_printf(&tail, "good: nothing was found that stands in the way%s\n",
			   h->of[FAM_4].taken || h->of[FAM_6].taken ? "" : "; no multicast router runs here now");
	ok = findings_write(f, form, "", buf_cstr(&tail));
	buf_free(&tail);
	return !ok ? EXIT_SYSTEM : bad ? 1 : 0;
}

int checks_main(char **files, int n, bool is_standard, enum form form)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };
	struct host h = { 0 };
	struct running run = { 0 };
	const char *unread = NULL;
	int status, pid;

	if (!c)
		return host_failed("-H");
	for (int i = 0; i < n; i++)
		if ((!is_standard || access(files[i], F_OK) == 0) && !conf_parse_file(c, &d, files[i]))
			unread = files[i];
	if (host_probe(&h, c) < 0) {
		status = host_failed("cannot look at this host");
	} else {
		h.found.what = "config";
		if (unread)
			finding_add(&h.found, FINDING_ERROR, "the configuration %s cannot be read: %s", unread,
				    d.n ? d.v[d.n - 1].text : "it is not there");
		else if (d.errors)
			finding_add(&h.found, FINDING_ERROR, "errors in the configuration: %u; those lines are left "
				    "out here, smcroute-check without -H shows them", d.errors);
		pid = h.of[FAM_4].holder ? h.of[FAM_4].holder : h.of[FAM_6].holder;
		if (running_find(&run, pid)) {
			h.ctl = running_ctl(&run);
			running_holders(&run, &h);
		}
		checks_run(&h);
		status = checks_write(&h, form);
		if (d.errors && status == 1)
			status = EXIT_CONFIG;
	}
	running_free(&run);
	host_free(&h);
	diags_free(&d);
	conf_free(c);
	return status;
}
