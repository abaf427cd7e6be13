/* SPDX-License-Identifier: ISC
 *
 * Circular lists of array elements, by number, so that the array may move.  The
 * head is an element too; one that is in no list is a list by itself.
 */
#ifndef LIB_RING_H
#define LIB_RING_H

#include <stdbool.h>
#include <stdint.h>

struct ring {
	uint32_t prev, next;
};

/* Returns the links of an element. */
typedef struct ring *ring_of(uint32_t at);

static inline void ring_init(ring_of *of, uint32_t at)
{
	*of(at) = (struct ring){ at, at };
}

static inline bool ring_alone(ring_of *of, uint32_t at)
{
	return of(at)->next == at;
}

/* Puts an element that is in no list right behind the head. */
static inline void ring_add(ring_of *of, uint32_t head, uint32_t at)
{
	struct ring *h = of(head);

	*of(at) = (struct ring){ head, h->next };
	of(h->next)->prev = at;
	h->next = at;
}

/* Takes an element out of its list, if it is in one. */
static inline void ring_del(ring_of *of, uint32_t at)
{
	struct ring r = *of(at);

	of(r.prev)->next = r.next;
	of(r.next)->prev = r.prev;
	ring_init(of, at);
}

#endif
