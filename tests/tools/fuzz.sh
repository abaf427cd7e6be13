#!/bin/sh
# SPDX-License-Identifier: ISC
#
# fuzz.sh FOLDER SECONDS FUZZER...: runs the fuzzers that are in a folder one after the other, so many seconds each,
# with the seeds of tests/data.  What one finds is in the last lines, each with FAIL: what is wrong, and the input.
cd "$(dirname "$0")/../.." || exit 1
dir=$1 seconds=$2 found=
shift 2

# fail NAME LOG: the words of the fuzzer itself stand before those of libFuzzer; then the input, in letters if short.
fail() {
	words=$(grep -vE '^(INFO|#|[[:space:]]|stat::)' "$2" | sed -n '/ERROR:\|runtime error:/q; p' | tail -n 1)
	echo "FAIL $1: $words"
	sed -n "s/.*\\(ERROR:\\|runtime error:\\|SUMMARY:\\)/FAIL $1: \\1/p" "$2" | head -n 3
	input=$(sed -n 's/.*Test unit written to //p' "$2" | tail -n 1)
	[ -f "$input" ] || return
	echo "FAIL $1: the input is $input"
	[ "$(wc -c <"$input")" -gt 6000 ] || echo "FAIL $1: base64 -d: $(base64 "$input" | tr -d '\n')"
}

for f in "$@"; do
	echo "== $f, $seconds s"
	mkdir -p "$dir/corpus/$f"
	seeds=tests/data/$f
	[ -d "$seeds" ] || seeds=
	# 128 steps of the engine, each of which is compared with all of the model; and no account of how rare each
	# edge is, which takes as long as an input.
	own=
	[ "$f" != fuzz_router ] || own="-max_len=1024 -entropic=0"
	# shellcheck disable=SC2086
	"$dir/$f" $own -max_total_time="$seconds" -timeout=100 -print_final_stats=1 -verbosity=0 \
		-len_control=0 -artifact_prefix="$dir/$f-" "$dir/corpus/$f" ${seeds:+"$seeds"} \
		>"$dir/$f.log" 2>&1 || found="$found $f"
	cat "$dir/$f.log"
done
for f in $found; do fail "$f" "$dir/$f.log"; done
[ -z "$found" ]
