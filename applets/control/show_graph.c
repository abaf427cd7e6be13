/* SPDX-License-Identifier: ISC
 *
 * `show graph`: the rules as a graph in the language DOT of Graphviz.  Interfaces are nodes, a rule is an edge to each
 * of its outputs: dashed where it waits, with the reason; a rule without outputs ends in a node of its own.
 */
#include "applets/control/show_count.h"

#include <string.h>

/* Appends text to a label of DOT, which is between quotes: a backslash begins an escape there, `&` the name of a
 * character (graphviz.org/doc/info/lang.html and shapes.html). */
static void graph_label(struct buf *b, const char *text)
{
	struct buf shown = { 0 };

	buf_escape(&shown, text, strlen(text), 0);
	for (const char *s = buf_cstr(&shown); *s; s++) {
		if (*s == '"' || *s == '\\')
			buf_chr(b, '\\');
		buf_chr(b, *s);
		if (*s == '&')
			buf_str(b, "amp;");
	}
	b->failed |= shown.failed;
	buf_free(&shown);
}

/* Writes a node for each name. */
static void graph_nodes(struct show *s, int stage)
{
	const struct names *t = &s->router->rules.names;
	struct buf *b = &s->out.rows;

	while (show_step(s, stage, t->n)) {
		const struct name *name = &t->v[show_number(s)];

		if (!name_is_used(name))
			continue;
		buf_printf(b, "\tn%u [label=\"", (unsigned)show_number(s));
		graph_label(b, name->ifname.text);
		buf_str(b, "\"];\n");
	}
}

/* A rule, and the name that it waits for with the reason, or NULL; a reason alone when it works in another way. */
struct graph_rule {
	const struct rule *rule;
	uint32_t id;
	const char *reason, *waits_for;
};

/* Ends an edge: its label has flow, packets, and why it waits.  oif is NULL for a rule without outputs. */
static void graph_edge_end(struct show *s, const struct graph_rule *g, const struct name *oif)
{
	const struct name *iif = &s->router->rules.names.v[g->rule->iif];
	enum fam fam = flow_range_fam(&g->rule->range);
	struct buf *b = &s->out.rows;
	char flow[FLOW_STRLEN + 1];
	bool waits = g->waits_for && (!strcmp(g->waits_for, iif->ifname.text) ||
				      (oif && !strcmp(g->waits_for, oif->ifname.text)));
	struct mfc_stats counts = show_count_rule(s, g->id);

	*flow_range_put(&g->rule->range, flow) = '\0';
	buf_printf(b, " [label=\"%s%s", flow, g->rule->in_kernel ? "\\nkernel" : "");
	if (s->entries && show_count_is_known(&counts))
		buf_printf(b, "\\n%llu packets", (unsigned long long)counts.packets);
	if (waits || (g->reason && !g->waits_for)) {
		buf_str(b, "\\n");
		graph_label(b, waits ? g->waits_for : "");
		buf_str(b, waits ? ": " : "");
		graph_label(b, g->reason);
	}
	buf_chr(b, '"');
	if (waits || iif->bits.lacks[fam] || (oif && oif->bits.lacks[fam]))
		buf_str(b, ", style=dashed");
	buf_str(b, oif ? "];\n" : ", color=red];\n");
}

static void graph_edges(struct show *s, int stage)
{
	struct ruleset *set = &s->router->rules;
	struct graph_rule g = { .rule = NULL };
	struct buf *b = &s->out.rows;

	while ((g.rule = show_next_rule(s, stage, &set->routes))) {
		const struct oif_list *list = &set->names.lists[g.rule->oifs];

		g.id = show_number(s);
		g.reason = show_reason(s, &set->routes, g.rule, &g.waits_for);
		if (!g.reason)
			g.waits_for = NULL;
		if (!list->n) {
			buf_printf(b, "\ts%u [label=\"stop\", shape=octagon, color=red];\n\tn%u -> s%u", (unsigned)g.id,
				   (unsigned)g.rule->iif, (unsigned)g.id);
			graph_edge_end(s, &g, NULL);
		}
		for (uint32_t i = 0; i < list->n; i++) {
			buf_printf(b, "\tn%u -> n%u", (unsigned)g.rule->iif, (unsigned)list->names[i]);
			graph_edge_end(s, &g, &set->names.v[list->names[i]]);
		}
	}
}

static bool graph_write(struct show *s)
{
	enum { BEGIN, COUNT, NODES, EDGES, END, DONE };
	struct buf *b = &s->out.rows;

	if (show_once(s, BEGIN))
		buf_str(b, "digraph smcroute {\n\trankdir=LR;\n\tnode [shape=box];\n");
	if (s->out.wanted & OUTPUT_DETAIL)
		show_count(s, COUNT, false);
	else
		show_once(s, COUNT);
	graph_nodes(s, NODES);
	graph_edges(s, EDGES);
	if (show_once(s, END))
		buf_str(b, "}\n");
	return s->stage == DONE;
}

const struct show_kind show_graph = {
	.name = "graph", .tried = "dot picture", .write = graph_write,
};
