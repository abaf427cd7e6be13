/* SPDX-License-Identifier: ISC
 *
 * Stages, turns, and the loops over the state that more than one table needs.
 */
#include "applets/control/show_table.h"

#include <string.h>

/* Things that are looked at in a turn: some 0.1 us each. */
#define TURN_STEPS 4096

void show_turn(struct show *s)
{
	s->left = TURN_STEPS;
	output_turn(&s->out);
}

bool show_is_full(const struct show *s)
{
	return !s->left || output_is_full(&s->out);
}

void show_charge(struct show *s, unsigned n)
{
	s->left -= n < s->left ? n : s->left;
}

static void show_end_stage(struct show *s)
{
	s->stage++;
	s->at = 0;
}

bool show_once(struct show *s, int stage)
{
	if (s->stage != stage || show_is_full(s))
		return false;
	show_end_stage(s);
	return true;
}

bool show_step(struct show *s, int stage, uint32_t n)
{
	if (s->stage != stage)
		return false;
	if (s->at >= n) {
		show_end_stage(s);
		return false;
	}
	if (show_is_full(s))
		return false;
	s->left--;
	s->at++;
	return true;
}

const struct rule *show_next_rule(struct show *s, int stage, struct rules *t)
{
	if (s->stage != stage)
		return NULL;
	if (!s->rules_walked) {
		rules_walk_begin(t, &s->walk);
		s->rules_walked = t;
	}
	if (s->walk.next == HASH_NONE) {
		show_end_walk(s);
		show_end_stage(s);
		return NULL;
	}
	if (show_is_full(s))
		return NULL;
	s->left--;
	s->at = rules_walk_next(t, &s->walk) + 1;
	return &t->v[show_number(s)];
}

void show_end_walk(struct show *s)
{
	if (s->rules_walked)
		rules_walk_end(s->rules_walked, &s->walk);
	s->rules_walked = NULL;
}

const struct mfc *show_next_entry(struct show *s, int stage)
{
	const struct mfcs *t = &s->router->mfc;

	while (show_step(s, stage, t->n))
		if (t->v[show_number(s)].state != MFC_FREE && t->v[show_number(s)].flags & MFC_INSTALLED)
			return &t->v[show_number(s)];
	return NULL;
}

void show_json(struct show *s, int stage, const char *piece)
{
	if (show_once(s, stage) && s->out.json)
		buf_str(&s->out.rows, piece);
}

void show_widen(struct show *s, enum output_width width_of, unsigned len)
{
	unsigned *width = &s->out.widths[width_of];

	*width = len > *width ? len : *width;
}

void show_set_name_width(struct show *s, unsigned min)
{
	const struct router *r = s->router;

	show_widen(s, OUTPUT_NAMES, min);
	for (uint32_t i = 0; i < r->ifs.n; i++)
		if (r->ifs.v[i].ifindex)
			show_widen(s, OUTPUT_NAMES, (unsigned)strlen(r->ifs.v[i].name));
	for (const struct name *name = r->rules.names.v; name < r->rules.names.v + r->rules.names.n; name++)
		if (name_is_used(name))
			show_widen(s, OUTPUT_NAMES, (unsigned)strlen(name->ifname.text));
}
