/* SPDX-License-Identifier: ISC
 *
 * Fuzz entry of the control frames: the bytes are read as a stream of requests
 * and as a stream of records; what is taken must be sent again as it was.
 */
#include "lib/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *argv[WIRE_MAX_WORDS];
	struct wire_request req, again;
	struct wire_record rec;
	struct buf b = { 0 };
	const char *why, *arg;

	for (size_t at = 0; wire_request(p + at, n - at, &req, &why) == WIRE_OK; at += req.len) {
		int argc = 0;

		for (arg = NULL; (arg = wire_next_arg(&req, arg));)
			argv[argc++] = arg;
		if (argc != req.argc || req.len > n - at)
			abort();
		b.len = 0;
		/* One byte may be missing: the closing NUL, at the very limit. */
		if (wire_put_request(&b, req.cmd, argc, argv) &&
		    (wire_request(b.p, b.len, &again, &why) != WIRE_OK || again.argc != argc))
			abort();
	}
	for (size_t at = 0; wire_record(p + at, n - at, &rec) == WIRE_OK; at += rec.size) {
		b.len = 0;
		wire_put_record(&b, rec.type, rec.text, rec.len);
		if (rec.size > n - at || b.len != rec.size || memcmp(b.p, p + at, b.len))
			abort();
	}
	buf_free(&b);
	return 0;
}
