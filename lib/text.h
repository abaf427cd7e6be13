/* SPDX-License-Identifier: ISC
 *
 * Text from outside: names of interfaces and files, bytes of a configuration, of a client, of /proc.  Here it is
 * decided what is well-formed UTF-8, what may reach a terminal or a log as it is, and how a word is written into a
 * command that somebody will paste into a shell.  Nothing is allocated and nothing is printed here; buf.h has the same
 * for growing buffers.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <stddef.h>

/* Returns the number of bytes, 1 to 4, of the UTF-8 sequence that the n bytes at s begin with, or 0 when it is broken:
 * overlong, a surrogate, above U+10FFFF, cut short (RFC 3629, section 4).  n is 1 or more.  Control characters are
 * well-formed. */
size_t text_utf8_len(const char *s, size_t n);

/* Control characters that text_escape() leaves as they are. */
enum text_keep { TEXT_KEEP_NONE = 0, TEXT_KEEP_TAB = 1, TEXT_KEEP_NEWLINE = 2 };

/* As text_utf8_len(), but 0 also for a control character: C0 (below U+0020), DEL, and C1 (U+0080 to U+009F), which
 * terminals obey too; those of `keep` (enum text_keep, by "|") excepted. */
size_t text_printable_len(const char *s, size_t n, unsigned keep);

/* Bytes that n bytes of text can come to when they are escaped, with the NUL. */
#define TEXT_ESCAPED_SIZE(n) (4 * (n) + 1)

/* Writes n bytes of text to out[size], size 1 or more, ended by NUL.  Each byte of a control character that is not in
 * `keep`, and each byte that is no part of a well-formed sequence, becomes \xXX, two lower-case hexadecimal digits.
 * Where room runs out it stops between two characters.  Returns the number of bytes written, without the NUL. */
size_t text_escape(char *out, size_t size, const char *s, size_t n, unsigned keep);

/* Bytes that a word of n bytes can come to when it is quoted, with the NUL. */
#define TEXT_WORD_SIZE(n) (4 * (n) + 20)

/* Writes the word s to out[size] as dash and bash read it back: as it is when no character of it is special to a shell,
 * otherwise in single quotes, or, where it holds control characters or broken UTF-8, as "$(printf '\033[31m')".  The
 * result holds no control character, but for newlines at the end of s, which stand in single quotes.  Returns out.
 * size must be TEXT_WORD_SIZE(strlen(s)) or more: with less, out is '' (two quotes), never a part of the word. */
const char *text_shell_word(char *out, size_t size, const char *s);

#endif
