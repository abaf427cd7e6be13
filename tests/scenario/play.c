/* SPDX-License-Identifier: ISC
 *
 * Plays scenarios on a router with the fake kernel and compares what came of
 * them with what is known to be right.  A scenario X.scn is a list of lines:
 *
 *	# comment
 *	set expire SEC | cap N		before anything else
 *	family 4|6 up|down [WORDS]	who else has it
 *	conf				followed by indented lines: a configuration, applied
 *	link new INDEX NAME [up] [mcast] [noaddr] [copies=INDEX]	link del INDEX	link begin | link end
 *					noaddr: it has no address of IPv4
 *	link addr INDEX			an address of it came or went: of IPv4 it has one now
 *	link hold | link release	what is in between is read in one go
 *	link members			the kernel reports that memberships of this host changed
 *	member INDEX GROUP on|off	another program of this host is a member; nothing is reported
 *	received PACKETS		each interface has received so many from outside
 *	lost INDEX			the interface is gone, but nobody said so
 *	mrdisc 4|6			the socket of router discovery is there
 *	solicit 4|6 INDEX		a solicitation came in
 *	reports 4|6 [VERSION]		the socket of reports is there; or sysctls demand a version of them
 *	query 4|6 INDEX VERSION		a general query came in
 *	upcall 4|6 nocache|wrongvif VIF SOURCE GROUP
 *	packet VIF SOURCE GROUP [N]	so many packets come in, for which the kernel may ask: answered by
 *	upcalls				what the kernel has asked is read
 *	stats SOURCE GROUP PACKETS BYTES WRONG
 *	tick SEC [tell]			time goes on, the router is called when it asked to be; tell:
 *					after how many ms it did what
 *	pim on|off			whether the kernel reports every wrong VIF
 *	fail VERB ERRNO TIMES		as fake_fail()
 *	adopt				the daemon ends, another one gets its sockets and knows the interfaces: a conf
 *					follows
 *	unresolved SOURCE GROUP		packets of it wait for an entry
 *	idle SOURCE GROUP SEC		so long ago was the last packet
 *	settled				what was joined by the daemon before is let go of
 *	ctl [-d|-dd] [-j] [-oOWNER] WORDS	a client command
 *
 * X.ok has each of them with a `>` in front, then the journal of the kernel, the
 * events and the answers that followed.  With SYSTEM=freebsd in the environment the kernel
 * is FreeBSD's, and what differs then is in X.freebsd.ok.  UPDATE=1 writes them.
 * A line with a word too few or too many, or a word that is none of these, fails the
 * scenario, with its file and line.
 */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/number.h"
#include "lib/status.h"
#include "applets/control/command.h"
#include "applets/control/monitor.h"
#include "conf/print.h"
#include "conf/read.h"
#include "router/router.h"
#include "tests/fake/kernel.h"

static bool is_freebsd;			/* SYSTEM=freebsd */

struct player {
	struct router r;
	struct buf out;
	int64_t now;
	bool hold;
	const char *path;		/* of the scenario */
	unsigned line;			/* that is being played */
	bool is_wrong;			/* so is this line: nothing is done then */
	struct buf errors;		/* what is wrong with the scenario itself: PATH:LINE: ..., a line each */
};

static void __attribute__((format(printf, 2, 3))) play_wrong(struct player *p, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	p->is_wrong = true;
	buf_printf(&p->errors, "%s:%u: %s\n", p->path, p->line, text);
}

/* The values of words.  One that is none is an error of the scenario. */
static int play_number(struct player *p, const char *word)
{
	int64_t n = number_parse(word, INT_MAX);

	if (n < 0)
		play_wrong(p, "%s: no number", word);
	return n < 0 ? 0 : (int)n;
}

static enum fam play_fam(struct player *p, const char *word)
{
	if (strcmp(word, "4") && strcmp(word, "6"))
		play_wrong(p, "%s: 4 or 6", word);
	return *word == '6' ? FAM_6 : FAM_4;
}

static struct flow play_flow(struct player *p, char **argv)
{
	struct flow flow = { 0 };

	if (addr_parse(argv[0], strlen(argv[0]), &flow.source) || addr_parse(argv[1], strlen(argv[1]), &flow.group))
		play_wrong(p, "%s %s: a source and a group", argv[0], argv[1]);
	return flow;
}

/* True for the first word, false for the second. */
static bool play_either(struct player *p, const char *word, const char *yes, const char *no)
{
	if (strcmp(word, yes) && strcmp(word, no))
		play_wrong(p, "%s: %s or %s", word, yes, no);
	return !strcmp(word, yes);
}

static void on_event(void *ctx, const struct event *ev)
{
	struct player *p = ctx;
	char s[ADDR_STRLEN], g[ADDR_STRLEN];

	if (ev->kind >= EVENT_ADDED) {
		struct buf text = { 0 }, json = { 0 };

		/* Without the time. */
		monitor_event_lines(&p->r, ev, 0, &text, &json);
		buf_printf(&p->out, "event %s", strstr(buf_cstr(&text), monitor_event_name(ev->kind)));
		buf_free(&text);
		buf_free(&json);
		return;
	}
	buf_printf(&p->out, "event %s", monitor_event_name(ev->kind));
	if (ev->flow)
		buf_printf(&p->out, " (%s,%s)", addr_str(&ev->flow->source, s), addr_str(&ev->flow->group, g));
	if (ev->rule) {
		buf_chr(&p->out, ' ');
		ruleset_print(&p->out, &p->r.rules, ev->rule, "mroute", 7);
	}
	if (ev->iif)
		buf_printf(&p->out, "%s %s", ev->rule ? "," : "", ev->iif);
	if (ev->text)
		buf_printf(&p->out, " %s", ev->text);
	buf_chr(&p->out, '\n');
}

/* Lets the router come to the end of what it has begun. */
static void play_settle(struct player *p)
{
	while (router_is_busy(&p->r))
		router_sync(&p->r);
}

static void play_conf(struct player *p, const char *text)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };

	conf_parse_text(c, &d, "conf", text, strlen(text));
	diags_print(&p->out, c, &d, false);
	diags_free(&d);
	router_apply(&p->r, c, p->now);
	conf_free(c);
	play_settle(p);
}

/* ---- steps: argv[0] is the first word, argc was checked ---- */

static void play_set(struct player *p, int argc, char **argv)
{
	int n = play_number(p, argv[2]);

	(void)argc;
	if (play_either(p, argv[1], "expire", "cap"))
		p->r.expire_sec = (unsigned)n;
	else
		p->r.max_dynamic = (uint32_t)n;
}

static void play_family(struct player *p, int argc, char **argv)
{
	enum fam f = play_fam(p, argv[1]);
	char why[ROUTER_LACKS] = "";

	for (int i = 3; i < argc; i++)
		snprintf(why + strlen(why), sizeof why - strlen(why), "%s%s", i > 3 ? " " : "", argv[i]);
	router_family_lacks(&p->r, f, why);
	router_family(&p->r, f, play_either(p, argv[2], "up", "down"));
	router_sync(&p->r);
	play_settle(p);
}

/* What was told of an interface. */
static struct link_event play_link_of(const struct iface *i)
{
	struct link_event ev = { .kind = LINK_NEW, .ifindex = i->ifindex, .flags = i->flags, .mtu = i->mtu,
				 .allmulti = i->allmulti, .copies = i->copies };

	memcpy(ev.name, i->name, sizeof ev.name);
	return ev;
}

/* Has the router hear of a link as the system tells it. */
static void play_tell_link(struct player *p, const struct link_event *ev)
{
	const struct iface *i = iface_find(&p->r.ifs, ev->ifindex);
	struct link_event told[2], was = i ? play_link_of(i) : *ev;
	unsigned n = fake_link_event(*ev, i ? &was : NULL, told);

	for (unsigned k = 0; k < n; k++)
		router_link_event(&p->r, &told[k]);
}

/* The kinds of link steps; the number of words behind them. */
static const struct link_step {
	const char *name;
	int min, max;
	enum link_kind kind;
} link_steps[] = {
	{ "new", 2, 6, LINK_NEW },
	{ "del", 1, 1, LINK_DEL },
	{ "addr", 1, 1, LINK_ADDR },
	{ "members", 0, 0, LINK_MEMBERS },
	{ "begin", 0, 0, LINK_SWEEP_BEGIN },
	{ "end", 0, 0, LINK_SWEEP_END },
};

static void play_link_event(struct player *p, const struct link_step *step, int argc, char **argv)
{
	struct link_event ev = { .kind = step->kind, .mtu = 1500 };
	bool has_address = true;

	if (step->max)
		ev.ifindex = play_number(p, argv[2]);
	if (step->kind == LINK_DEL)
		fake_link_del(ev.ifindex);
	if (step->kind == LINK_NEW) {
		snprintf(ev.name, sizeof ev.name, "%s", argv[3]);
		for (int i = 4; i < argc; i++)
			if (!strncmp(argv[i], "copies=", 7))
				ev.copies = play_number(p, argv[i] + 7);
			else if (!strcmp(argv[i], "noaddr"))
				has_address = false;
			else
				ev.flags |= play_either(p, argv[i], "up", "mcast") ? LINK_UP : LINK_MULTICAST;
	}
	if (p->is_wrong)
		return;
	if (step->kind == LINK_NEW) {
		fake_link_add(ev.ifindex);
		fake_link_lacks(ev.ifindex, !(ev.flags & LINK_MULTICAST), !has_address);
	}
	play_tell_link(p, &ev);
	if (!p->hold)
		router_sync(&p->r);
	play_settle(p);
}

static void play_link(struct player *p, int argc, char **argv)
{
	if (argc == 2 && (!strcmp(argv[1], "hold") || !strcmp(argv[1], "release"))) {
		p->hold = !strcmp(argv[1], "hold");
		router_sync(&p->r);
		return;
	}
	for (size_t i = 0; i < sizeof link_steps / sizeof *link_steps; i++)
		if (!strcmp(argv[1], link_steps[i].name)) {
			if (argc - 2 < link_steps[i].min || argc - 2 > link_steps[i].max)
				play_wrong(p, "link %s: too %s words", argv[1],
					   argc - 2 < link_steps[i].min ? "few" : "many");
			else
				play_link_event(p, &link_steps[i], argc, argv);
			return;
		}
	play_wrong(p, "link %s: no such step", argv[1]);
}

static void play_lost(struct player *p, int argc, char **argv)
{
	(void)argc;
	fake_link_del(play_number(p, argv[1]));
}

static void play_member(struct player *p, int argc, char **argv)
{
	struct addr group = { 0 };
	bool on = play_either(p, argv[3], "on", "off");

	(void)argc;
	if (addr_parse(argv[2], strlen(argv[2]), &group))
		play_wrong(p, "%s: a group", argv[2]);
	if (!p->is_wrong)
		fake_member(play_number(p, argv[1]), &group, on);
}

static void play_received(struct player *p, int argc, char **argv)
{
	int n = play_number(p, argv[1]);

	(void)argc;
	if (!p->is_wrong)
		fake_set_received((uint64_t)n);
}

static void play_mrdisc(struct player *p, int argc, char **argv)
{
	enum fam fam = play_fam(p, argv[1]);

	(void)argc;
	p->r.now = p->now;
	p->r.mrdisc->up[fam] = kernel_mrdisc_open(fam) == 0;
}

static void play_solicit(struct player *p, int argc, char **argv)
{
	(void)argc;
	p->r.now = p->now;
	mrdisc_solicited(&p->r, play_fam(p, argv[1]), play_number(p, argv[2]));
}

static void play_reports(struct player *p, int argc, char **argv)
{
	enum fam fam = play_fam(p, argv[1]);

	p->r.now = p->now;
	if (argc > 2)
		fake_force_report(fam, (unsigned)play_number(p, argv[2]));
	else
		p->r.refresh->up[fam] = kernel_report_open(fam) == 0;
}

static void play_query(struct player *p, int argc, char **argv)
{
	(void)argc;
	p->r.now = p->now;
	refresh_queried(&p->r, play_fam(p, argv[1]), play_number(p, argv[2]), (unsigned)play_number(p, argv[3]));
}

/* Names of sockets that are handed over only when they are there. */
static struct { char name[16][KERNEL_FDNAME]; unsigned n; } play_adverts;

static void play_advert(void *ctx, const char *name, int fd)
{
	(void)ctx;
	(void)fd;
	if (!strncmp(name, "advert", 6) && play_adverts.n < 16)
		snprintf(play_adverts.name[play_adverts.n++], KERNEL_FDNAME, "%s", name);
}

/* The end of one daemon and the beginning of the next. */
static void play_adopt(struct player *p, int argc, char **argv)
{
	static const char *const names[] = { "mroute4", "mroute6", "mrdisc4", "mrdisc6", "report4", "report6",
					     "member.1" };
	struct router was = p->r;
	bool has_mrdisc[FAM_N] = { was.mrdisc->up[FAM_4], was.mrdisc->up[FAM_6] };
	bool has_reports[FAM_N] = { was.refresh->up[FAM_4], was.refresh->up[FAM_6] };
	struct iface *links = calloc(was.ifs.n + 1, sizeof *links);
	unsigned n = 0;

	(void)argc;
	(void)argv;
	for (struct iface *i = NULL; links && (i = iface_next(&was.ifs, i));)
		links[n++] = *i;
	play_adverts.n = 0;
	kernel_fds(play_advert, NULL);
	router_free(&p->r);
	kernel_release();
	router_init(&p->r, was.ops, was.ops_ctx);
	p->r.expire_sec = was.expire_sec;
	p->r.max_dynamic = was.max_dynamic;
	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		kernel_adopt(names[i], -1, 0);
	for (unsigned i = 0; i < play_adverts.n; i++)
		kernel_adopt(play_adverts.name[i], -1, 0);
	for (unsigned i = 0; i < n; i++) {
		struct link_event ev = play_link_of(&links[i]);

		if (fake_link_is(ev.ifindex))
			play_tell_link(p, &ev);
	}
	free(links);
	for (enum fam f = 0; f < FAM_N; f++) {
		if (!was.up[f])
			continue;
		router_family(&p->r, f, kernel_mroute_open(f, 0) >= 0);
		router_adopt(&p->r, f, p->now);
	}
	for (enum fam f = 0; f < FAM_N; f++)
		p->r.mrdisc->up[f] = has_mrdisc[f] && kernel_mrdisc_open(f) == 0;
	for (enum fam f = 0; f < FAM_N; f++)
		p->r.refresh->up[f] = has_reports[f] && kernel_report_open(f) == 0;
}

static void play_unresolved(struct player *p, int argc, char **argv)
{
	struct flow flow = play_flow(p, argv + 1);

	(void)argc;
	if (!p->is_wrong)
		fake_add_unresolved(&flow);
}

static void play_idle(struct player *p, int argc, char **argv)
{
	struct flow flow = play_flow(p, argv + 1);
	int sec = play_number(p, argv[3]);

	(void)argc;
	if (!p->is_wrong && !fake_set_idle(&flow, sec * INT64_C(1000)))
		buf_str(&p->out, "no such entry\n");
}

static void play_settled(struct player *p, int argc, char **argv)
{
	(void)p;
	(void)argc;
	(void)argv;
	kernel_join_settled();
}

static void play_upcall(struct player *p, int argc, char **argv)
{
	struct upcall up = {
		.kind = play_either(p, argv[2], "wrongvif", "nocache") ? UPCALL_WRONGVIF : UPCALL_NOCACHE,
		.fam = play_fam(p, argv[1]), .vif = play_number(p, argv[3]), .flow = play_flow(p, argv + 4),
	};

	(void)argc;
	if (p->is_wrong)
		return;
	router_upcall(&p->r, &up, p->now);
}

static void play_packet(struct player *p, int argc, char **argv)
{
	struct flow flow = play_flow(p, argv + 2);
	int vif = play_number(p, argv[1]), n = argc > 4 ? play_number(p, argv[4]) : 1;

	for (; !p->is_wrong && vif < KERNEL_VIFS && n > 0; n--)
		fake_packet(&flow, vif);
}

static void on_upcall(void *ctx, const struct upcall *up)
{
	struct player *p = ctx;

	router_upcall(&p->r, up, p->now);
}

static void play_upcalls(struct player *p, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	for (enum fam f = 0; f < FAM_N; f++)
		kernel_mroute_drain(f, INT_MAX, on_upcall, p);
}

static void play_stats(struct player *p, int argc, char **argv)
{
	struct flow flow = play_flow(p, argv + 1);
	uint64_t n[3];

	(void)argc;
	for (int i = 0; i < 3; i++) {
		char *end;

		n[i] = strtoull(argv[3 + i], &end, 10);
		if (*end)
			play_wrong(p, "%s: no number", argv[3 + i]);
	}
	if (!p->is_wrong && !fake_set_stats(&flow, n[0], n[1], n[2]))
		buf_str(&p->out, "no such entry\n");
}

static void play_tick(struct player *p, int argc, char **argv)
{
	char *rest;
	double sec = strtod(argv[1], &rest);
	int64_t start = p->now, end = start + (int64_t)(sec * 1000 + 0.5);
	bool tell = argc > 2;

	if (*rest || sec < 0)
		play_wrong(p, "%s: no seconds", argv[1]);
	if (tell && strcmp(argv[2], "tell"))
		play_wrong(p, "%s: only \"tell\" may stand here", argv[2]);
	for (int64_t due; (due = router_due(&p->r)) && due <= end;) {
		p->now = due > p->now ? due : p->now;
		fake_set_now(p->now);
		router_tick(&p->r, p->now);
		if (tell)
			buf_printf(&p->out, "at %lld: %s", (long long)(p->now - start), fake_journal());
	}
	p->now = p->r.now = end;
	fake_set_now(end);
}

static void play_pim(struct player *p, int argc, char **argv)
{
	(void)argc;
	fake_set_pim(play_either(p, argv[1], "on", "off"));
}

/* What a scenario can have a verb fail with. */
static const struct {
	const char *name;
	int err;
} play_errors[] = {
	{ "ENOMEM", ENOMEM }, { "ENODEV", ENODEV }, { "EMFILE", EMFILE }, { "EADDRNOTAVAIL", EADDRNOTAVAIL },
	{ "ENOBUFS", ENOBUFS }, { "EPERM", EPERM }, { "ENOPROTOOPT", ENOPROTOOPT }, { "EINVAL", EINVAL },
	{ "EOPNOTSUPP", EOPNOTSUPP },
};

static void play_fail(struct player *p, int argc, char **argv)
{
	static const char *const verbs[] = {
		"mroute_open", "vif_add", "vif_del", "mfc_add", "mfc_del", "mfc_stats", "vif_stats", "counts_any",
		"join", "leave",
		"adopt", "vifs_read", "mfc_read", "mroute_reset",
		"mrdisc_open", "mrdisc_listen", "mrdisc_send", "members_read", "report_open", "report_send",
	};
	size_t verb = 0, error = 0;

	(void)argc;
	while (verb < sizeof verbs / sizeof *verbs && strcmp(verbs[verb], argv[1]))
		verb++;
	while (error < sizeof play_errors / sizeof *play_errors && strcmp(play_errors[error].name, argv[2]))
		error++;
	if (verb == sizeof verbs / sizeof *verbs)
		play_wrong(p, "%s: no such verb", argv[1]);
	else if (error == sizeof play_errors / sizeof *play_errors)
		play_wrong(p, "%s: no such error", argv[2]);
	else
		fake_fail(argv[1], play_errors[error].err, play_number(p, argv[3]));
}

/* There is no file here. */
static int on_reload(void *ctx, struct call *call)
{
	(void)ctx;
	return call_fail(call, EXIT_INTERNAL, "this daemon cannot reload");
}

static void on_link(void *ctx, const struct link_event *ev)
{
	struct player *p = ctx;

	router_link_event(&p->r, ev);
}

/* Adds what a command wrote, but for times of day. */
static void play_reply(struct player *p, const char *text)
{
	const char *at, *value;

	for (; (at = strstr(text, "_timestamp_seconds{")) && (value = strstr(at, "} ")); text = value) {
		value += 2;
		buf_add(&p->out, text, (size_t)(value - text));
		if (*value != '0') {
			buf_str(&p->out, "TIME");
			value += strspn(value, ".0123456789");
		}
	}
	buf_str(&p->out, text);
}

static void play_ctl(struct player *p, int argc, char **argv)
{
	struct buf out = { 0 };
	struct call_daemon daemon = { .router = &p->r, .reload = on_reload };
	struct call c = { .daemon = &daemon, .router = &p->r, .out = &out };
	int i = 1;

	kernel_link_drain(INT_MAX, on_link, p);
	c.form = CALL_LEGACY;
	for (; i < argc && *argv[i] == '-'; i++) {
		if (strcmp(argv[i], "-d") && strcmp(argv[i], "-dd") && strcmp(argv[i], "-j") && argv[i][1] != 'o')
			play_wrong(p, "%s: -d, -dd, -j or -oOWNER", argv[i]);
		if (argv[i][1] == 'o')
			c.owner = argv[i] + 2;
		if (argv[i][1] == 'd')
			c.detail += (unsigned)strlen(argv[i] + 1);
		c.json |= argv[i][1] == 'j';
	}
	if (i == argc)
		play_wrong(p, "ctl: too few words");
	if (p->is_wrong)
		return;
	c.argc = argc - i;
	const char *words[64];
	for (int k = 0; k < c.argc; k++)
		words[k] = argv[i + k];
	c.argv = words;
	int status;

	status = command_run(&c);
	while (c.show || c.later || c.has_more) {
		while (c.later && !router_is_done(&p->r, &c.later))
			router_tick(&p->r, p->now);
		c.is_again = !c.show;
		c.later = 0;
		c.has_more = false;
		*c.note = '\0';
		status = command_run(&c);
	}
	play_reply(p, buf_cstr(&out));
	if (*c.error)
		buf_printf(&p->out, "error: %s\n", c.error);
	if (*c.note)
		buf_printf(&p->out, "note: %s\n", c.note);
	if (status)
		buf_printf(&p->out, "status %d\n", status);
	buf_free(&out);
	buf_free(&c.diag);
}

/* The steps but for conf, and how many words may stand behind their names. */
#define MAX_WORDS 63

static const struct step {
	const char *name;
	int min, max;
	void (*play)(struct player *p, int argc, char **argv);
} steps[] = {
	{ "set", 2, 2, play_set },
	{ "family", 2, 20, play_family },
	{ "link", 1, MAX_WORDS, play_link },
	{ "lost", 1, 1, play_lost },
	{ "member", 3, 3, play_member },
	{ "received", 1, 1, play_received },
	{ "mrdisc", 1, 1, play_mrdisc },
	{ "solicit", 2, 2, play_solicit },
	{ "reports", 1, 2, play_reports },
	{ "query", 3, 3, play_query },
	{ "adopt", 0, 0, play_adopt },
	{ "unresolved", 2, 2, play_unresolved },
	{ "idle", 3, 3, play_idle },
	{ "settled", 0, 0, play_settled },
	{ "upcall", 5, 5, play_upcall },
	{ "packet", 3, 4, play_packet },
	{ "upcalls", 0, 0, play_upcalls },
	{ "stats", 5, 5, play_stats },
	{ "tick", 1, 2, play_tick },
	{ "pim", 1, 1, play_pim },
	{ "fail", 3, 3, play_fail },
	{ "ctl", 1, MAX_WORDS, play_ctl },
};

static void play_line(struct player *p, char *line)
{
	char *argv[MAX_WORDS + 2];
	int argc = 0;

	buf_printf(&p->out, "> %s\n", line);
	for (char *w = strtok(line, " \t"); w && argc <= MAX_WORDS; w = strtok(NULL, " \t"))
		argv[argc++] = w;
	argv[argc] = NULL;
	p->is_wrong = false;
	for (size_t i = 0; argc && i < sizeof steps / sizeof *steps; i++)
		if (!strcmp(argv[0], steps[i].name)) {
			if (argc - 1 < steps[i].min || argc - 1 > steps[i].max)
				play_wrong(p, "%s: too %s words", argv[0], argc - 1 < steps[i].min ? "few" : "many");
			else
				steps[i].play(p, argc, argv);
			return;
		}
	play_wrong(p, "%s: no such step", argc ? argv[0] : "blank line");
}

/* Plays the whole text and leaves what came of it in p->out. */
static void play(struct player *p, char *text)
{
	struct buf conf = { 0 };
	bool in_conf = false;
	char *line = text;

	while (line) {
		char *end = strchr(line, '\n');

		if (end)
			*end = '\0';
		p->line++;
		if (in_conf && (*line == '\t' || *line == ' ')) {
			buf_printf(&conf, "%s\n", line);
			buf_printf(&p->out, "> %s\n", line);
		} else {
			if (in_conf)
				play_conf(p, buf_cstr(&conf));
			conf.len = 0;
			in_conf = !strcmp(line, "conf");
			if (in_conf)
				buf_str(&p->out, "> conf\n");
			else if (*line && *line != '#')
				play_line(p, line);
		}
		if (!in_conf)
			buf_str(&p->out, fake_journal());
		line = end ? end + 1 : NULL;
	}
	buf_free(&conf);
}

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	struct buf b = { 0 };
	char part[4096];
	size_t n;

	if (!f)
		return NULL;
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_add(&b, part, n);
	fclose(f);
	buf_cstr(&b);
	return b.p;
}

/* Prints where the two texts part. */
static void tell_difference(const char *got, const char *ok)
{
	int line = 1;
	const char *g = got, *o = ok;

	for (; *got && *got == *ok; got++, ok++)
		if (*got == '\n') {
			line++;
			g = got + 1;
			o = ok + 1;
		}
	printf("# line %d is:     %.*s\n# line %d shall be: %.*s\n", line, (int)strcspn(g, "\n"), g, line,
	       (int)strcspn(o, "\n"), o);
}

/* A router on a fresh fake kernel with both families up.  False when memory ran out. */
static bool play_begin(struct player *p, const char *path)
{
	static const struct router_ops ops = { .event = on_event };

	*p = (struct player){ .now = 1000000, .path = path };
	fake_reset();
	if (is_freebsd)
		fake_be_freebsd();
	fake_set_now(p->now);
	hash_seed(1);
	if (router_init(&p->r, &ops, p) < 0)
		return false;
	p->r.now = p->now;
	for (enum fam f = 0; f < FAM_N; f++) {
		kernel_mroute_open(f, 0);
		router_family(&p->r, f, true);
	}
	kernel_link_open();
	fake_journal();
	return true;
}

static void play_end(struct player *p)
{
	router_shutdown(&p->r);
	router_free(&p->r);
	buf_free(&p->out);
	buf_free(&p->errors);
}

/* The text of an error is another one in each libc: its name stands for it in what came out. */
static void play_name_errors(struct buf *out)
{
	struct buf named = { 0 };
	const char *at = buf_cstr(out);
	size_t e = 0, len;

	while (*at) {
		for (e = 0; e < sizeof play_errors / sizeof *play_errors; e++) {
			len = strlen(strerror(play_errors[e].err));
			if (!strncmp(at, strerror(play_errors[e].err), len))
				break;
		}
		if (e < sizeof play_errors / sizeof *play_errors) {
			buf_printf(&named, "<%s>", play_errors[e].name);
			at += len;
		} else {
			buf_add(&named, at++, 1);
		}
	}
	buf_free(out);
	*out = named;
}

/* Writes a golden; one of FreeBSD only where it differs from what is for all. */
static void play_update(const char *path, const char *got, const char *all)
{
	FILE *f;

	if (all && !strcmp(all, got)) {
		remove(path);
		return;
	}
	f = fopen(path, "w");
	if (f) {
		fputs(got, f);
		fclose(f);
	}
}

/* Writes what came out when asked to, and says whether it is what it shall be. */
static bool play_compare(struct player *p, const char *path)
{
	char ok_path[512], *all = NULL, *ok;
	const char *got;
	bool good;

	play_name_errors(&p->out);
	got = buf_cstr(&p->out);
	snprintf(ok_path, sizeof ok_path, "%.*s.ok", (int)(strlen(path) - 4), path);
	if (is_freebsd) {
		all = read_file(ok_path);
		snprintf(ok_path, sizeof ok_path, "%.*s.freebsd.ok", (int)(strlen(path) - 4), path);
	}
	if (getenv("UPDATE"))
		play_update(ok_path, got, all);
	ok = read_file(ok_path);
	if (ok && all && !strcmp(ok, all))
		printf("# %s says nothing of its own\n", ok_path);
	if (!ok && all) {
		ok = all;
		all = NULL;
	}
	good = ok && !strcmp(ok, got) && (!all || strcmp(ok, all));
	if (!ok)
		printf("# no %s\n", ok_path);
	else if (!good)
		tell_difference(got, ok);
	free(ok);
	free(all);
	return good;
}

static bool play_file(const char *path)
{
	struct player p;
	char *text = read_file(path);
	bool good = false;

	if (text && play_begin(&p, path)) {
		play(&p, text);
		if (p.errors.len)
			printf("# %s", buf_cstr(&p.errors));
		else
			good = play_compare(&p, path);
		play_end(&p);
	}
	free(text);
	return good;
}

/* Each line of a scenario that is wrong is found, and no other. */
static bool play_wrong_lines(void)
{
	static const char scenario[] =
		"# comment\n\nset expire\nset expire 1 2\nset expire ten\nset size 1\nfamily 5 up\nfamily 4 sideways\n"
		"link\nlink new 2\nlink new 2 eth0 dow\nlink del\nlink begin 2\nlink hold 1\nlink old\nlost\nmrdisc\n"
		"solicit 4\nupcall 4 nocache 0 10.0.0.1\nupcall 4 nocash 0 10.0.0.1 225.1.2.3\n"
		"upcall 4 nocache 0 10.0.0.1 225.1.2\nstats 10.0.0.1 225.1.2.3 1 2\nstats 10.0.0.1 225.1.2.3 1 2 x\n"
		"tick\ntick soon\ntick 1 told\npim maybe\nfail joyn EPERM 1\nfail join EPERN 1\nfail join EPERM\n"
		"ctl\nctl -d\nctl -x show\nshow\n \nlink new 3 eth1 up mcast\ntick 1\nfail join EPERM 1\nctl -d show\n";
	char text[sizeof scenario];
	struct player p;
	unsigned line = 3, last = 35;
	bool good;

	memcpy(text, scenario, sizeof text);
	if (!play_begin(&p, "x.scn"))
		return false;
	play(&p, text);
	for (const char *w = buf_cstr(&p.errors); *w; w = strchr(w, '\n') + 1, line++) {
		char start[32];

		snprintf(start, sizeof start, "x.scn:%u: ", line);
		if (strncmp(w, start, strlen(start))) {
			printf("# line %u is not found, but %.*s\n", line, (int)strcspn(w, "\n"), w);
			break;
		}
	}
	good = line == last + 1;
	if (!good)
		printf("# lines 3 to %u are wrong, found up to %u\n", last, line - 1);
	play_end(&p);
	return good;
}

int main(int argc, char **argv)
{
	int bad = 0;

	log_set_level(LOG_LVL_NONE);
	is_freebsd = getenv("SYSTEM") && !strcmp(getenv("SYSTEM"), "freebsd");
	printf("1..%d\n", argc);
	for (int i = 1; i < argc; i++) {
		bool skip = !WITH_MRDISC && strstr(argv[i], "/mrdisc"), good = skip || play_file(argv[i]);

		bad += !good;
		printf("%sok %d - %s%s\n", good ? "" : "not ", i, argv[i], skip ? " # SKIP built without" : "");
	}
	if (!play_wrong_lines()) {
		bad++;
		printf("not ");
	}
	printf("ok %d - wrong lines of a scenario are found\n", argc);
	return bad != 0;
}
