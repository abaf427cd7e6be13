/* SPDX-License-Identifier: ISC */
#include "kernel/freebsd/ledger.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "lib/memfile.h"
#include "tests/unit/test.h"

static struct ledger_entry entry(unsigned n, int iif, uint32_t oifs)
{
	struct ledger_entry e = { .iif = (uint8_t)iif, .oifs = oifs, .ttl = { [1] = 7 } };

	e.flow.source = (struct addr){ .b = { 0xfd, [13] = (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n } };
	e.flow.group = (struct addr){ .b = { 0xff, 5, [15] = 9 } };
	return e;
}

static void put(struct ledger *l, struct ledger_entry e)
{
	CHECK(ledger_before(l, &e) == 0);
	ledger_after(l, &e, true);
}

/* The entry of a flow in what another process sees, NULL when there is none. */
static const struct ledger_entry *seen(const struct ledger *l, const struct flow *flow)
{
	for (uint32_t at = 0; at < l->n; at++)
		if (ledger_at(l, at)->state != LEDGER_FREE && !memcmp(&ledger_at(l, at)->flow, flow, sizeof *flow))
			return ledger_at(l, at);
	return NULL;
}

static uint32_t count(const struct ledger *l)
{
	uint32_t n = 0;

	for (uint32_t at = 0; at < l->n; at++)
		n += ledger_at(l, at)->state != LEDGER_FREE;
	return n;
}

static void entries(void)
{
	struct ledger mine, theirs = { .fd = -1 };
	struct ledger_entry e = entry(1, 0, 6);
	const struct ledger_entry *s;
	int fd = ledger_begin(&mine);

	CHECK(fd >= 0 && ledger_is(fd) && !ledger_has(&mine, &e.flow));
	/* Nothing is kept: it may be. */
	CHECK(ledger_has(&theirs, &e.flow));
	/* Dead before the kernel was asked, or after. */
	CHECK(ledger_before(&mine, &e) == 0 && ledger_has(&mine, &e.flow));
	CHECK(ledger_load(&theirs, fd) == 0);
	s = seen(&theirs, &e.flow);
	CHECK(s && s->state == LEDGER_UNSURE && s->oifs == 6 && s->iif == 0 && s->ttl[1] == 7);
	ledger_after(&mine, &e, true);
	CHECK(seen(&theirs, &e.flow)->state == LEDGER_SURE);
	/* Another output that is refused, and one that is not. */
	e.oifs = 2;
	CHECK(ledger_before(&mine, &e) == 0);
	CHECK(seen(&theirs, &e.flow)->state == LEDGER_UNSURE && seen(&theirs, &e.flow)->oifs == 6);
	ledger_after(&mine, &e, false);
	CHECK(seen(&theirs, &e.flow)->state == LEDGER_SURE && seen(&theirs, &e.flow)->oifs == 6);
	put(&mine, e);
	CHECK(seen(&theirs, &e.flow)->oifs == 2 && count(&theirs) == 1);
	/* A new one that is refused. */
	e = entry(2, 1, 1);
	CHECK(ledger_before(&mine, &e) == 0);
	ledger_after(&mine, &e, false);
	CHECK(!seen(&theirs, &e.flow));
	e = entry(1, 0, 0);
	ledger_del(&mine, &e.flow);
	ledger_del(&mine, &e.flow);
	CHECK(!ledger_has(&mine, &e.flow));
	CHECK(count(&theirs) == 0);
	ledger_end(&theirs);
	ledger_end(&mine);
	close(fd);
}

/* What one process goes on with when another has written. */
static void many(void)
{
	enum { N = 5000 };
	struct ledger mine, theirs = { .fd = -1 };
	int fd = ledger_begin(&mine);

	for (unsigned n = 0; n < N; n++)
		put(&mine, entry(n, 3, n));
	CHECK(ledger_load(&theirs, fd) == 0);
	CHECK(count(&theirs) == N);
	for (unsigned n = 0; n < N; n += 2) {
		struct ledger_entry e = entry(n, 3, 0);

		ledger_del(&theirs, &e.flow);
	}
	for (unsigned n = N; n < 3 * N; n++)
		put(&theirs, entry(n, 4, n));
	put(&theirs, entry(1, 5, 99));
	CHECK(ledger_load(&mine, fd) == 0);
	CHECK(count(&mine) == N / 2 + 2 * N);
	for (unsigned n = 0; n < 3 * N; n++) {
		struct ledger_entry e = entry(n, 3, 0);

		ledger_del(&mine, &e.flow);
	}
	CHECK(count(&mine) == 0);
	put(&mine, entry(7, 1, 1));
	ledger_clear(&mine);
	CHECK(count(&mine) == 0);
	put(&mine, entry(8, 1, 1));
	CHECK(count(&mine) == 1);
	ledger_end(&theirs);
	ledger_end(&mine);
	close(fd);
}

static void vifs(void)
{
	struct ledger mine, theirs = { .fd = -1 };
	int fd = ledger_begin(&mine);

	CHECK(ledger_load(&theirs, fd) == 0);
	CHECK(ledger_vif(&theirs, 3) == 0);
	ledger_vif_before(&mine, 3);
	CHECK(ledger_vif(&theirs, 3) == -1);
	ledger_vif_after(&mine, 3, 7, 99);
	CHECK(ledger_vif(&theirs, 3) == 7 && ledger_vif_identity(&theirs, 3) == 99);
	ledger_vif_before(&mine, 3);
	CHECK(ledger_vif(&theirs, 3) == -1);
	ledger_vif_after(&mine, 3, 0, 0);
	CHECK(ledger_vif(&theirs, 3) == 0);
	ledger_end(&theirs);
	ledger_end(&mine);
	close(fd);
}

/* Other files are none, and of bytes that cannot be nothing is kept. */
static void rubbish(void)
{
	struct ledger l = { .fd = -1 };
	struct ledger_entry e = entry(1, 0, 6);
	int fd = memfile_new("x"), pipes[2];
	off_t head;

	CHECK(!ledger_is(-1) && !ledger_is(fd));
	CHECK(ftruncate(fd, 100000) == 0 && !ledger_is(fd));
	CHECK(ledger_load(&l, fd) == -1 && l.fd == -1);
	CHECK(ledger_before(&l, &e) == 0);
	ledger_after(&l, &e, true);
	ledger_del(&l, &e.flow);
	ledger_clear(&l);
	close(fd);
	CHECK(pipe(pipes) == 0 && !ledger_is(pipes[0]));
	close(pipes[0]);
	close(pipes[1]);
	fd = ledger_begin(&l);
	for (unsigned n = 0; n < 3; n++)
		put(&l, entry(n, 0, 6));
	head = lseek(fd, 0, SEEK_END) - (off_t)(l.n * sizeof e);
	/* A VIF that cannot be, and the same flow twice. */
	CHECK(pwrite(fd, &(uint8_t){ 200 }, 1, head + (off_t)offsetof(struct ledger_entry, iif)) == 1);
	CHECK(pwrite(fd, &e.flow, sizeof e.flow, head + (off_t)(2 * sizeof e)) == sizeof e.flow);
	CHECK(ledger_load(&l, fd) == 0);
	CHECK(count(&l) == 1 && seen(&l, &e.flow));
	ledger_end(&l);
	close(fd);
}

TEST_MAIN(TEST(entries) TEST(many) TEST(vifs) TEST(rubbish))
