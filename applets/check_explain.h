/* SPDX-License-Identifier: ISC
 *
 * `smcroute-check explain`: reads the words and the file, prints the answer.  What
 * the answer is lives in conf/explain.c.
 */
#ifndef APPLETS_CHECK_EXPLAIN_H
#define APPLETS_CHECK_EXPLAIN_H

/* Answers for the words IIF SOURCE GROUP and a file name.  Returns the exit status: 0 when something comes
 * out, 1 when nothing does, 65 for words that are no address or name, 71 when memory or the output failed,
 * 78 when the file has errors. */
int check_explain_main(const char *const words[3], const char *file);

#endif
