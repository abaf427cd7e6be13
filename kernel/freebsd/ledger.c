/* SPDX-License-Identifier: ISC */
#include "kernel/freebsd/ledger.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/memfile.h"

#define LEDGER_MAGIC UINT32_C(0x5e1d0001)	/* with the version of this layout */
#define LEDGER_FIRST 64				/* entries that there is room for at first */

/* The file.  Addresses are seen by processes of one machine alone. */
struct ledger_file {
	uint32_t magic;
	uint32_t entry_size;
	struct ledger_vif vif[KERNEL_VIFS];
	struct ledger_entry v[];
};

static uint32_t ledger_hash(const void *ctx, uint32_t id)
{
	const struct ledger *l = ctx;

	return hash_bytes(&l->file->v[id].flow, sizeof l->file->v[id].flow);
}

static bool ledger_equal(const void *ctx, uint32_t id, const void *key)
{
	const struct ledger *l = ctx;

	return !memcmp(&l->file->v[id].flow, key, sizeof l->file->v[id].flow);
}

static const struct hash_ops ledger_ops = { ledger_hash, ledger_equal };

static size_t ledger_size(uint32_t n)
{
	return sizeof(struct ledger_file) + (size_t)n * sizeof(struct ledger_entry);
}

static uint32_t ledger_find(const struct ledger *l, const struct flow *flow)
{
	return hash_find(&l->index, &ledger_ops, l, hash_bytes(flow, sizeof *flow), flow);
}

static void ledger_free(struct ledger *l, uint32_t at)
{
	l->file->v[at].state = LEDGER_FREE;
	l->file->v[at].next_free = l->free;
	l->free = at;
}

/* Makes room for n entries, and finds the free ones among those that are new. */
static int ledger_map(struct ledger *l, uint32_t n)
{
	void *to = mmap(NULL, ledger_size(n), PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, 0);

	if (to == MAP_FAILED)
		return -1;
	if (l->file)
		munmap(l->file, ledger_size(l->n));
	l->file = to;
	for (uint32_t at = n; at-- > l->n;)
		if (l->file->v[at].state == LEDGER_FREE)
			ledger_free(l, at);
	l->n = n;
	return 0;
}

int ledger_begin(struct ledger *l)
{
	*l = (struct ledger){ .fd = memfile_new("smcroute-ledger"), .free = HASH_NONE };
	if (l->fd < 0)
		return -1;
	if (ftruncate(l->fd, (off_t)ledger_size(LEDGER_FIRST)) < 0 || ledger_map(l, LEDGER_FIRST) < 0)
		return l->fd = fd_fail(l->fd);
	l->file->magic = LEDGER_MAGIC;
	l->file->entry_size = sizeof(struct ledger_entry);
	return l->fd;
}

/* Entries that a file has room for, 0 when it is none. */
static uint32_t ledger_room(int fd)
{
	struct stat st;
	uint32_t head[2];
	uint64_t size;

	if (!memfile_is(fd) || fstat(fd, &st) < 0 || pread(fd, head, sizeof head, 0) != (ssize_t)sizeof head ||
	    head[0] != LEDGER_MAGIC || head[1] != sizeof(struct ledger_entry))
		return 0;
	size = (uint64_t)st.st_size;
	if (size < ledger_size(1))
		return 0;
	size = (size - sizeof(struct ledger_file)) / sizeof(struct ledger_entry);
	return size < HASH_NONE ? (uint32_t)size : 0;
}

bool ledger_is(int fd)
{
	return ledger_room(fd) > 0;
}

int ledger_load(struct ledger *l, int fd)
{
	uint32_t n = ledger_room(fd);

	ledger_end(l);
	l->fd = fd;
	if (!n)
		errno = EINVAL;
	if (!n || ledger_map(l, n) < 0 || hash_reserve(&l->index, &ledger_ops, l, n) < 0) {
		ledger_end(l);
		return -1;
	}
	for (uint32_t at = 0; at < n; at++) {
		const struct ledger_entry *e = &l->file->v[at];

		if (e->state == LEDGER_FREE)
			continue;
		if (e->iif >= KERNEL_VIFS || ledger_find(l, &e->flow) != HASH_NONE)
			ledger_free(l, at);
		else
			hash_add(&l->index, &ledger_ops, l, ledger_hash(l, at), at);
	}
	return 0;
}

void ledger_end(struct ledger *l)
{
	if (l->file)
		munmap(l->file, ledger_size(l->n));
	hash_free(&l->index);
	*l = (struct ledger){ .fd = -1, .free = HASH_NONE };
}

void ledger_clear(struct ledger *l)
{
	if (!l->file)
		return;
	hash_free(&l->index);
	memset(l->file->vif, 0, sizeof l->file->vif);
	l->free = HASH_NONE;
	for (uint32_t at = l->n; at-- > 0;)
		ledger_free(l, at);
}

static int ledger_grow(struct ledger *l)
{
	uint64_t n = (uint64_t)l->n * 2;

	if (n >= HASH_NONE) {
		errno = ENOMEM;
		return -1;
	}
	return ftruncate(l->fd, (off_t)ledger_size((uint32_t)n)) < 0 ? -1 : ledger_map(l, (uint32_t)n);
}

int ledger_before(struct ledger *l, const struct ledger_entry *e)
{
	uint32_t at;

	if (!l->file)
		return 0;
	at = ledger_find(l, &e->flow);
	if (at != HASH_NONE) {
		l->file->v[at].state = LEDGER_UNSURE;
		return 0;
	}
	if (l->free == HASH_NONE && ledger_grow(l) < 0)
		return -1;
	at = l->free;
	if (hash_add(&l->index, &ledger_ops, l, hash_bytes(&e->flow, sizeof e->flow), at) < 0)
		return -1;
	l->free = l->file->v[at].next_free;
	l->file->v[at] = *e;
	l->file->v[at].next_free = HASH_NONE;
	l->file->v[at].is_new = true;
	l->file->v[at].state = LEDGER_UNSURE;
	return 0;
}

void ledger_after(struct ledger *l, const struct ledger_entry *e, bool taken)
{
	uint32_t at = l->file ? ledger_find(l, &e->flow) : HASH_NONE;
	struct ledger_entry *to;

	if (at == HASH_NONE)
		return;
	to = &l->file->v[at];
	if (!taken && to->is_new) {
		ledger_del(l, &e->flow);
		return;
	}
	if (taken) {
		to->iif = e->iif;
		to->oifs = e->oifs;
		memcpy(to->ttl, e->ttl, sizeof to->ttl);
	}
	to->is_new = false;
	to->state = LEDGER_SURE;
}

bool ledger_has(const struct ledger *l, const struct flow *flow)
{
	return !l->file || ledger_find(l, flow) != HASH_NONE;
}

void ledger_del(struct ledger *l, const struct flow *flow)
{
	uint32_t at = l->file ? ledger_find(l, flow) : HASH_NONE;

	if (at == HASH_NONE)
		return;
	hash_del(&l->index, &ledger_ops, l, ledger_hash(l, at), at);
	ledger_free(l, at);
}

const struct ledger_entry *ledger_at(const struct ledger *l, uint32_t n)
{
	return &l->file->v[n];
}

void ledger_vif_before(struct ledger *l, int vif)
{
	if (l->file)
		l->file->vif[vif].state = LEDGER_UNSURE;
}

void ledger_vif_after(struct ledger *l, int vif, int ifindex, uint64_t identity)
{
	if (!l->file)
		return;
	l->file->vif[vif].ifindex = ifindex;
	l->file->vif[vif].identity = identity;
	l->file->vif[vif].state = ifindex ? LEDGER_SURE : LEDGER_FREE;
}

uint64_t ledger_vif_identity(const struct ledger *l, int vif)
{
	return l->file ? l->file->vif[vif].identity : 0;
}

int ledger_vif(const struct ledger *l, int vif)
{
	const struct ledger_vif *v = &l->file->vif[vif];

	return v->state == LEDGER_FREE ? 0 : v->state == LEDGER_UNSURE || v->ifindex <= 0 ? -1 : v->ifindex;
}
