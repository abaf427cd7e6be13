/* SPDX-License-Identifier: ISC */
#include "applets/doctor/passage.h"

#include <string.h>

#include "applets/doctor/remedy.h"

struct passage_chains {
	probe_chain_fn *fn;
	void *ctx;
	enum filter filter;
	bool renames;
};

static void passage_chain(void *ctx, const struct probe_chain *c)
{
	static const enum filter fates[] = {
		[FATE_DROPPED] = FILTER_DROPS, [FATE_BY_CHANCE] = FILTER_LIMITS, [FATE_UNKNOWN] = FILTER_MAY_DROP,
		[FATE_LOWERED] = FILTER_PASSES, [FATE_RENAMED] = FILTER_PASSES,
	};
	struct passage_chains *j = ctx;

	if (fates[c->fate] > j->filter)
		j->filter = fates[c->fate];
	j->renames |= c->fate == FATE_RENAMED;
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

static void passage_packet(const struct doctor *d, const struct passage *a, struct probe_packet *p)
{
	static const char *const frames[] = { "", "veth", "bridge", "bond", "vlan", "macvlan", "dummy", "team", "dsa",
					      NULL };
	const struct probe_link *in = host_link(&d->host, a->in), *out = host_link(&d->host, a->out), *port;
	const struct watched *w = a->w;

	*p = (struct probe_packet){
		.flow = w->flow, .any_source = a->is_any, .has_ports = w->has_ports, .protocol = w->protocol,
		.is_frame = in && remedy_is_among(in->kind, frames) ? 1 : -1,
		.routes_back = a->is_any ? -1 : passage_routes_back(&w->flow.source, in ? a->in : 0),
		.iif = in ? a->in : 0, .iif_name = in ? in->name : NULL,
		.oif = out ? a->out : 0, .oif_name = out ? out->name : NULL,
	};
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

enum filter passage_ask(const struct doctor *d, const struct passage *a, enum probe_hook from, enum probe_hook to,
			probe_chain_fn *fn, void *ctx)
{
	struct passage_chains j = { .fn = fn, .ctx = ctx };
	const struct probe_links *links = &d->host.links;
	enum filter all = FILTER_UNSEEN;
	struct probe_packet p;

	if (!d->host.filters)
		return FILTER_UNSEEN;
	passage_packet(d, a, &p);
	if (to <= HOOK_EGRESS)
		probe_filters_judge(d->host.filters, from, to, &p, passage_chain, &j);
	for (const struct probe_link *l = links->v; to > HOOK_EGRESS && l < links->v + links->n; l++) {
		struct passage_chains one = { .fn = fn, .ctx = ctx };

		if (l->master != a->bridge || !(l->flags & LINK_UP) || (a->port && l->ifindex != a->port))
			continue;
		p.port_out = l->ifindex;
		p.port_out_name = l->name;
		probe_filters_judge(d->host.filters, from, to, &p, passage_chain, &one);
		all = one.filter < all ? one.filter : all;
	}
	if (to > HOOK_EGRESS && all != FILTER_UNSEEN)
		j.filter = all;
	if (j.filter == FILTER_PASSES && probe_filters_error(d->host.filters, PROBE_NFT))
		return FILTER_UNSEEN;
	return j.filter;
}

bool passage_renames(const struct doctor *d, const struct passage *a)
{
	struct passage_chains j = { .fn = NULL };
	struct probe_packet p;

	if (!d->host.filters)
		return false;
	passage_packet(d, a, &p);
	probe_filters_judge(d->host.filters, HOOK_BEFORE, HOOK_AFTER, &p, passage_chain, &j);
	return j.renames;
}
