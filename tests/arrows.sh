#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Which room may include what, and other habits that a compiler does not check;
# tools/house.py has those that need to read C.  Prints TAP.  COMPILE is the compiler with
# its flags, as the Makefile has it.
cd "$(dirname "$0")/.." || exit 1
LC_ALL=C
export LC_ALL
n=0 bad=0
dir=$(mktemp -d)
out=$dir/out
trap 'rm -rf "$dir"' EXIT

# The last command wrote its findings to $out: empty is good.
verdict() {
	n=$((n + 1))
	if [ -s "$out" ]; then
		bad=1
		sed 's/^/# /' "$out"
		echo "not ok $n - $1"
	else
		echo "ok $n - $1"
	fi
}

sources() {
	ls smcroute.c
	find applets router conf kernel lib -name '*.[ch]' | sort
}
c_files() { sources | grep '\.c$'; }

house=$dir/house
python3 tests/tools/house.py . >"$house" || echo "house.py: failed" >"$house"
while read -r check what; do
	grep "^$check " "$house" >"$out"
	verdict "$what"
done <<-END
	arrows arrows between the rooms
	os-headers headers of one system stay in its folder of kernel/
	circles no circle of files
	names no function or static has the name of another
	headers what a header declares is in the file of its name
	probes the daemon does not include probe.h
	engine the engine speaks of no client, command or show
	lengths functions to 60 lines, files to 400, lines to 120 columns, no trailing blanks
	cited files that comments name are in the tree
	unit-tests tests/unit/test_X.c is for X.c
	house.py: house.py itself
END

# The same checks on small trees that break a rule each: NAME.tree has its files, each after a
# line "== PATH", and at its end under "== expect" the findings.
for tree in tests/data/arrows/*.tree; do
	rm -rf "$dir/tree"
	mkdir "$dir/tree"
	awk -v root="$dir/tree" '/^== / {
		close(file); file = root "/" $2
		folder = file; sub("/[^/]*$", "", folder); system("mkdir -p " folder)
		next
	} { print >file }' "$tree"
	python3 tests/tools/house.py "$dir/tree" 2>&1 | diff "$dir/tree/expect" - >"$out"
	verdict "what is wrong in $(basename "$tree" .tree) is found"
done

# But for the one body of an inline function, which C11 asks for (6.7.4).
c_files | xargs grep -nE '^[[:space:]]*extern\b' | grep -v ':extern inline' >"$out"
verdict "no extern in a .c"

# shellcheck disable=SC2046
awk '/^#include/ && !done[FILENAME]++ {
	own = FILENAME; sub(/c$/, "h", own)
	if ((getline line < own) >= 0 && $2 != "\"" own "\"") print FILENAME ": " $0 " comes before its own header"
	close(own)
}' $(c_files) >"$out"
verdict "each .c includes its own header first"

{ sources; find tests -name '*.[ch]'; } | while read -r f; do
	head -n 1 "$f" | grep -qF '/* SPDX-License-Identifier: ISC' || echo "$f: no SPDX line"
done >"$out"
find tests Makefile .ci -name '*.sh' -o -name '*.py' -o -name Makefile -o -path .ci/run | while read -r f; do
	head -n 2 "$f" | grep -qF '# SPDX-License-Identifier: ISC' || echo "$f: no SPDX line"
done >>"$out"
verdict "SPDX lines"

COMPILE=${COMPILE:-cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -I.}
sources | grep '\.h$' | while read -r f; do
	eval "$COMPILE -Werror -Wno-unused-function -fsyntax-only -x c" '"$f"' 2>&1
done >"$out"
verdict "each header compiles alone"

sources | grep -vE '^(applets/|smcroute\.c)' | xargs grep -nE '[^_[:alnum:]](exit|abort)\(' >"$out"
verdict "exit() in applets only"

sources | grep -v '^kernel/' | xargs grep -nE 'IPPROTO_|SOL_IP|AF_NETLINK' >"$out"
verdict "network sockets in kernel/ only"

sources | grep -E '^(applets|router|conf)/' | xargs grep -nE 'CONFIG_IP|kldload' >"$out"
verdict "what a system calls its options and modules stays in its folder of kernel/"

echo "1..$n"
exit $bad
