/* SPDX-License-Identifier: ISC
 *
 * Where words cannot be meant as they stand, the reply says what to write instead.
 */
#include "applets/control/edit_words.h"

#include <errno.h>
#include <string.h>

#include "conf/field.h"
#include "conf/glyph.h"
#include "conf/slip.h"
#include "lib/status.h"
#include "router/reason.h"

/* Words of the config file that stand before a word of a command. */
static bool edit_words_is_clause(const char *word)
{
	static const char *const clauses[] = { "from", "source", "group", "to" };

	for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++)
		if (!strcmp(word, clauses[i]))
			return true;
	return false;
}

/* The same, unless an interface is called so. */
static bool edit_words_is_slip(const struct call *call, const char *word)
{
	struct ifname name = ifname_of(word, strnlen(word, IFNAME_SIZE - 1));

	return edit_words_is_clause(word) && (!call->router || !iface_match(&call->router->ifs, &name, NULL));
}

/* True for what stands in the place of a group and is an interface rather than a mistyped address: eth1, eth1.100. */
static bool edit_words_is_output(const char *word)
{
	const char *colon = strchr(word, ':');
	struct addr a;
	uint8_t len;

	return prefix_parse(word, strlen(word), &a, &len) == ADDR_BAD && (*word < '0' || *word > '9') &&
	       (!colon || !strchr(colon + 1, ':'));
}

/* Puts words in the grammar of the config file into the order of a command. */
static void edit_words_reorder(const struct call *call, struct buf *out)
{
	const char *iif = NULL, *source = NULL, *group = NULL;
	struct buf oifs = { 0 };

	for (int i = 1; i < call->argc; i++) {
		const char *word = call->argv[i];
		struct addr a;
		uint8_t len;

		if (edit_words_is_slip(call, word) && strcmp(word, "to") && i + 1 < call->argc)
			*(*word == 'f' ? &iif : *word == 's' ? &source : &group) = call->argv[++i];
		else if (edit_words_is_slip(call, word))
			continue;
		else if (!group && prefix_parse(word, strlen(word), &a, &len) == ADDR_OK)
			*(addr_is_multicast(&a, len) ? &group : &source) = word;
		else if (!iif)
			iif = word;
		else
			buf_printf(&oifs, " %s", word);
	}
	buf_printf(out, "%s %s%s%s %s%s", call->argv[0], iif ? iif : "IIF", source ? " " : "", source ? source : "",
		   group ? group : "GROUP", buf_cstr(&oifs));
	buf_free(&oifs);
}

/* True when the group, or the source, stands before the interface. */
static bool edit_words_is_turned(const struct call *call)
{
	const char *word = call->argv[1];
	struct ifname name = ifname_of(word, strnlen(word, IFNAME_SIZE - 1));
	struct addr a;
	uint8_t len;

	return prefix_parse(word, strlen(word), &a, &len) == ADDR_OK && edit_words_is_output(call->argv[2]) &&
	       (!call->router || !iface_match(&call->router->ifs, &name, NULL));
}

/* Refuses such words: nobody means interfaces that are called source or group, or like an address. */
static int edit_words_check_form(struct call *call)
{
	struct buf form = { 0 };
	int i = 1;

	while (i < call->argc && !edit_words_is_slip(call, call->argv[i]))
		i++;
	if (i >= call->argc && !edit_words_is_turned(call))
		return 0;
	edit_words_reorder(call, &form);
	if (i < call->argc)
		call_fail(call, EXIT_DATA, "\"%s\" is a word of the config file, here write: %s", call->argv[i],
			  buf_cstr(&form));
	else
		call_fail(call, EXIT_DATA, "the inbound interface stands first: %s", buf_cstr(&form));
	buf_free(&form);
	return EXIT_DATA;
}

/* Says that a name is hardly meant as it stands, unless an interface is called so. */
static void edit_words_note_name(struct call *call, const char *text, const struct ifname *name)
{
	struct word word = { text, strlen(text) }, at;
	const char *hidden = glyph_odd(&word, &at), *slip = hidden ? NULL : slip_name(&word);

	if ((!hidden && !slip) || (call->router && iface_match(&call->router->ifs, name, NULL)))
		return;
	if (hidden)
		call_note(call, "%s", hidden);
	else if (!strcmp(text, "kernel"))
		call_note(call, "\"kernel\" is taken as the name of an interface: the word is for rules of the config "
			  "file alone");
	else
		call_note(call, "\"%s\" is taken as the name of an interface: %s", lex_show(&word), slip);
}

/* Says that the address of a word has bits past its length. */
static void edit_words_note_bits(struct call *call, const char *text, const struct addr *a, uint8_t len)
{
	const char *why = field_host_bits(&(struct word){ text, strlen(text) }, a, len);

	if (why)
		call_note(call, "%s", why);
}

/* Reads word i as the name of an interface; an alias suffix is no part of it. */
static int edit_words_name(struct call *call, int i, struct ifname *name)
{
	size_t len = strlen(call->argv[i]);
	const char *why = ifname_check(call->argv[i], &len);

	if (why)
		return call_fail(call, EXIT_DATA, "\"%s\" is no interface name: %s", call->argv[i], why);
	*name = ifname_of(call->argv[i], len);
	edit_words_note_name(call, call->argv[i], name);
	return 0;
}

/* True when the two words behind the interface are source and group, not group and output. */
static bool edit_words_has_source(const char *first, const char *second)
{
	struct addr a;
	uint8_t len;

	/* An interface may be called 10.1 or eth0:1, but not like an address: a second address is a group. */
	if (prefix_parse(second, strlen(second), &a, &len) != ADDR_BAD)
		return true;
	return addr_parse(first, strcspn(first, "/"), &a) == ADDR_OK && !addr_is_multicast(&a, 128);
}

/* Says why the words are no source and group, and what to write. */
static int edit_words_bad_range(struct call *call, const char *const *words, int n, const char *why)
{
	const char *slip = NULL;

	for (int i = 0; i < n && !slip; i++)
		slip = slip_address(&(struct word){ words[i], strlen(words[i]) }, i == n - 1);
	return call_fail(call, EXIT_DATA, "%s", slip ? slip : why);
}

int edit_words_range(struct call *call, struct edit_words *w)
{
	const char *const *words = call->argv + 2;
	int n = call->argc > 3 && edit_words_has_source(words[0], words[1]) ? 2 : 1;
	int status = edit_words_check_form(call);
	struct addr a;
	uint8_t len;

	w->end = 2 + n;
	if (!status)
		status = edit_words_name(call, 1, &w->rule.iif);
	if (status)
		return status;
	if (n == 2 && edit_words_is_output(words[1]) && prefix_parse(words[0], strlen(words[0]), &a, &len) == ADDR_OK)
		return call_fail(call, EXIT_DATA, "%s is a source, the group is missing: %s %s %s GROUP %s", words[0],
				 call->argv[0], call->argv[1], words[0], words[1]);

	const char *why = field_range(words, n, &w->rule.range);

	if (why)
		return edit_words_bad_range(call, words, n, why);
	if (n == 2)
		edit_words_note_bits(call, words[0], &w->rule.range.flow.source, w->rule.range.source_len);
	edit_words_note_bits(call, words[n - 1], &w->rule.range.flow.group, w->rule.range.group_len);
	return 0;
}

int edit_words_refused(struct call *call)
{
	if (errno == E2BIG)
		return call_fail(call, EXIT_USAGE, "%s: a rule can have %d outputs, as the kernel has no more "
				 "interfaces for multicast; a wildcard such as eth+ is one", call->argv[0],
				 CHANGE_OUTPUTS);
	if (errno == EDQUOT)
		return call_fail(call, EXIT_SYSTEM, "%d memberships at once are the most that commands get: leave "
				 "some, or write them to the config file", CHANGE_MEMBERS);
	if (errno == EMLINK)
		return call_fail(call, EXIT_SYSTEM, "there are rules with %d pairs of prefix lengths, or %d inbound "
				 "interfaces for this group, the most that commands get: remove some, or write them to "
				 "the config file", CHANGE_LENGTHS, CHANGE_IIFS);
	if (errno != ENOSPC)
		return call_no_memory(call);
	return call_fail(call, EXIT_SYSTEM, "65536 interface names are in use: remove rules that name some");
}

int edit_words_rule(struct call *call, struct edit_words *w)
{
	int status = edit_words_range(call, w);

	errno = E2BIG;
	if (!status && call->argc - w->end > CHANGE_OUTPUTS)
		status = edit_words_refused(call);

	w->rule.oifs = w->oifs;
	w->rule.noifs = 0;
	for (int at = w->end; !status && at < call->argc; at++)
		status = edit_words_name(call, at, &w->oifs[w->rule.noifs++]);
	return status;
}

void edit_words_note_waits(struct call *call, const struct edit_words *w, const char *which, const char *reason)
{
	enum fam fam = flow_range_fam(&w->rule.range);
	const char *why, *name;
	bool is_told = false;

	/* A family that is not routed is the reason of all names. */
	for (uint32_t i = 0; i <= w->rule.noifs && (!is_told || call->router->up[fam]); i++) {
		why = reason_of_name(call->router, i ? &w->rule.oifs[i - 1] : &w->rule.iif, fam, true, &name);
		if (why)
			call_note(call, "%s: %s, the rule waits for it", name, why);
		is_told |= why != NULL;
	}
	if (!is_told)
		call_note(call, "%s: %s, the rule waits for it", which, reason);
}

int edit_words_check(struct call *call, bool is_rule)
{
	struct edit_words w;

	return is_rule ? edit_words_rule(call, &w) : edit_words_range(call, &w);
}
