#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The programs that try kernel/ on the real kernel, one after the other.
cd "$(dirname "$0")/../.." || exit 1
rc=0
for p in probe_mroute probe_any probe_link probe_join probe_mrdisc; do
	"${B:-build}/tests/$p" || rc=1
done
exit $rc
