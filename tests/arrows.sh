#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Which room may include what, and other habits that a compiler does not check.
# Prints TAP.  COMPILE is the compiler with its flags, as the Makefile has it.
cd "$(dirname "$0")/.." || exit 1
LC_ALL=C
export LC_ALL
n=0 bad=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

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

# arrow ROOM PATTERN: the includes of ROOM match PATTERN.
arrow() {
	sources | grep "^$1" | xargs grep -n '#include "' /dev/null |
		grep -vE "#include \"($2)" | sed 's/$/ (not an arrow of this house)/'
}
{
	arrow smcroute.c 'applets/'
	arrow applets/ 'applets/|router/|conf/|kernel/kernel\.h"|lib/'
	arrow applets/control/ 'applets/|router/|conf/|kernel/|lib/'
	arrow router/ 'router/|conf/conf\.h"|kernel/kernel\.h"|lib/'
	arrow conf/ 'conf/|lib/'
	arrow kernel/ 'kernel/|lib/'
	arrow lib/ 'lib/'
} >"$out"
verdict "arrows between the rooms"

sources | grep -v '^kernel/' | xargs grep -nE '#include <(linux|net|netinet)/(mroute|netlink|rtnetlink|if_link|igmp|icmp)' >"$out"
grep -n '#include <' kernel/kernel.h | grep -vE '<std(bool|def|int)\.h>' >>"$out"
verdict "headers of the routing sockets stay in kernel/"

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

sources | grep '\.h$' | while read -r f; do
	eval "${COMPILE:-cc -std=c11 -D_GNU_SOURCE -Wall -Wextra -I.} -Werror -Wno-unused-function -fsyntax-only -x c" '"$f"' 2>&1
done >"$out"
verdict "each header compiles alone"

sources | grep -vE '^(applets/|smcroute\.c)' | xargs grep -nE '[^_[:alnum:]](exit|abort)\(' >"$out"
verdict "exit() in applets only"

sources | grep -v '^kernel/' | xargs grep -nE 'IPPROTO_|SOL_IP|AF_NETLINK' >"$out"
verdict "network sockets in kernel/ only"

# shellcheck disable=SC2046
awk 'FNR == 1 { start = 0 }
	/^{/ { start = FNR }
	/^}/ && start { if (FNR - start + 1 > 60) print FILENAME ":" start ": a function of " FNR - start + 1 " lines"; start = 0 }
	FNR == 401 { print FILENAME ": over 400 lines" }
	/[ \t]$/ { print FILENAME ":" FNR ": blank at the end of the line" }' $(sources) >"$out"
verdict "files to 400 lines, functions to 60, no trailing blanks"

echo "1..$n"
exit $bad
