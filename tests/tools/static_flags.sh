#!/bin/sh
# SPDX-License-Identifier: ISC
#
# static_flags.sh compile|link CC...: the options by which this compiler makes a small static program, as far as it
# takes them without a word.  Linked, it can be loaded anywhere if that can be had.  The wrapper musl-gcc does not know
# -static-pie: there the linker is told, and the start files are named.
what=$1
shift
dir=$(mktemp -d) || exit 0
trap 'rm -rf "$dir"' EXIT
echo 'int main(void) { return 0; }' >"$dir/a.c"

# takes OPTION...: it links with these, in silence.
takes() {
	out=$("$@" -o "$dir/a" "$dir/a.c" 2>&1) && [ -z "$out" ]
}

# works OPTION...: it links, needs no interpreter, is of the type DYN and runs, if such programs run here.
works() {
	takes "$@" -fPIE && readelf -lW "$dir/a" >"$dir/out" 2>/dev/null &&
		grep -q '^Elf file type is DYN' "$dir/out" && ! grep -q INTERP "$dir/out" || return 1
	foreign || "$dir/a" 2>/dev/null
}

# The program is one for another machine: a shell may take it for a script, with any result.
foreign() {
	[ "$(machine "$dir/a")" != "$(machine "$(readlink -f "$(command -v env)")")" ]
}
machine() {
	readelf -hW "$1" 2>/dev/null | grep -E '^ *(Class|Data|Machine):'
}

if [ "$what" = compile ]; then
	for lto in -flto=auto -flto; do
		! takes "$@" -static $lto || { echo "$lto"; exit 0; }
	done
	exit 0
fi

crt=$("$@" -### "$dir/a.c" 2>&1 | grep -o '/[^ "]*/Scrt1\.o' | head -n 1 | sed 's/Scrt1\.o//')
musl="-static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text ${crt}rcrt1.o ${crt}crti.o ${crt}crtn.o"
# Code and constants in one segment, as on most other architectures: x86 alone pads them to pages of their own.
one=-Wl,-z,noseparate-code
takes "$@" -static $one || one=
# shellcheck disable=SC2086
if works "$@" -static-pie; then
	echo -static-pie $one
elif [ -n "$crt" ] && works "$@" $musl; then
	echo $musl $one
else
	echo -static $one
fi
