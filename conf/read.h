/* SPDX-License-Identifier: ISC
 *
 * A configuration from files: reading them, going through their lines, and the include directive with its guards.
 */
#ifndef CONF_READ_H
#define CONF_READ_H

#include "conf/diag.h"

#define CONF_MAX_FILE (256u << 20)	/* bytes of one file */
#define CONF_MAX_DEPTH 16		/* levels of include */

/* Appends all that can be read from a descriptor.  0, or an errno: EFBIG beyond CONF_MAX_FILE.  `expected` bytes
 * will probably come. */
int read_all(int fd, size_t expected, struct buf *text);

/* Parses FILE ("-" = standard input) into c and appends what was wrong to d.  Lines with errors are left out, all
 * others are in.  False with errno when the file itself could not be read to its end: then nothing of it is in, and
 * d has a diagnostic too.  Errors in its text show in d->errors alone. */
bool conf_parse_file(struct conf *c, struct diags *d, const char *file);

/* The same for text in memory, shown as `name` in diagnostics. */
bool conf_parse_text(struct conf *c, struct diags *d, const char *name, const char *p, size_t n);

#endif
