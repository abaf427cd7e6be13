/* SPDX-License-Identifier: ISC
 *
 * The hash index against a plain array, with random operations from a fixed
 * seed, and how evenly the hash spreads addresses that somebody chose.
 */
#include "lib/hash.h"

#include <stdlib.h>

#include "tests/unit/test.h"

#define MOST 3000

struct model {
	uint32_t key[MOST];
	uint32_t n;
	uint32_t clash;		/* hash bits that count: 0 makes all of them equal */
};

static uint32_t key_hash(const struct model *m, uint32_t key)
{
	return hash_bytes(&key, sizeof key) & m->clash;
}

static uint32_t hash_of(const void *ctx, uint32_t id)
{
	const struct model *m = ctx;

	return key_hash(m, m->key[id]);
}

static bool equal(const void *ctx, uint32_t id, const void *key)
{
	const struct model *m = ctx;

	return m->key[id] == *(const uint32_t *)key;
}

static const struct hash_ops ops = { hash_of, equal };

static uint32_t find_plain(const struct model *m, uint32_t key)
{
	for (uint32_t i = 0; i < m->n; i++)
		if (m->key[i] == key)
			return i;
	return HASH_NONE;
}

static void add(struct hash *t, struct model *m, uint32_t key)
{
	m->key[m->n] = key;
	CHECK_INT(hash_add(t, &ops, m, key_hash(m, key), m->n), 0);
	m->n++;
}

/* As the owners do it: the last element fills the gap. */
static void del(struct hash *t, struct model *m, uint32_t id)
{
	uint32_t last = m->n - 1;

	hash_del(t, &ops, m, hash_of(m, id), id);
	if (id != last) {
		hash_move(t, hash_of(m, last), last, id);
		m->key[id] = m->key[last];
	}
	m->n--;
}

static void against_model(uint32_t clash, int rounds, uint32_t keys)
{
	static struct model m;
	struct hash t = { 0 };

	m = (struct model){ .clash = clash };
	for (int i = 0; i < rounds; i++) {
		uint32_t key = (uint32_t)rand() % keys, id = find_plain(&m, key);

		CHECK_INT(hash_find(&t, &ops, &m, key_hash(&m, key), &key), id);
		if (id == HASH_NONE && m.n < MOST && rand() % 3)
			add(&t, &m, key);
		else if (id != HASH_NONE && rand() % 2)
			del(&t, &m, id);
		CHECK_INT(t.used, m.n);
		CHECK(!t.slot || (uint64_t)t.used * 5 <= (uint64_t)t.n * 4);
	}
	for (uint32_t key = 0; key < keys; key++)
		CHECK_INT(hash_find(&t, &ops, &m, key_hash(&m, key), &key), find_plain(&m, key));
	while (m.n)
		del(&t, &m, (uint32_t)rand() % m.n);
	CHECK_INT(t.used, 0);
	for (uint32_t i = 0; i < t.n; i++)
		CHECK_INT(t.slot[i], 0);
	hash_free(&t);
	CHECK(!t.slot && !t.n && !t.used);
}

static void random_operations(void)
{
	srand(1);
	hash_seed(1);
	against_model(UINT32_MAX, 40000, 4000);
	against_model(UINT32_MAX, 40000, 60);
}

static void all_collide(void)
{
	srand(2);
	against_model(0, 4000, 120);
	against_model(7, 20000, 300);
	against_model(0xe0000000, 20000, 1000);		/* runs that wrap round the end */
}

static void empty_and_absent(void)
{
	struct model m = { .clash = UINT32_MAX };
	struct hash t = { 0 };
	uint32_t key = 5;

	CHECK_INT(hash_find(&t, &ops, &m, 1, &key), HASH_NONE);
	hash_del(&t, &ops, &m, 1, 3);
	hash_move(&t, 1, 3, 4);
	add(&t, &m, 7);
	hash_del(&t, &ops, &m, key_hash(&m, 7), 9);
	CHECK_INT(t.used, 1);
	hash_free(&t);
}

static void reserve(void)
{
	static struct model m;
	struct hash t = { 0 };
	const uint32_t *slot;

	m = (struct model){ .clash = UINT32_MAX };
	add(&t, &m, 1);
	CHECK_INT(hash_reserve(&t, &ops, &m, MOST), 0);
	slot = t.slot;
	for (uint32_t k = 2; m.n < MOST; k++)
		add(&t, &m, k);
	CHECK(t.slot == slot);
	for (uint32_t k = 1; k <= MOST; k++)
		CHECK_INT(hash_find(&t, &ops, &m, key_hash(&m, k), &k), k - 1);
	CHECK_INT(hash_reserve(&t, &ops, &m, UINT32_MAX), -1);
	CHECK_INT(t.used, MOST);
	hash_free(&t);
}

static uint32_t far_hash(const void *ctx, uint32_t id)
{
	return hash_bytes((const uint32_t *)ctx + id, sizeof(uint32_t));
}

static bool far_equal(const void *ctx, uint32_t id, const void *key)
{
	return ((const uint32_t *)ctx)[id] == *(const uint32_t *)key;
}

static const struct hash_ops far_ops = { far_hash, far_equal };

static unsigned long hashed;

static uint32_t counted_hash(const void *ctx, uint32_t id)
{
	hashed++;
	return far_hash(ctx, id);
}

static const struct hash_ops counted_ops = { counted_hash, far_equal };

/* However many there are, one more costs the same; and all are found while it grows. */
static void grows_in_steps(void)
{
	enum { N = 100000 };
	static uint32_t key[N];
	struct hash t = { 0 };
	unsigned long most = 0;
	unsigned growths = 0;

	for (uint32_t id = 0; id < N; id++) {
		uint32_t before = t.n, other = (uint32_t)rand() % (id + 1);

		key[id] = id + 1;
		hashed = 0;
		CHECK_INT(hash_add(&t, &counted_ops, key, far_hash(key, id), id), 0);
		most = hashed > most ? hashed : most;
		growths += t.n != before;
		CHECK_INT(hash_find(&t, &far_ops, key, far_hash(key, other), &(uint32_t){ other + 1 }), other);
		/* One that goes and comes again, be it moved already or not. */
		hash_del(&t, &far_ops, key, far_hash(key, other), other);
		CHECK_INT(hash_find(&t, &far_ops, key, far_hash(key, other), &(uint32_t){ other + 1 }), HASH_NONE);
		hash_move(&t, far_hash(key, other), other, 0);
		CHECK_INT(hash_add(&t, &counted_ops, key, far_hash(key, other), other), 0);
	}
	CHECK_INT(most, 4);
	CHECK(growths >= 10);
	for (uint32_t id = 0; id < N; id++)
		CHECK_INT(hash_find(&t, &far_ops, key, far_hash(key, id), &(uint32_t){ id + 1 }), id);
	CHECK_INT(t.used, N);
	/* Room for many more amid a growth: nothing is forgotten. */
	while (!t.left)
		CHECK_INT(hash_reserve(&t, &counted_ops, key, t.n), 0);
	CHECK_INT(hash_reserve(&t, &counted_ops, key, 4 * t.n), 0);
	for (uint32_t id = 0; id < N; id++)
		CHECK_INT(hash_find(&t, &far_ops, key, far_hash(key, id), &(uint32_t){ id + 1 }), id);
	hash_trim(&t, &counted_ops, key);
	CHECK(!t.old && t.n < 3 * N);
	for (uint32_t id = 0; id < N; id++)
		CHECK_INT(hash_find(&t, &far_ops, key, far_hash(key, id), &(uint32_t){ id + 1 }), id);
	hash_free(&t);
}

/* Numbers far beyond the slots, as of an array with many free places. */
static void far_numbers(void)
{
	enum { FAR = 1 << 20, N = 200 };
	static uint32_t key[FAR + N];
	struct hash t = { 0 };

	for (uint32_t i = 0; i < N; i++) {
		uint32_t id = i % 2 ? FAR + i : i;

		key[id] = i + 1;
		CHECK_INT(hash_add(&t, &far_ops, key, far_hash(key, id), id), 0);
	}
	CHECK(t.n < 2 * N);
	for (uint32_t i = 0; i < N; i++)
		CHECK_INT(hash_find(&t, &far_ops, key, far_hash(key, i % 2 ? FAR + i : i), &(uint32_t){ i + 1 }),
			  i % 2 ? FAR + i : i);
	hash_free(&t);
	/* A small table that has one moved far away. */
	CHECK_INT(hash_add(&t, &far_ops, key, far_hash(key, 2), 2), 0);
	key[FAR] = key[2];
	hash_move(&t, far_hash(key, 2), 2, FAR);
	CHECK_INT(hash_find(&t, &far_ops, key, far_hash(key, 2), &key[2]), FAR);
	hash_del(&t, &far_ops, key, far_hash(key, 2), FAR);
	CHECK_INT(t.used, 0);
	hash_free(&t);
}

static void any_length_and_place(void)
{
	char s[300];
	uint32_t w[75], one, two;

	for (unsigned i = 0; i < sizeof s; i++)
		s[i] = (char)(i * 7);
	for (unsigned n = 0; n + 1 < sizeof s; n += 4) {
		memcpy(w, s + 1, n);
		CHECK_INT(hash_bytes(w, n), hash_bytes(s + 1, n));
	}
	for (unsigned n = 1; n < 290; n++) {
		one = hash_bytes(s, n);
		CHECK(one != hash_bytes(s, n - 1));
		s[n - 1] ^= 1;
		CHECK(one != hash_bytes(s, n));
		s[n - 1] ^= 1;
	}
	CHECK(hash_bytes("\0\0\0", 3) != hash_bytes("\0\0", 2));
	one = hash_bytes("eth0", 4);
	hash_seed(99);
	two = hash_bytes("eth0", 4);
	CHECK(one != two);
	hash_seed(1);
	CHECK_INT(one, hash_bytes("eth0", 4));
}

/* 65536 keys into 65536 buckets fill about 1 - 1/e of them: 41427. */
static void check_spread(uint32_t (*key)[8])
{
	static unsigned char hit[65536];
	unsigned filled = 0;

	memset(hit, 0, sizeof hit);
	for (unsigned i = 0; i < 65536; i++)
		hit[hash_bytes(key[i], sizeof *key) & 0xffff] = 1;
	for (unsigned i = 0; i < 65536; i++)
		filled += hit[i];
	if (filled <= 40900 || filled >= 41950)
		printf("# %u buckets filled\n", filled);
	CHECK(filled > 40900 && filled < 41950);
}

static void spread(void)
{
	static uint32_t key[65536][8];

	for (unsigned at = 0; at < 8; at++) {		/* counting in one word, both byte orders */
		for (int swap = 0; swap < 2; swap++) {
			memset(key, 0, sizeof key);
			for (uint32_t i = 0; i < 65536; i++)
				key[i][at] = swap ? i << 16 : i;
			check_spread(key);
		}
	}
	memset(key, 0, sizeof key);
	for (uint32_t i = 0; i < 65536; i++) {		/* S and G count together */
		key[i][3] = i & 0xff;
		key[i][7] = i >> 8;
	}
	check_spread(key);
	for (uint32_t i = 0; i < 65536; i++) {		/* top bits only */
		memset(key[i], 0, sizeof key[i]);
		for (unsigned k = 0; k < 16; k++)
			key[i][k % 8] |= (i >> k & 1) << (31 - k / 8);
	}
	check_spread(key);
}

TEST_MAIN(
	TEST(random_operations)
	TEST(all_collide)
	TEST(empty_and_absent)
	TEST(reserve)
	TEST(grows_in_steps)
	TEST(far_numbers)
	TEST(any_length_and_place)
	TEST(spread)
)
