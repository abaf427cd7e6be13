/* SPDX-License-Identifier: ISC
 *
 * The check of configuration files, which `smcrouted -F` is as well.
 */
#ifndef APPLETS_SMCROUTE_CHECK_H
#define APPLETS_SMCROUTE_CHECK_H

/* Checks n files and prints what is wrong with them; options: OPTION() of -j -p -q, and of -F
 * where only the status counts.  The exit status. */
int check_files(const char *const *files, int n, unsigned options);

#endif
