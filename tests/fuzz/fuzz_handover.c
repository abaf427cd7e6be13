/* SPDX-License-Identifier: ISC
 *
 * What one process hands to another, by names: descriptors of any kind under any name, and a journal that is cut short
 * or damaged, of which what stands before the damage holds and nothing behind it.  What is in the kernel's tables then
 * is the affair of fuzz_router.c.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "applets/control/journal.h"
#include "applets/handover.h"
#include "lib/log.h"
#include "lib/memfile.h"
#include "tests/fake/kernel.h"
#include "tests/fake/memory.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/journal.h"

/* ---- the journal ---- */

static void fuzz_print(struct buf *out, const struct router *r, const struct rules *t)
{
	const struct names *names = &r->rules.names;

	for (uint32_t id = t->first; id != HASH_NONE; id = t->v[id].next) {
		const struct rule *rule = &t->v[id];
		const struct oif_list *list = &names->lists[rule->oifs];
		char flow[FLOW_STRLEN];

		buf_printf(out, "%u %s %s/%u/%u", rule->owner, names->v[rule->iif].ifname.text,
			   flow_str(&rule->range.flow, flow), rule->range.source_len, rule->range.group_len);
		for (uint32_t i = 0; i < list->n; i++)
			buf_printf(out, " %s", names->v[list->names[i]].ifname.text);
		buf_chr(out, '\n');
	}
}

/* What a journal of these bytes restores. */
static void fuzz_replay(const struct buf *file, struct buf *out, bool is_scarce, unsigned first)
{
	struct router r;
	int fd = memfile_new("fuzz");

	fake_reset();
	fake_journal_on(false);
	if (router_init(&r, NULL, NULL) < 0 || fd < 0 ||
	    (file->len && pwrite(fd, file->p, file->len, 0) != (ssize_t)file->len))
		abort();
	if (is_scarce)
		memory_scarce(first, 2);
	if (journal_replay(&r, fd) < 0)
		buf_str(out, "none\n");
	memory_plenty();
	fuzz_print(out, &r, &r.rules.routes);
	fuzz_print(out, &r, &r.rules.joins);
	router_sync(&r);
	router_shutdown(&r);
	router_free(&r);
	close(fd);
}

/* Damage at any byte of the records ends the use of the journal there, but for what is whole before. */
static void fuzz_damaged(const char *p, size_t n, size_t at, uint8_t bits)
{
	struct buf file = { 0 }, got = { 0 }, want = { 0 };
	size_t line;

	fuzz_journal_put(&file, p, n);
	if (file.len > JOURNAL_PAGE) {
		at = JOURNAL_PAGE + at % (file.len - JOURNAL_PAGE);
		for (line = at; line > JOURNAL_PAGE && file.p[line - 1] != '\n'; line--)
			;
		if (bits)
			file.p[at] ^= (char)bits;
		else
			file.len = at;
		fuzz_replay(&file, &got, false, 0);
		file.len = line;
		fuzz_replay(&file, &want, false, 0);
		if (strcmp(buf_cstr(&got), buf_cstr(&want))) {
			fprintf(stderr, "byte %zu of line %zu, %02x\n%s-- not --\n%s", at, line, bits, buf_cstr(&got),
				buf_cstr(&want));
			fuzz_wrong("a damaged journal restores something else");
		}
	}
	buf_free(&file);
	buf_free(&got);
	buf_free(&want);
}

/* ---- descriptors ---- */

static int fuzz_descriptor(unsigned kind)
{
	int fd[2] = { -1, -1 };

	switch (kind) {
	case 0:
		return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	case 1:
		return socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	case 2:
		return memfile_new("fuzz");
	case 3:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case 4:
		if (pipe2(fd, O_CLOEXEC) == 0)
			close(fd[1]);
		return fd[0];
	case 5:
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0)
			close(fd[1]);
		return fd[0];
	default:
		return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	}
}

/* Whatever is handed over is taken or closed, each once. */
static void fuzz_list(const char *p, size_t n)
{
	static const char *const names[] = { "mroute4", "mroute6", "mroute4.7", "mrdisc4", "report6", "member.1",
					     "journal", "control", "client", "" };
	struct handover h = { 0 };
	int first = dup(0), last, fd;

	close(first);
	fake_reset();
	fake_journal_on(false);
	kernel_mroute_open(FAM_4, 0);
	kernel_mrdisc_open(FAM_4);
	kernel_release();
	while (n >= 2) {
		unsigned kind = (uint8_t)*p % 7, which = (uint8_t)p[1];
		char name[300];
		size_t len = which < 200 ? 0 : which - 200;

		p += 2;
		n -= 2;
		len = len < n ? len : n;
		snprintf(name, sizeof name, "%s%.*s", names[which % 10], (int)len, p);
		p += len;
		n -= len;
		fd = fuzz_descriptor(kind);
		if (fd >= 0)
			handover_add(&h, name, fd);
	}
	handover_has_routes(&h);
	while ((fd = handover_take(&h, "journal")) >= 0) {
		struct router r;

		if (router_init(&r, NULL, NULL) == 0 && memfile_is(fd))
			journal_replay(&r, fd);
		router_free(&r);
		close(fd);
	}
	for (uint32_t i = 0; i < h.n; i++)
		if (strlen(h.v[i].name) >= HANDOVER_NAME)
			fuzz_wrong("a name is too long");
	/* The fake kernel keeps a name, not the descriptor. */
	for (uint32_t i = 0; i < h.n; i++)
		if (!strcmp(h.v[i].name, "mroute4") || !strcmp(h.v[i].name, "mrdisc4")) {
			close(h.v[i].fd);
			h.v[i].fd = -1;
		}
	handover_adopt(&h, 0);
	handover_settle(&h);
	last = dup(0);
	close(last);
	if (last != first)
		fuzz_wrong("a descriptor stays open");
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf file = { 0 }, out = { 0 };

	log_set_level(LOG_LVL_NONE);
	if (n < 4)
		return 0;
	if (*p & 1) {
		fuzz_list((const char *)p + 1, n - 1);
	} else if (*p & 2) {
		fuzz_journal_put(&file, (const char *)p + 4, n - 4);
		fuzz_replay(&file, &out, true, p[1]);
	} else {
		fuzz_damaged((const char *)p + 4, n - 4, (size_t)p[1] << 8 | p[2], p[3]);
	}
	buf_free(&file);
	buf_free(&out);
	fake_reset();
	return 0;
}
