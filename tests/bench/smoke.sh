#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The benchmark still runs: a few routes, once, and no figure is judged.  Prints TAP.
cd "$(dirname "$0")/../.." || exit 1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

echo 1..1
if ! command -v python3 >/dev/null; then
	echo "ok 1 - the benchmark runs # SKIP no python3 here"
elif [ "$(id -u)" != 0 ] && ! unshare -Un true 2>/dev/null; then
	echo "ok 1 - the benchmark runs # SKIP neither root nor user namespaces"
elif PEER=no RUNS=1 BENCH_ONLY=routes BENCH_JSON=$out/json BENCH_MD=$out/md \
	python3 tests/bench/bench.py 50 >"$out/log" 2>&1 &&
	[ "$(grep -cE '^  IPv[46] +50 +ours( +[0-9.,-]+){15}$' "$out/log")" = 2 ] &&
	[ -s "$out/json" ] && [ -s "$out/md" ]; then
	echo "ok 1 - the benchmark runs"
elif why=$(grep -m 1 '^ *#SKIP ' "$out/log"); then
	echo "ok 1 - the benchmark runs # SKIP ${why#*#SKIP }"
else
	sed 's/^/# /' "$out/log"
	echo "not ok 1 - the benchmark runs"
	exit 1
fi
