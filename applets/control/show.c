/* SPDX-License-Identifier: ISC
 *
 * The table of tables.  Each is a file of its own, written against show_table.h.
 */
#include "applets/control/show.h"

#include <stdlib.h>

#include "applets/control/show_table.h"
#include "lib/status.h"

/* Limits of a turn. */
#define TURN_STEPS 4096			/* things that are looked at, some 0.1 us each */
#define TURN_SIZE (128 * 1024)		/* bytes: so many that the waking of the reader does not count */

static const struct show_kind *const show_kinds[] = {
	&show_routes, &show_groups, &show_interfaces, &show_pending, &show_config, &show_metrics,
	&show_graph,
};

#define KINDS ((int)(sizeof show_kinds / sizeof *show_kinds))

static bool show_names(int row, struct word_names *names)
{
	if (row < KINDS)
		*names = (struct word_names){ show_kinds[row]->name, "", show_kinds[row]->tried };
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
	buf_free(&s->reason);
	show_end_walk(s);
	s->router->readers--;
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

/* Makes call->show, the table that the words ask for: 0, or the exit status. */
static int show_begin(struct call *call)
{
	struct word_miss miss;
	int row = call->argc > 1 ? word_find(call->argv[1], show_names, &miss) : 0;

	if (row < 0)
		return call_fail(call, EXIT_USAGE, "show %s: no such table, there are: %s", call->argv[1],
				 miss.candidates);
	call->show = calloc(1, sizeof *call->show);
	if (!call->show)
		return call_no_memory(call);
	call->router->readers++;
	*call->show = (struct show){
		.router = call->router, .kind = show_kinds[row],
		.out = { .to = call->out, .form = call->form, .json = call->json,
			 .wanted = call->detail > 1 ? OUTPUT_DETAIL | OUTPUT_MORE :
				   call->detail ? OUTPUT_DETAIL : 0 },
	};
	return 0;
}

int show_run(struct call *call)
{
	int status = call->show ? 0 : show_begin(call);
	struct show *s = call->show;

	if (status)
		return status;
	s->left = TURN_STEPS;
	s->out.end = call->out->len + TURN_SIZE;

	bool is_done = s->kind->write(s), has_memory = output_pass(&s->out);

	if (is_done || !has_memory) {
		show_free(s);
		call->show = NULL;
	}
	return has_memory ? 0 : call_no_memory(call);
}
