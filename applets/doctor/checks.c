/* SPDX-License-Identifier: ISC
 *
 * See checks.h.
 */
#include "applets/doctor/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "applets/doctor/check_iface.h"
#include "applets/doctor/check_kernel.h"
#include "applets/doctor/check_path.h"
#include "lib/status.h"

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
	{ .what = "snooping", .host = check_bridges },
	{ .what = "memberships", .host = check_memberships },
};

static void checks_run(struct host *h)
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

/* Reads the files into one configuration; how many errors there were. */
static uint32_t checks_read(struct conf *c, char **files, int n, bool is_standard)
{
	struct diags d = { 0 };
	uint32_t errors;

	for (int i = 0; i < n; i++)
		if (!is_standard || access(files[i], F_OK) == 0)
			conf_parse_file(c, &d, files[i]);
	errors = d.errors;
	diags_free(&d);
	return errors;
}

int checks_main(char **files, int n, bool is_standard, enum form form)
{
	struct conf *c = conf_new();
	struct host *h = calloc(1, sizeof *h);
	uint32_t errors = 0;
	int status;

	if (c && h)
		errors = checks_read(c, files, n, is_standard);
	if (!c || !h) {
		status = host_failed("-H");
	} else if (host_look(h, c) < 0) {
		status = host_failed("cannot look at this host");
	} else {
		h->found.what = "config";
		if (errors)
			finding_add(&h->found, FINDING_ERROR, "errors in the configuration: %u; those lines are left "
				    "out here, smcroute-check without -H shows them", errors);
		checks_run(h);
		status = checks_write(h, form);
		if (errors && status == 1)
			status = EXIT_CONFIG;
	}
	if (h)
		host_free(h);
	free(h);
	conf_free(c);
	return status;
}
