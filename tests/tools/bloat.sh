#!/bin/sh
# SPDX-License-Identifier: ISC
#
# bloat.sh DIR [DIR...]: the size of the static program that was built in DIR, what of
# it is resident when it is idle, where it comes from, its largest symbols and what has
# changed since the baseline; of further ones the first two.  UPDATE=1 makes the figures
# the baseline.
set -e
here=$(dirname "$0")
base=$here/bloat.baseline
target=262144
target_kb=320
now=$(mktemp)
dir=$(mktemp -d)
trap 'rm -rf "$now" "$dir"' EXIT

bytes() { wc -c <"$1/smcroute-static" | tr -d ' '; }

# kB of a daemon without a route, in a network of its own: it returns when it is ready.
resident() {
	: >"$dir/conf"
	net="unshare -n"
	$net true 2>/dev/null || net="unshare -Urn"
	# shellcheck disable=SC2016
	$net sh -c '"$1" smcrouted -i bloat -f "$2/conf" -P "$2/pid" -u "$2/sock" -l none &&
		read -r pid <"$2/pid" || exit
		awk "/^Rss/ { print \$2 }" "/proc/$pid/smaps_rollup"
		kill "$pid"
		while [ -e "$2/pid" ] && kill -0 "$pid"; do sleep 0.02; done' \
		sh "$1/smcroute-static" "$dir" 2>/dev/null
}

# The symbols by the room of their source.  The linker, which optimizes all as one, keeps no other
# word of it: code of no source of ours is libc, data of none is a table, and the rest are texts.
split() {
	nm -S -l -t d "$1/static/smcroute" | awk -v root="$PWD/" -v sections="$(size -A -d "$1/static/smcroute" |
			awk '$2 + 0 && $3 + 0 && $1 != ".bss" { n += $2 } END { print n }')" '
		BEGIN { FS = "[ \t]+" }
		NF < 4 || $2 + 0 == 0 || seen[$1]++ { next }
		{
			kind = $3 ~ /[bBcC]/ ? "bss" : $3 ~ /[tTwW]/ ? "text" : "data"
			room = index($5, root) == 1 ? substr($5, length(root) + 1) : kind == "data" ? "tables" : "libc"
			sub(/:[0-9?]*$/, "", room)
			sub(/^\.\//, "", room)
			sub("/.*", "", room)
			sum[room, kind] += $2
			if (kind != "bss")
				sections -= $2
			rooms[room]
		}
		END {
			for (r in rooms)
				printf "%-12s %8d %8d %8d\n", r, sum[r, "text"], sum[r, "data"], sum[r, "bss"]
			printf "%-12s %8d %8d %8d\n", "texts", 0, sections, 0
		}' | LC_ALL=C sort | awk '
		BEGIN { printf "%-12s %8s %8s %8s\n", "", "text", "data", "bss" }
		{ print; t += $2; d += $3; b += $4 }
		END { printf "%-12s %8d %8d %8d\n", "in all", t, d, b }'
}

{
	for at; do echo "total${at#"$1"} $(bytes "$at")"; done
	nm -S --size-sort -t d "$1/static/smcroute" |
		awk '{ sub(/\.lto_priv\.[0-9]+$/, "", $4); size[$4] += $2 } END { for (s in size) print s, size[s] }' |
		LC_ALL=C sort
} >"$now"

for at; do
	n=$(bytes "$at")
	echo "$at/smcroute-static: $n bytes stripped, $((100 * n / target)) % of the target of $target"
	kb=$(resident "$at") || kb=
	share=$((100 * ${kb:-0} / target_kb))
	echo "	idle: ${kb:-not measured, no namespaces here?}${kb:+ kB resident, $share % of the target of $target_kb}"
done
split "$1"
echo "largest symbols:"
grep -v '^total' "$now" | sort -k2,2nr | head -n 20 | awk '{ printf "%8d  %s\n", $2, $1 }'
if [ -n "$UPDATE" ]; then
	cp "$now" "$base"
	echo "baseline written"
elif [ -e "$base" ]; then
	echo "against the baseline:"
	awk 'NR == FNR { was[$1] = $2; next }
		{ if ($2 != was[$1]) printf "%+8d  %s\n", $2 - was[$1], $1; delete was[$1] }
		END { for (s in was) printf "%+8d  %s (gone)\n", -was[s], s }' "$base" "$now" | sort -k1,1nr
fi
