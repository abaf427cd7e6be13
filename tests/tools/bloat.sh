#!/bin/sh
# SPDX-License-Identifier: ISC
#
# bloat.sh DIR [DIR...]: the size of the static program that was built in DIR, where
# it comes from, its largest symbols and what has changed since the baseline; of
# further ones the size alone.  UPDATE=1 makes the figures the baseline.
set -e
here=$(dirname "$0")
base=$here/bloat.baseline
target=163840
now=$(mktemp)
trap 'rm -f "$now"' EXIT

bytes() { wc -c <"$1/smcroute-static" | tr -d ' '; }

# The sections that the linker kept, by room: what is no object of ours is libc.
split() {
	awk 'function hex(s,  v, i) {
			for (i = 3; i <= length(s); i++)
				v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
			return v
		}
		/^Linker script and memory map/ { on = 1 }
		!on || /^ \.(debug|comment|note)/ { next }
		/^ [.C][^ ]*$/ { section = $1; next }
		/^ [.C*]/ { section = $1; sub(/^ [^ ]+/, "") }
		$1 ~ /^0x/ && $2 ~ /^0x/ && hex($1) && $3 {
			kind = section ~ /^(\.bss|COMMON)/ ? "bss" : section ~ /^\.text/ ? "text" : "data"
			room = $3 !~ /static\/[a-z\/_-]+\.o$/ ? "libc" : $3
			sub(/.*static\//, "", room)
			sub(room ~ /^lib\/small/ ? "/[^/]*$" : "/.*", "", room)
			sum[room, kind] += hex($2)
			rooms[room]
		}
		END { for (r in rooms) printf "%-12s %8d %8d %8d\n", r, sum[r, "text"], sum[r, "data"], sum[r, "bss"] }
	' "$1/static/smcroute.map" | LC_ALL=C sort | awk '
		BEGIN { printf "%-12s %8s %8s %8s\n", "", "text", "data", "bss" }
		{ print; t += $2; d += $3; b += $4 }
		END { printf "%-12s %8d %8d %8d\n", "in all", t, d, b }'
}

{
	for dir; do echo "total${dir#"$1"} $(bytes "$dir")"; done
	nm -S --size-sort -t d "$1/static/smcroute" |
		awk '{ size[$4] += $2 } END { for (s in size) print s, size[s] }' | LC_ALL=C sort
} >"$now"

for dir; do
	n=$(bytes "$dir")
	echo "$dir/smcroute-static: $n bytes stripped, $((100 * n / target)) % of the target of $target"
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
