/* SPDX-License-Identifier: ISC
 *
 * See check_explain.h.
 */
#include "applets/check_explain.h"

#include <stdio.h>
#include <string.h>

#include "applets/applet.h"
#include "conf/explain.h"

/* Reads the words to a name, of IFNAME_SIZE bytes, and a packet; 0 or the exit status. */
static int check_explain_words(const char *const words[3], char *iif, struct flow *packet)
{
	struct flow_range range;
	size_t len = strlen(words[0]);
	const char *why = ifname_check(words[0], &len);

	if (why)
		return applet_fail(EXIT_DATA, "%s: %s", words[0], why);
	memcpy(iif, words[0], len);
	iif[len] = '\0';
	why = conf_parse_range(words + 1, 2, &range);
	if (!why && !flow_range_is_single(&range))
		why = "a packet has one source and one group: leave the prefix length out";
	*packet = range.flow;
	return why ? applet_fail(EXIT_DATA, "%s", why) : 0;
}

/* Answers from a conf, whose diagnostics are d. */
static int check_explain_answer(const struct conf *c, const struct diags *d, const char *iif,
				const struct flow *packet)
{
	struct explanation x;
	struct buf out = { 0 };
	int status = EXIT_SYSTEM;

	if (d->errors) {
		diags_print(&out, c, d, false);
		fputs(buf_cstr(&out), stderr);
		out.len = 0;
	}
	if (explain_packet(&x, c, iif, packet)) {
		explain_print(&out, &x);
		fputs(buf_cstr(&out), stdout);
		if (!out.failed && !fflush(stdout))
			status = d->errors ? EXIT_CONFIG : !x.comes_out;
	}
	explain_free(&x);
	buf_free(&out);
	return status;
}

int check_explain_main(const char *const words[3], const char *file)
{
	struct flow packet;
	struct diags d = { 0 };
	char iif[IFNAME_SIZE];
	int status = check_explain_words(words, iif, &packet);
	struct conf *c;

	if (status)
		return status;
	c = conf_new();
	if (!c)
		return applet_fail(EXIT_SYSTEM, "out of memory");
	conf_parse_file(c, &d, file);
	status = check_explain_answer(c, &d, iif, &packet);
	diags_free(&d);
	conf_free(c);
	return status;
}
