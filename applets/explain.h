/* SPDX-License-Identifier: ISC
 *
 * `smcroute-check explain`: which rules of a configuration match a packet, and
 * what comes out.
 */
#ifndef APPLETS_EXPLAIN_H
#define APPLETS_EXPLAIN_H

/* Answers for the words IIF SOURCE GROUP and a file name; prints, and returns the exit status: 0 when a
 * rule matches, 1 when none does, 64 and 65 for wrong words, 78 when the file has errors. */
int explain_main(const char *const words[3], const char *file);

#endif
