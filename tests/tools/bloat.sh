#!/bin/sh
# SPDX-License-Identifier: ISC
#
# bloat.sh BINARY STRIPPED: the size of the static program, its largest symbols and
# what has changed since the baseline.  UPDATE=1 makes these figures the baseline.
set -e
here=$(dirname "$0")
base=$here/bloat.baseline
now=$(mktemp)
trap 'rm -f "$now"' EXIT

{
	echo "total $(wc -c <"$2" | tr -d ' ')"
	nm -S --size-sort -t d "$1" | awk '{ size[$4] += $2 } END { for (s in size) print s, size[s] }' | LC_ALL=C sort
} >"$now"

echo "stripped: $(sed -n 's/^total //p' "$now") bytes"
echo "largest symbols:"
sed 1d "$now" | sort -k2,2nr | head -n 20 | awk '{ printf "%8d  %s\n", $2, $1 }'
if [ -n "$UPDATE" ]; then
	cp "$now" "$base"
	echo "baseline written"
elif [ -e "$base" ]; then
	echo "against the baseline:"
	awk 'NR == FNR { was[$1] = $2; next }
		{ if ($2 != was[$1]) printf "%+8d  %s\n", $2 - was[$1], $1; delete was[$1] }
		END { for (s in was) printf "%+8d  %s (gone)\n", -was[s], s }' "$base" "$now" | sort -k1,1nr
fi
