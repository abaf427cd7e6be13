#!/bin/sh
# SPDX-License-Identifier: ISC
#
# static_pie.sh CC...: the options by which this compiler links a static program, one that can be
# loaded anywhere if it can.  The wrapper musl-gcc does not know -static-pie: there the
# linker is told, and the start files are named.
dir=$(mktemp -d) || exit 0
trap 'rm -rf "$dir"' EXIT
echo 'int main(void) { return 0; }' >"$dir/a.c"

# works OPTION...: it links, needs no interpreter, is of the type DYN and runs, if such programs run here.
works() {
	"$@" -fPIE -o "$dir/a" "$dir/a.c" 2>/dev/null && readelf -lW "$dir/a" >"$dir/out" 2>/dev/null &&
		grep -q '^Elf file type is DYN' "$dir/out" && ! grep -q INTERP "$dir/out" || return 1
	"$dir/a" 2>/dev/null
	case $? in 0|126) ;; *) return 1 ;; esac
}

crt=$("$@" -### "$dir/a.c" 2>&1 | grep -o '/[^ "]*/Scrt1\.o' | head -n 1 | sed 's/Scrt1\.o//')
musl="-static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text ${crt}rcrt1.o ${crt}crti.o ${crt}crtn.o"
# shellcheck disable=SC2086
if works "$@" -static-pie; then
	echo -static-pie
elif [ -n "$crt" ] && works "$@" $musl; then
	echo "$musl"
else
	echo -static
fi
