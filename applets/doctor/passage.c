/* SPDX-License-Identifier: ISC */
#include "applets/doctor/passage.h"

#include <stdlib.h>
#include <string.h>

#include "applets/doctor/remedy.h"

struct passage_chains {
	probe_chain_fn *fn;
	void *ctx;
	enum filter filter;
	bool renames;
	bool changes;			/* the last one that did is known: */
	struct flow as;
};

static void passage_chain(void *ctx, const struct probe_chain *c)
{
	static const enum filter fates[] = {
		[FATE_DROPPED] = FILTER_DROPS, [FATE_BY_CHANCE] = FILTER_LIMITS, [FATE_UNKNOWN] = FILTER_MAY_DROP,
		[FATE_LOWERED] = FILTER_PASSES, [FATE_RENAMED] = FILTER_PASSES,
		[FATE_CHANGED] = FILTER_PASSES,
	};
	struct passage_chains *j = ctx;

	if (fates[c->fate] > j->filter)
		j->filter = fates[c->fate];
	j->renames |= c->fate == FATE_RENAMED || c->fate == FATE_CHANGED;
	if (c->fate == FATE_CHANGED) {
		j->changes = c->has_flow;
		j->as = c->flow;
	}
	if (j->fn)
		j->fn(j->ctx, c);
}

/* Whether the route to the source leads out where it came in. */
static tristate passage_routes_back(const struct addr *src, int in)
{
	struct probe_route r = { .n = 0 };

	if (!in || probe_route(src, &r) < 0)
		return -1;
	for (unsigned i = 0; !r.none && i < r.n; i++)
		if (r.oif[i] == in)
			return 1;
	return 0;
}

bool passage_is_vrf(const struct doctor *d, const struct probe_link *in)
{
	const struct probe_link *above = d->fam == FAM_4 && in ? host_link(&d->host, in->master) : NULL;

	return above && !strcmp(above->kind, "vrf");
}

static void passage_packet(const struct doctor *d, const struct passage *a, enum probe_hook from,
			   struct probe_packet *p)
{
	static const char *const frames[] = { "", "veth", "bridge", "bond", "vlan", "macvlan", "dummy", "team", "dsa",
					      NULL };
	const struct probe_link *in = host_link(&d->host, a->in), *out = host_link(&d->host, a->out), *port;
	const struct watched *w = a->w;
	bool is_vrf = from >= HOOK_FORWARD && passage_is_vrf(d, in);

	/* All bytes of it are compared: what stands between its members, too. */
	memset(p, 0, sizeof *p);
	p->flow = w->flow;
	p->any_source = a->is_any;
	p->has_ports = w->has_ports;
	p->protocol = w->protocol;
	p->is_frame = in && remedy_is_among(in->kind, frames) ? 1 : -1;
	p->routes_back = -1;
	in = is_vrf ? host_link(&d->host, in->master) : in;
	p->iif = in ? in->ifindex : 0;
	p->iif_name = in ? in->name : NULL;
	p->oif = out ? a->out : 0;
	p->oif_name = out ? out->name : NULL;
	memcpy(p->ports, w->ports, sizeof p->ports);
	if (a->here && a->here->ttl_min == a->here->ttl_max)
		p->ttl = a->here->ttl_min;
	port = a->here && a->here->ifindex != a->in ? host_link(&d->host, a->here->ifindex) : NULL;
	for (const struct sighting *s = NULL; !port && in && !strcmp(in->kind, "bridge") &&
	     (s = flows_next(&d->flows, w, s));) {
		port = s->n[SNIFF_WIRE] ? host_link(&d->host, s->ifindex) : NULL;
		port = port && port->master == a->in ? port : NULL;
	}
	p->port_in = port ? port->ifindex : 0;
	p->port_in_name = port ? port->name : NULL;
}

/* The outcome for packets from one hook to another. */
struct passage_fate {
	enum filter filter;
	bool renames, changes;
	struct flow as;
};

/* What became of packets of any source, the last that somebody asked about from each hook on. */
struct passage_memo {
	struct {
		struct probe_packet p;
		enum probe_hook to;
		int bridge, port;
		bool is_set;
		struct passage_fate fate;
	} last[HOOK_PORT_EGRESS + 1];
};

void passage_begin(struct doctor *d)
{
	d->memo = calloc(1, sizeof *d->memo);
}

static struct passage_fate passage_judge(const struct doctor *d, const struct passage *a, struct probe_packet *p,
					 enum probe_hook from, enum probe_hook to, struct passage_chains j)
{
	const struct probe_links *links = &d->host.links;
	enum filter all = FILTER_UNSEEN;

	if (to <= HOOK_EGRESS)
		probe_filters_judge(d->host.filters, from, to, p, passage_chain, &j);
	for (const struct probe_link *l = links->v; to > HOOK_EGRESS && l < links->v + links->n; l++) {
		struct passage_chains one = { .fn = j.fn, .ctx = j.ctx };

		if (l->master != a->bridge || !(l->flags & LINK_UP) || (a->port && l->ifindex != a->port))
			continue;
		p->port_out = l->ifindex;
		p->port_out_name = l->name;
		probe_filters_judge(d->host.filters, from, to, p, passage_chain, &one);
		all = one.filter < all ? one.filter : all;
	}
	if (to > HOOK_EGRESS && all != FILTER_UNSEEN)
		j.filter = all;
	if (j.filter == FILTER_PASSES && probe_filters_error(d->host.filters, PROBE_NFT))
		j.filter = FILTER_UNSEEN;
	return (struct passage_fate){ .filter = j.filter, .renames = j.renames, .changes = j.changes, .as = j.as };
}

/* True when the filters are asked the same of both. */
static bool passage_is_same(const struct probe_packet *a, const struct probe_packet *b)
{
	return memcmp(&a->flow, &b->flow, sizeof a->flow) == 0 && a->any_source == b->any_source &&
	       a->has_ports == b->has_ports && a->protocol == b->protocol &&
	       memcmp(a->ports, b->ports, sizeof a->ports) == 0 && a->ttl == b->ttl && a->is_frame == b->is_frame &&
	       a->routes_back == b->routes_back && a->iif == b->iif && a->oif == b->oif && a->port_in == b->port_in &&
	       a->port_out == b->port_out && a->iif_name == b->iif_name && a->oif_name == b->oif_name &&
	       a->port_in_name == b->port_in_name && a->port_out_name == b->port_out_name;
}

/* The same for any source, and the rest as it is; from memory where it was asked last. */
static struct passage_fate passage_any(const struct doctor *d, const struct passage *a, const struct probe_packet *p,
				       enum probe_hook from, enum probe_hook to)
{
	struct probe_packet any = *p;

	memset(&any.flow.source, 0, sizeof any.flow.source);
	any.any_source = true;
	any.routes_back = -1;
	if (!d->memo->last[from].is_set || d->memo->last[from].to != to || d->memo->last[from].bridge != a->bridge ||
	    d->memo->last[from].port != a->port || !passage_is_same(&d->memo->last[from].p, &any)) {
		d->memo->last[from].p = any;
		d->memo->last[from].to = to;
		d->memo->last[from].bridge = a->bridge;
		d->memo->last[from].port = a->port;
		d->memo->last[from].is_set = true;
		d->memo->last[from].fate = passage_judge(d, a, &any, from, to, (struct passage_chains){ .fn = NULL });
	}
	return d->memo->last[from].fate;
}

enum filter passage_ask(const struct doctor *d, const struct passage *a, enum probe_hook from, enum probe_hook to,
			probe_chain_fn *fn, void *ctx)
{
	struct probe_packet p;

	if (!d->host.filters)
		return FILTER_UNSEEN;
	passage_packet(d, a, from, &p);
	if (!fn && d->memo) {
		enum filter any = passage_any(d, a, &p, from, to).filter;

		if (any != FILTER_MAY_DROP)
			return any;
	}
	p.routes_back = a->is_any ? -1 : passage_routes_back(&a->w->flow.source, p.iif);
	return passage_judge(d, a, &p, from, to, (struct passage_chains){ .fn = fn, .ctx = ctx }).filter;
}

bool passage_renames(const struct doctor *d, const struct passage *a)
{
	struct probe_packet p;

	if (!d->host.filters)
		return false;
	passage_packet(d, a, HOOK_BEFORE, &p);
	/* What may match some source may match this one. */
	return (!d->memo || passage_any(d, a, &p, HOOK_BEFORE, HOOK_AFTER).renames) &&
	       passage_judge(d, a, &p, HOOK_BEFORE, HOOK_AFTER, (struct passage_chains){ .fn = NULL }).renames;
}

bool passage_changes(const struct doctor *d, const struct passage *a, enum probe_hook from, enum probe_hook to,
		     struct flow *as)
{
	struct passage_fate fate;
	struct probe_packet p;

	if (!d->host.filters)
		return false;
	passage_packet(d, a, from, &p);
	if (d->memo && !passage_any(d, a, &p, from, to).renames)
		return false;
	fate = passage_judge(d, a, &p, from, to, (struct passage_chains){ .fn = NULL });
	*as = fate.as;
	return fate.changes;
}

bool passage_is_hidden(const struct doctor *d)
{
	return !d->host.filters || probe_filters_error(d->host.filters, PROBE_NFT);
}
