/* SPDX-License-Identifier: ISC
 *
 * The table of tables.  Each is a file of its own, written against show_table.h.
 */
#include "applets/control/show.h"

#include <stdlib.h>

#include "applets/control/show_table.h"
#include "lib/status.h"

static const struct show_kind *const show_kinds[] = {
	&show_routes, &show_groups, &show_interfaces, &show_pending, &show_config, &show_metrics,
};

#define KINDS ((int)(sizeof show_kinds / sizeof *show_kinds))

static bool show_names(int row, struct word_names *names)
{
	if (row < KINDS)
		*names = (struct word_names){ show_kinds[row]->name, "" };
	return row < KINDS;
}

const char *show_find(const char *word, struct word_miss *miss)
{
	int row = word_find(word, show_names, miss);

	return row < 0 ? NULL : show_kinds[row]->name;
}

const char *show_find_letter(char letter)
{
	for (int row = 0; letter && row < KINDS; row++)
		if (show_kinds[row]->letter == letter)
			return show_kinds[row]->name;
	return show_kinds[0]->name;
}

void show_free(struct show *s)
{
	if (!s)
		return;
	buf_free(&s->out.rows);
	show_end_walk(s);
	free(s->entries);
	free(s->rules);
	free(s);
}

size_t show_size(const struct show *s)
{
	if (!s)
		return 0;
	return sizeof *s + s->out.rows.cap + s->nentries * sizeof *s->entries + s->nrules * sizeof *s->rules;
}

/* Makes the table that the words ask for: NULL after call_fail(), and *status is the exit status. */
static struct show *show_new(struct call *call, int *status)
{
	struct word_miss miss;
	int row = call->argc > 1 ? word_find(call->argv[1], show_names, &miss) : 0;
	struct show *s;

	if (row < 0) {
		*status = call_fail(call, EXIT_USAGE, "show %s: no such table, there are: %s", call->argv[1],
				    miss.candidates);
		return NULL;
	}
	s = calloc(1, sizeof *s);
	if (!s) {
		*status = call_no_memory(call);
		return NULL;
	}
	s->router = call->router;
	s->kind = show_kinds[row];
	output_begin(&s->out, call);
	return s;
}

int show_run(struct call *call)
{
	int status = 0;
	struct show *s = call->show ? call->show : show_new(call, &status);

	if (!s)
		return status;
	show_turn(s);

	bool is_done = s->kind->write(s), has_memory = output_pass(&s->out);

	if (has_memory && !is_done) {
		call->show = s;
		return 0;
	}
	show_free(s);
	call->show = NULL;
	return has_memory ? 0 : call_no_memory(call);
}
