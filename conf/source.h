/* SPDX-License-Identifier: ISC
 *
 * Where the text of a configuration comes from: a file is read as a whole, or a pattern is made to names, either by the
 * caller itself or by a child.  Who has other things to do lets a child, as a file system that hangs holds up whoever
 * opens a file on it, and no signal helps then.
 */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/buf.h"

#define SOURCE_MAX (256u << 20)		/* bytes of one file */

/* What comes first in an answer; the text stands behind it. */
struct source_head {
	int err;			/* errno: EISDIR, ENXIO for what is neither file nor directory; no text then */
	dev_t dev;
	ino_t ino;
	bool is_private;		/* not everybody may read the file */
	size_t n;			/* bytes of text: of the file, or names, each ended by NUL */
};

/* Starts a child that reads.  A descriptor for the next two and for poll(2), to be closed, which ends the child; or -1
 * with errno. */
int source_start(void);

/* Has a file read, "-" = standard input, or the files of a pattern of glob(3) looked for.  The answer will be in b,
 * which is empty; the child has given the one before.  With -1 in place of a child this does all of it, which may take
 * long. */
void source_ask(int fd, const char *path, bool is_pattern, struct buf *b);

/* Takes what has come of the answer, and waits for nothing.  True when it is whole, also where it is only why there
 * will be none. */
bool source_answer(int fd, struct buf *b);

/* The head of a whole answer. */
struct source_head source_head(const struct buf *b);

/* Says why there is no text: strerror(3), and for what is not a file what it is. */
const char *source_why(int err);

#endif
