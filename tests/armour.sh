#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The armour of the program that was built: SMCROUTE, and the static one where B has it.
# COMPILE is the compiler with its flags, as the Makefile has it.  Prints TAP.
cd "$(dirname "$0")/.." || exit 1
. tests/tap.sh
unset CC CPPFLAGS CFLAGS LDFLAGS SANITIZE
B=${B:-build}
SMCROUTE=${SMCROUTE:-$PWD/$B/smcroute}

not() { ! "$@"; }
has() { readelf -lhdW "$1" | grep -E "$2"; }
is_dynamic() { has "$1" INTERP >"$dir/interp"; }

# The table of constant pointers is read-only once the program runs: beside what is written to there is a mapping of
# the same file, and the same part of it, that is not.
is_sealed() {
	rm -f "$dir/fifo"
	mkfifo "$dir/fifo"
	"$1" smcroute-check - <"$dir/fifo" >"$dir/checked" &
	pid=$! tries=0 sealed=1
	exec 9>"$dir/fifo"
	while [ "$sealed" = 1 ] && [ "$tries" -lt 200 ]; do
		tries=$((tries + 1))
		awk -v exe="$(readlink -f "$1")" '
			{ start = substr($1, 1, index($1, "-") - 1) }
			$2 == "rw-p" && $6 == exe && before ~ /^r--p/ && end == start { ok = 1 }
			{ before = $6 == exe ? $2 : ""; end = substr($1, index($1, "-") + 1) }
			END { exit !ok }' "/proc/$pid/maps" && sealed=0 || sleep 0.1
	done
	[ "$sealed" = 0 ] || cat "/proc/$pid/maps"
	exec 9>&-
	wait "$pid"
	return "$sealed"
}

# armour PROGRAM NAME
armour() {
	ok "$2: it can be loaded anywhere" has "$1" 'Type: *DYN'
	ok "$2: no relocation of its text" not has "$1" 'TEXTREL'
	ok "$2: its stack is not executed" has "$1" 'GNU_STACK .* RW  *0x'
	ok "$2: relocations are read-only afterwards" has "$1" 'GNU_RELRO'
	ok "$2: and all are done at the start" has "$1" 'BIND_NOW|Flags:.*NOW'
	if [ -e /proc/self/maps ]; then
		ok "$2: they are read-only when it runs" is_sealed "$1"
	else
		skip "$2: they are read-only when it runs" "no /proc here"
	fi
}

# What the Makefile would call to compile a file with these settings.
flags() {
	make -n V=1 B="$dir/b" "$@" "$dir/b/lib/addr.o" | grep -- ' -c -o '
}
# The last of two words in it.
last() {
	first=$1 second=$2
	shift 2
	flags "$@" | tee "$dir/flags" | grep -E -- "$first.* $second( |\$)"
}
# It is not in it.
lacks() {
	word=$1
	shift
	flags "$@" >"$dir/flags" && ! grep -e "$word" "$dir/flags"
}

if ! command -v readelf >/dev/null; then
	echo "1..0 # SKIP no readelf here"
	exit 0
fi
if is_dynamic "$SMCROUTE"; then
	armour "$SMCROUTE" "the program"
	ok "the program: its stack is guarded" sh -c "readelf -sW --dyn-syms '$SMCROUTE' | grep __stack_chk_fail"
	case $COMPILE in
	*-D_FORTIFY_SOURCE=2*)
		if ldd "$SMCROUTE" 2>"$dir/err" | grep -q 'libc\.so\.6'; then
			ok "the program: calls of libc are checked" \
				sh -c "readelf -sW --dyn-syms '$SMCROUTE' | grep -E '__[a-z]+_chk(@|\$)'"
		fi ;;
	esac
else
	static=$SMCROUTE
fi
[ -n "${static:-}" ] || [ ! -e "$B/smcroute-static" ] || static=$PWD/$B/smcroute-static
# One that cannot be loaded anywhere is what the toolchain gives.
if [ -n "${static:-}" ] && has "$static" 'Type: *DYN' >"$dir/out"; then
	armour "$static" "static"
	whole=$(dirname "$static")/static/smcroute
	[ ! -e "$whole" ] || ok "static: its stack is guarded" sh -c "nm '$whole' | grep __stack_chk_fail"
fi
ok "the flags of a user come last" last -fstack-protector-strong -fno-stack-protector CFLAGS='-O2 -fno-stack-protector'
ok "calls are checked" last -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
ok "but not without optimization" lacks -D_FORTIFY_SOURCE=2 CFLAGS=-O0
ok "nor where the user says how" lacks -D_FORTIFY_SOURCE=2 CFLAGS='-O2 -D_FORTIFY_SOURCE=3'
ok "nor with sanitizers" lacks -D_FORTIFY_SOURCE=2 SANITIZE=address
plan
