/* SPDX-License-Identifier: ISC
 *
 * A configuration from files: reading them, going through their lines, and the include directive with its guards.
 */
#ifndef CONF_READ_H
#define CONF_READ_H

#include "conf/diag.h"

#define CONF_MAX_DEPTH 16		/* levels of include */

/* Reads a configuration in steps, for who has other things to do meanwhile: FILE as in conf_parse_file(), into c and d,
 * which must stay until conf_read_end().  With `apart` a child reads the files, if one can be started.  NULL with
 * ENOMEM. */
struct conf_reader;
struct conf_reader *conf_read_begin(struct conf *c, struct diags *d, const char *file, bool apart);

/* Parses at most so many lines, or has one file read.  True while there is more to do. */
bool conf_read_step(struct conf_reader *rd, unsigned lines);

/* The descriptor that is readable when the child has more, without which a step does nothing; or -1. */
int conf_read_waits(const struct conf_reader *rd);

/* Frees the reader, wherever it is.  0, or the errno of what kept FILE itself from being read to its end. */
int conf_read_end(struct conf_reader *rd);

/* Parses FILE ("-" = standard input) into c and appends what was wrong to d.  Lines with errors are left out, all
 * others are in.  False with errno when the file itself could not be read to its end: then nothing of it is in, and
 * d has a diagnostic too.  Errors in its text show in d->errors alone. */
bool conf_parse_file(struct conf *c, struct diags *d, const char *file);

/* The same for text in memory, shown as `name` in diagnostics. */
bool conf_parse_text(struct conf *c, struct diags *d, const char *name, const char *p, size_t n);

#endif
