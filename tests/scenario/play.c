/* SPDX-License-Identifier: ISC
 *
 * Plays scenarios on a router with the fake kernel and compares what came of
 * them with what is known to be right.  A scenario X.scn is a list of lines:
 *
 *	# comment
 *	set expire SEC | cap N		before anything else
 *	family 4|6 up|down
 *	conf				followed by indented lines: a configuration, applied
 *	link new INDEX NAME [up] [mcast]	link del INDEX		link begin | link end
 *	link addr INDEX			an address of it came or went
 *	link hold | link release	what is in between is read in one go
 *	lost INDEX			the interface is gone, but nobody said so
 *	mrdisc 4|6			the socket of router discovery is there
 *	solicit 4|6 INDEX		a solicitation came in
 *	upcall 4|6 nocache|wrongvif VIF SOURCE GROUP
 *	stats SOURCE GROUP PACKETS BYTES WRONG
 *	tick SEC [tell]			time goes on, the router is called when it asked to be; tell:
 *					after how many ms it did what
 *	pim on|off			whether the kernel reports every wrong VIF
 *	fail VERB ERRNO TIMES		as fake_fail()
 *	ctl [-d] [-j] WORDS		a client command
 *
 * X.ok has each of them with a `>` in front, then the journal of the kernel, the
 * events and the answers that followed.  UPDATE=1 in the environment writes it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/status.h"
#include "applets/control/command.h"
#include "applets/control/monitor.h"
#include "router/router.h"
#include "tests/fake/kernel.h"

struct player {
	struct router r;
	struct buf out;
	int64_t now;
	bool hold;
};

static void on_event(void *ctx, const struct event *ev)
{
	struct player *p = ctx;
	char s[ADDR_STRLEN], g[ADDR_STRLEN];

	buf_printf(&p->out, "event %s", monitor_event_name(ev->kind));
	if (ev->flow)
		buf_printf(&p->out, " (%s,%s)", addr_str(&ev->flow->source, s), addr_str(&ev->flow->group, g));
	if (ev->rule) {
		buf_chr(&p->out, ' ');
		conf_print_mroute(&p->out, p->r.conf, ev->rule);
	}
	if (ev->iif)
		buf_printf(&p->out, "%s %s", ev->rule ? "," : "", ev->iif);
	if (ev->text)
		buf_printf(&p->out, " %s", ev->text);
	buf_chr(&p->out, '\n');
}

static void play_conf(struct player *p, const char *text)
{
	struct conf *c = conf_new();
	struct diags d = { 0 };

	conf_parse_text(c, &d, "conf", text, strlen(text));
	diags_print(&p->out, c, &d, false);
	diags_free(&d);
	router_apply_conf(&p->r, c, p->now);
}

static void play_link(struct player *p, int argc, char **argv)
{
	struct link_event ev = { .kind = LINK_NEW, .mtu = 1500 };

	if (!strcmp(argv[1], "hold") || !strcmp(argv[1], "release")) {
		p->hold = !strcmp(argv[1], "hold");
		router_sync(&p->r);
		return;
	}
	if (!strcmp(argv[1], "begin")) {
		ev.kind = LINK_SWEEP_BEGIN;
	} else if (!strcmp(argv[1], "end")) {
		ev.kind = LINK_SWEEP_END;
	} else if (!strcmp(argv[1], "addr")) {
		ev.kind = LINK_ADDR;
		ev.ifindex = atoi(argv[2]);
	} else {
		ev.ifindex = atoi(argv[2]);
		if (!strcmp(argv[1], "del")) {
			ev.kind = LINK_DEL;
			fake_link_del(ev.ifindex);
		} else {
			snprintf(ev.name, sizeof ev.name, "%s", argv[3]);
			for (int i = 4; i < argc; i++)
				ev.flags |= !strcmp(argv[i], "up") ? LINK_UP : LINK_MULTICAST;
			fake_link_add(ev.ifindex);
		}
	}
	router_link_event(&p->r, &ev);
	if (!p->hold)
		router_sync(&p->r);
}

static void play_mrdisc(struct player *p, char **argv)
{
	enum fam fam = *argv[1] == '4' ? FAM_4 : FAM_6;

	p->r.now = p->now;
	if (!strcmp(argv[0], "solicit"))
		mrdisc_solicited(&p->r, fam, atoi(argv[2]));
	else
		p->r.mrdisc.up[fam] = kernel_mrdisc_open(fam) == 0;
}

static void play_upcall(struct player *p, char **argv)
{
	struct upcall up = {
		.kind = strcmp(argv[2], "wrongvif") ? UPCALL_NOCACHE : UPCALL_WRONGVIF,
		.fam = *argv[1] == '4' ? FAM_4 : FAM_6, .vif = atoi(argv[3]),
	};

	addr_parse(argv[4], strlen(argv[4]), &up.flow.source);
	addr_parse(argv[5], strlen(argv[5]), &up.flow.group);
	router_upcall(&p->r, &up, p->now);
}

static void play_stats(char **argv)
{
	struct flow flow;

	addr_parse(argv[1], strlen(argv[1]), &flow.source);
	addr_parse(argv[2], strlen(argv[2]), &flow.group);
	fake_set_stats(&flow, strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10),
		       strtoull(argv[5], NULL, 10));
}

static void play_tick(struct player *p, double sec, bool tell)
{
	int64_t start = p->now, end = start + (int64_t)(sec * 1000);

	for (int64_t due; (due = router_due(&p->r)) && due <= end;) {
		p->now = due > p->now ? due : p->now;
		router_tick(&p->r, p->now);
		if (tell)
			buf_printf(&p->out, "at %lld: %s", (long long)(p->now - start), fake_journal());
	}
	p->now = p->r.now = end;
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

static void play_ctl(struct player *p, int argc, char **argv)
{
	struct buf out = { 0 };
	struct show *more = NULL;
	struct call_daemon daemon = { .router = &p->r, .reload = on_reload };
	struct call c;
	int i = 1;

	kernel_link_drain(INT_MAX, on_link, p);
	call_init(&c, &daemon, CALL_LEGACY, &out);
	c.show = &more;
	for (; i < argc && *argv[i] == '-'; i++) {
		c.detail |= argv[i][1] == 'd';
		c.json |= argv[i][1] == 'j';
	}
	c.argc = argc - i;
	const char *words[64];
	for (int k = 0; k < c.argc; k++)
		words[k] = argv[i + k];
	c.argv = words;
	int status;

	do
		status = command_run(&c);
	while (more);
	if (c.later) {
		while (!groups_done(&p->r.groups, c.later))
			router_tick(&p->r, p->now);
		c.is_again = true;
		status = command_run(&c);
	}
	buf_str(&p->out, buf_cstr(&out));
	if (*c.error)
		buf_printf(&p->out, "error: %s\n", c.error);
	if (*c.note)
		buf_printf(&p->out, "note: %s\n", c.note);
	if (status)
		buf_printf(&p->out, "status %d\n", status);
	buf_free(&out);
	call_free(&c);
}

static int error_number(const char *name)
{
	return !strcmp(name, "ENOMEM") ? ENOMEM : !strcmp(name, "ENODEV") ? ENODEV :
	       !strcmp(name, "EMFILE") ? EMFILE : !strcmp(name, "EADDRNOTAVAIL") ? EADDRNOTAVAIL :
	       !strcmp(name, "ENOBUFS") ? ENOBUFS : !strcmp(name, "EPERM") ? EPERM : EINVAL;
}

static void play_line(struct player *p, char *line)
{
	char *argv[64];
	int argc = 0;

	buf_printf(&p->out, "> %s\n", line);
	for (char *w = strtok(line, " \t"); w && argc < 63; w = strtok(NULL, " \t"))
		argv[argc++] = w;
	argv[argc] = NULL;
	if (!strcmp(argv[0], "set") && !strcmp(argv[1], "expire"))
		p->r.expire_sec = (unsigned)atoi(argv[2]);
	else if (!strcmp(argv[0], "set"))
		p->r.max_dynamic = (uint32_t)atoi(argv[2]);
	else if (!strcmp(argv[0], "family"))
		router_family(&p->r, *argv[1] == '4' ? FAM_4 : FAM_6, !strcmp(argv[2], "up")), router_sync(&p->r);
	else if (!strcmp(argv[0], "link"))
		play_link(p, argc, argv);
	else if (!strcmp(argv[0], "mrdisc") || !strcmp(argv[0], "solicit"))
		play_mrdisc(p, argv);
	else if (!strcmp(argv[0], "lost"))
		fake_link_del(atoi(argv[1]));
	else if (!strcmp(argv[0], "upcall"))
		play_upcall(p, argv);
	else if (!strcmp(argv[0], "stats"))
		play_stats(argv);
	else if (!strcmp(argv[0], "tick"))
		play_tick(p, atof(argv[1]), argc > 2);
	else if (!strcmp(argv[0], "pim"))
		fake_set_pim(!strcmp(argv[1], "on"));
	else if (!strcmp(argv[0], "fail"))
		fake_fail(argv[1], error_number(argv[2]), atoi(argv[3]));
	else if (!strcmp(argv[0], "ctl"))
		play_ctl(p, argc, argv);
	else
		buf_printf(&p->out, "no such step\n");
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

static bool play_file(const char *path)
{
	static const struct router_ops ops = { .event = on_event };
	struct player p = { .now = 1000000 };
	char ok_path[512], *text = read_file(path), *ok;
	bool good;

	snprintf(ok_path, sizeof ok_path, "%.*s.ok", (int)(strlen(path) - 4), path);
	fake_reset();
	hash_seed(1);
	if (!text || router_init(&p.r, &ops, &p) < 0)
		return false;
	p.r.now = p.now;
	for (enum fam f = 0; f < FAM_N; f++) {
		kernel_mroute_open(f, 0);
		router_family(&p.r, f, true);
	}
	kernel_link_open();
	fake_journal();
	play(&p, text);
	if (getenv("UPDATE")) {
		FILE *f = fopen(ok_path, "w");

		if (f) {
			fputs(buf_cstr(&p.out), f);
			fclose(f);
		}
	}
	ok = read_file(ok_path);
	good = ok && !strcmp(ok, buf_cstr(&p.out));
	if (!ok)
		printf("# no %s\n", ok_path);
	else if (!good)
		tell_difference(buf_cstr(&p.out), ok);
	router_shutdown(&p.r);
	buf_free(&p.out);
	free(text);
	free(ok);
	return good;
}

int main(int argc, char **argv)
{
	int bad = 0;

	log_set_level(LOG_LVL_NONE);
	printf("1..%d\n", argc - 1);
	for (int i = 1; i < argc; i++) {
		bool skip = !WITH_MRDISC && strstr(argv[i], "/mrdisc"), good = skip || play_file(argv[i]);

		bad += !good;
		printf("%sok %d - %s%s\n", good ? "" : "not ", i, argv[i], skip ? " # SKIP built without" : "");
	}
	return bad != 0;
}
