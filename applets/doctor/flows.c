/* SPDX-License-Identifier: ISC */
#include "applets/doctor/flows.h"

#include <stdlib.h>
#include <string.h>

#include "lib/grow.h"

/* Under which a flow is found; the interface is that of an entry for any source, else 0. */
struct flows_key {
	struct flow flow;
	int iif;
};

static uint32_t flows_key_hash(const struct flow *flow, int iif)
{
	return flow_hash(flow) ^ (uint32_t)iif * 2654435761u;
}

static uint32_t flows_hash(const void *ctx, uint32_t id)
{
	const struct watched *w = &((const struct flows *)ctx)->v[id];

	return flows_key_hash(&w->flow, w->star_iif);
}

static bool flows_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct watched *w = &((const struct flows *)ctx)->v[id];
	const struct flows_key *k = key;

	return w->star_iif == k->iif && flow_eq(&w->flow, &k->flow);
}

static const struct hash_ops flows_ops = { flows_hash, flows_equal };

static uint32_t flows_find(const struct flows *f, const struct flow *flow, int iif)
{
	struct flows_key key = { *flow, iif };

	return hash_find(&f->by_key, &flows_ops, f, flows_key_hash(flow, iif), &key);
}

const struct watched *flows_of(const struct flows *f, const struct flow *flow)
{
	uint32_t id = flows_find(f, flow, 0);

	return id == HASH_NONE ? NULL : &f->v[id];
}

/* The flow, a new one when need be; NULL when there is no room. */
static struct watched *flows_get(struct flows *f, const struct flow *flow, int iif)
{
	uint32_t id = flows_find(f, flow, iif);
	struct watched *v;

	if (id != HASH_NONE)
		return &f->v[id];
	v = f->n < FLOWS_MAX ? grow(f->v, &f->cap, f->n + 1, sizeof *v) : NULL;
	if (v) {
		f->v = v;
		v[f->n] = (struct watched){ .flow = *flow, .star_iif = iif, .is_star = iif, .first = FLOWS_NONE };
	}
	if (!v || hash_add(&f->by_key, &flows_ops, f, flows_key_hash(flow, iif), f->n) < 0) {
		f->left_out++;
		return NULL;
	}
	return &f->v[f->n++];
}

static struct sighting *flows_sight(struct flows *f, struct watched *w, int ifindex)
{
	struct sighting *v;

	for (uint32_t i = w->first; i != FLOWS_NONE; i = f->sightings[i].next)
		if (f->sightings[i].ifindex == ifindex)
			return &f->sightings[i];
	v = grow(f->sightings, &f->csightings, f->nsightings + 1, sizeof *v);
	if (!v) {
		f->left_out++;
		return NULL;
	}
	f->sightings = v;
	v += f->nsightings;
	*v = (struct sighting){ .ifindex = ifindex, .next = w->first, .ttl_min = UINT8_MAX };
	w->first = f->nsightings++;
	return v;
}

static void flows_shape(struct sighting *s, const struct probe_sniffed *p)
{
	struct shape *at = s->shapes, *end = s->shapes + FLOWS_SHAPES;

	while (at < end && at->n && (at->ttl != p->ttl || at->is_whole != p->is_whole || at->len != p->len))
		at++;
	if (at == end) {
		s->other++;
		return;
	}
	at->ttl = p->ttl;
	at->is_whole = p->is_whole;
	at->len = p->len;
	at->n++;
}

void flows_packet(struct flows *f, const struct probe_sniffed *p)
{
	struct watched *w;
	struct sighting *s;

	w = flows_get(f, &p->flow, 0);
	if (w && p->is_control)
		w->control += p->station == SNIFF_IP;
	s = w && !p->is_control ? flows_sight(f, w, p->ifindex) : NULL;
	if (!s)
		return;
	/* Connection tracking puts fragments together before they are routed, and they are made again: packets are
	 * counted by their first one. */
	if (p->is_rest) {
		s->rest += p->station == SNIFF_IP;
		return;
	}
	w->has_ports = p->has_ports;
	w->protocol = p->protocol;
	memcpy(w->ports, p->ports, sizeof w->ports);
	s->n[p->station]++;
	s->broken += p->station == SNIFF_WIRE && p->is_broken;
	s->vlan = p->station == SNIFF_WIRE ? p->vlan : s->vlan;
	if (p->station == SNIFF_OUT)
		return;
	if (p->ttl < s->ttl_min)
		s->ttl_min = p->ttl;
	if (p->ttl > s->ttl_max)
		s->ttl_max = p->ttl;
	if (p->len > s->len_max)
		s->len_max = p->len;
	if (p->station == SNIFF_IP) {
		flows_shape(s, p);
		s->ttls[p->ttl / 64] |= (uint64_t)1 << p->ttl % 64;
	}
}

void flows_late(struct flows *f, const struct probe_sniffed *p)
{
	const struct watched *w = flows_of(f, &p->flow);
	const struct sighting *s = w ? flows_on(f, w, p->ifindex) : NULL;

	if (w && p->is_control)
		f->v[w - f->v].control += p->station == SNIFF_IP;
	else if (s && p->station != SNIFF_WIRE)
		f->sightings[s - f->sightings].late++;
}

/* An entry for any source has its iif among the outputs, and never sends there (net/ipv4/ipmr.c, ip_mr_forward). */
static void flows_drop_iif(struct probe_mfc *e)
{
	uint8_t kept = 0;

	for (uint8_t i = 0; i < e->noifs; i++) {
		if (e->oif[i] == e->iif)
			continue;
		e->oif[kept] = e->oif[i];
		e->ttl[kept++] = e->ttl[i];
	}
	e->noifs = kept;
}

/* Outputs that an entry had not before, a bit each. */
static uint32_t flows_fresh(const struct probe_mfc *before, const struct probe_mfc *e)
{
	uint32_t fresh = 0;

	for (unsigned i = 0, j; i < e->noifs; i++) {
		for (j = 0; j < before->noifs && before->oif[j] != e->oif[i];)
			j++;
		if (j == before->noifs)
			fresh |= (uint32_t)1 << i;
	}
	return fresh;
}

void flows_entry(struct flows *f, const struct probe_mfc *e, bool is_end)
{
	struct probe_mfc before;
	bool is_star = !e->unresolved && flow_any_source(&e->flow);
	struct watched *w = flows_get(f, &e->flow, is_star ? e->iif : 0);

	/* Of entries in two tables the busier one.  Beside an entry may be what waited for it in vain. */
	if (!w || ((is_end ? w->has_entry : w->had_entry) && (e->unresolved || w->e.st.packets > e->st.packets)))
		return;
	if (is_end) {
		w->has_entry = true;
	} else {
		w->had_entry = !e->unresolved;
		w->packets_before = e->st.packets;
		w->wrong_before = e->st.wrong_if;
	}
	before = w->e;
	w->e = *e;
	if (is_star)
		flows_drop_iif(&w->e);
	if (is_end && w->had_entry && !w->e.unresolved)
		w->fresh |= flows_fresh(&before, &w->e);
}

void flows_forget(struct flows *f, bool is_end)
{
	for (struct watched *w = f->v; w < f->v + f->n; w++)
		*(is_end ? &w->has_entry : &w->had_entry) = false;
}

void flows_answer(struct flows *f, const struct probe_mfc *e)
{
	uint32_t id = e->unresolved ? HASH_NONE : flows_find(f, &e->flow, 0);

	if (id != HASH_NONE && f->v[id].e.unresolved)
		f->v[id].is_answered = true;
}

void flows_free(struct flows *f)
{
	free(f->v);
	free(f->sightings);
	hash_free(&f->by_key);
	*f = (struct flows){ 0 };
}

const struct sighting *flows_on(const struct flows *f, const struct watched *w, int ifindex)
{
	for (uint32_t i = w->first; i != FLOWS_NONE; i = f->sightings[i].next)
		if (f->sightings[i].ifindex == ifindex)
			return &f->sightings[i];
	return NULL;
}

const struct sighting *flows_next(const struct flows *f, const struct watched *w, const struct sighting *at)
{
	uint32_t i = at ? at->next : w->first;

	return i == FLOWS_NONE ? NULL : &f->sightings[i];
}

const struct watched *flows_star(const struct flows *f, const struct flow *flow, int iif)
{
	struct flow star = *flow;
	uint8_t len;
	uint32_t id;

	if (!iif)
		return NULL;
	addr_any(flow_fam(flow), &star.source, &len);
	id = flows_find(f, &star, iif);
	return id != HASH_NONE && f->v[id].has_entry ? &f->v[id] : NULL;
}
