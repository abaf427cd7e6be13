#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What can be said of the port to FreeBSD without a FreeBSD: it compiles and links for both
# architectures without a warning, by zig (PyPI package ziglang), and its codecs do what they
# shall.  ZIG is the command, B the folder of a build with test programs.
cd "$(dirname "$0")/.." || exit 1
ZIG=${ZIG:-python3 -m ziglang}
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

verdict() {
	if [ "$1" = 0 ]; then
		passed=$((passed + 1))
		echo "ok - $2"
	else
		failed=$((failed + 1))
		sed 's/^/# /' "$log"
		echo "not ok - $2"
	fi
}

for cpu in x86_64 aarch64; do
	if ! $ZIG version >/dev/null 2>&1; then
		skipped=$((skipped + 1))
		echo "ok - $cpu # SKIP no zig here: pip install ziglang"
		continue
	fi
	env -u MAKEFLAGS -u MFLAGS make -s OS=freebsd CC="$ZIG cc -target $cpu-freebsd" B="$B/freebsd-$cpu" all \
		>"$log" 2>&1
	bad=$?
	! grep -qE '(warning|error):' "$log" || bad=1
	verdict "$bad" "$cpu compiles and links without a warning"
done
for t in ledger mroute_pack rtmsg; do
	"$B/tests/test_$t" >"$log" 2>&1
	verdict $? "test_$t"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
