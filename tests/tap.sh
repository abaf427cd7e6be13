# SPDX-License-Identifier: ISC
# shellcheck shell=sh
#
# What scripts that print TAP have in common; they read it in, in the top folder.  $dir is one that goes with them.  At
# their end they print the plan, and exit with $bad.
LC_ALL=C
export LC_ALL
unset MAKEFLAGS MFLAGS MAKELEVEL
n=0 bad=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# ok NAME COMMAND...: what it prints is told when it fails.
ok() {
	n=$((n + 1)) name=$1
	shift
	# Not as a condition, in which no command would end it.
	(set -e; "$@") >"$dir/out" 2>&1
	rc=$?
	if [ "$rc" = 0 ]; then
		echo "ok $n - $name"
	else
		bad=1
		sed 's/^/# /' "$dir/out"
		echo "not ok $n - $name"
	fi
}
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

plan() {
	echo "1..$n"
	exit "$bad"
}
