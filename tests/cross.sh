#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Static builds for other architectures, without a warning, and the tests that need no kernel of their own under
# qemu-user: unit tests, scenarios, tests/conf by the small static program.
#
#	make check-cross [ARCH="NAME..."] [WITH="zig gcc"] [T="unit scenario conf/"]
#
# zig is $ZIG, `zig` in PATH or the package ziglang of Python, with musl; gcc are the cross compilers of
# Debian, with glibc.  What is missing here is skipped, with its reason.  Builds and their logs are kept in
# $B/cross/ARCH-TOOL.  UPDATE=1 writes the table of all builds there are to tests/cross/README.md.  T=- builds only;
# of a T that is narrower only the programs that it names are built, and the table says so.
set -u
cd "$(dirname "$0")/.." || exit 1
all='unit scenario conf/'
B=${B:-build}/cross T=${T:-$all} WITH=${WITH:-gcc zig} JOBS=${JOBS:-2}
export JOBS DEADLINE=${DEADLINE:-600}
passed=0 failed=0 skipped=0

# Name, order of bytes and size of words, GCC's triplet (or options of the compiler here), zig's target with options,
# qemu's name with options.  qemu 7.2 knows no vectors of loongarch64, and its mmap(2) fails in one of thirty runs of
# any program unless the addresses are reserved.
archs='
x86_64      le64 x86_64-linux-gnu        x86_64-linux-musl       x86_64
i386        le32 i686-linux-gnu,-m32     x86-linux-musl          i386
x32         le32 x86_64-linux-gnux32     x86_64-linux-muslx32    -
aarch64     le64 aarch64-linux-gnu       aarch64-linux-musl      aarch64
armhf       le32 arm-linux-gnueabihf     arm-linux-musleabihf    arm
armel       le32 arm-linux-gnueabi       arm-linux-musleabi      arm
mips        be32 mips-linux-gnu          mips-linux-musleabi     mips
mipsel      le32 mipsel-linux-gnu        mipsel-linux-musleabi   mipsel
mips64      be64 mips64-linux-gnuabi64   mips64-linux-muslabi64  mips64
powerpc     be32 powerpc-linux-gnu       powerpc-linux-musleabi  ppc
powerpc64   be64 powerpc64-linux-gnu     powerpc64-linux-musl    ppc64
ppc64le     le64 powerpc64le-linux-gnu   powerpc64le-linux-musl  ppc64le
riscv64     le64 riscv64-linux-gnu       riscv64-linux-musl      riscv64
s390x       be64 s390x-linux-gnu         s390x-linux-musl        s390x
loongarch64 le64 loongarch64-linux-gnu   loongarch64-linux-musl,-mno-lsx loongarch64,-R,0x4000000000
'

good() { passed=$((passed + 1)); }
bad() { failed=$((failed + 1)); echo "FAILED: $name: $*"; }
skip() { skipped=$((skipped + 1)); echo "skipped: $name: $*"; }

# zig_command: how zig is called here, or nothing.
zig_command() {
	if [ -n "${ZIG:-}" ]; then echo "$ZIG"; return; fi
	command -v zig && return
	python3 -m ziglang version >/dev/null 2>&1 && echo python3 -m ziglang
}

# compiler TOOL GCC ZIG: the command for CC, or nothing; why not is in $dir/why.
compiler() {
	local triplet=${2%,*} options=${2#*,} zig
	if [ "$1" = zig ]; then
		zig=$(zig_command)
		[ -n "$zig" ] || { echo "neither zig nor the package ziglang here" >"$dir/why"; return; }
		options=${3#"${3%%,*}"}
		# To zig musl's headers are none of the system, and CMSG_NXTHDR() of <sys/socket.h> compares and casts.
		# Optimizing while it links, zig 0.17 finds no __tls_get_addr for most machines.
		printf '#!/bin/sh\nexec %s cc -target %s "$@" -fno-lto -Wno-sign-compare -Wno-cast-qual %s\n' \
			"$zig" "${3%%,*}" "${options//,/ }" >"$dir/cc"
		chmod +x "$dir/cc"
		echo "$PWD/$dir/cc"
	elif command -v "$triplet-gcc" >/dev/null; then
		echo "$triplet-gcc"
	elif [ "$options" != "$2" ] && gcc "$options" -o "$dir/probe" "$dir/probe.c" 2>/dev/null; then
		echo "gcc $options"
	else
		echo "no $triplet-gcc here" >"$dir/why"
	fi
}

# runs COMMAND...: it is a program that says so.
runs() { [ "$(timeout 20 "$@" 2>/dev/null)" = runs ]; }

# emulator CC QEMU: what runs programs of this compiler, "env" for this machine, or nothing.
emulator() {
	local qemu options=${2#"${2%%,*}"}
	options=${options//,/ }
	# shellcheck disable=SC2086 # it may be a compiler with an option
	$1 -O2 -static -o "$dir/probe" "$dir/probe.c" >"$dir/probe.log" 2>&1 || return
	if runs "$dir/probe"; then echo env; return; fi
	for qemu in "qemu-${2%%,*}-static" "qemu-${2%%,*}"; do
		# shellcheck disable=SC2086 # these are words
		command -v "$qemu" >/dev/null && runs "$qemu" $options "$dir/probe" &&
			{ echo "$(command -v "$qemu")$options"; return; }
	done
}

# build LOG ARGS...: make without a warning; what the linker says of a static glibc, which looks up users by shared
# libraries, is none.
build() {
	local log=$dir/$1
	shift
	if ! nice make "-j$JOBS" B="$dir" CC="$cc" "$@" >"$log" 2>&1; then
		tail -n 15 "$log"
		bad "make $*"
		return 1
	fi
	if grep -E '(warning|error):' "$log" | grep -vE "Using 'get[a-z]+' in statically linked applications"; then
		bad "warnings: make $*"
	else
		good
	fi
}

# programs: those of the tests that T names, as tests/run.sh chooses them.
programs() {
	local source word
	for source in tests/unit/test_*.c tests/scenario/*.c; do
		for word in $T; do
			case $source in *"$word"*) echo "$dir/tests/$(basename "$source" .c)"; break ;; esac
		done
	done
}

# check: the tests, and its sum is added to ours.
check() {
	local form='^([0-9]+) passed, ([0-9]+) failed, ([0-9]+) skipped$'
	printf '#!/bin/sh\nexec %s %s "$@"\n' "$run" "$PWD/$dir/smcroute-static" >"$dir/smcroute-run"
	chmod +x "$dir/smcroute-run"
	# shellcheck disable=SC2086 # these are words
	B=$dir EMULATOR=$run SMCROUTE=$PWD/$dir/smcroute-run nice sh tests/run.sh $T >"$dir/check.log" 2>&1
	if [[ $(tail -n 1 "$dir/check.log") =~ $form ]]; then
		passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
		skipped=$((skipped + BASH_REMATCH[3]))
		result="${BASH_REMATCH[1]}, ${BASH_REMATCH[2]}, ${BASH_REMATCH[3]}"
		[ "$T" = "$all" ] || result="$result of \`$T\`"
		[ "${BASH_REMATCH[1]}" != 0 ] || bad "no test passed"
		sed -n '/^FAIL/,/^ok   /{/^FAIL/p;/^ *not ok/p;/^ *# .*:[0-9]/p}' "$dir/check.log"
	else
		tail -n 5 "$dir/check.log"
		bad "the tests did not end with their sum"
	fi
}

# one TOOL ARCH ORDER GCC ZIG QEMU
one() {
	local tool=$1 arch=$2 order=$3 cc run result=- size least before=$SECONDS static=() linked='' wanted
	name=$arch-$tool dir=$B/$arch-$tool
	mkdir -p "$dir"
	rm -f "$dir/row"
	printf '#include <stdio.h>\nint main(void)\n{\n\tputs("runs");\n\treturn 0;\n}\n' >"$dir/probe.c"
	cc=$(compiler "$tool" "$4" "$5")
	[ -n "$cc" ] || { skip "$(cat "$dir/why")"; return; }
	run=$(emulator "$cc" "$6")
	if [ ! -s "$dir/probe" ]; then
		skip "$cc links no static program: $(tail -n 1 "$dir/probe.log")"
		return
	fi
	# Its linker strips; no tool of this machine must know the machine of the program.
	if [ "$tool" = zig ]; then
		# shellcheck disable=SC2016 # for that file
		printf '#!/bin/sh\n# strip -s -o OUT IN of what the linker stripped\ncp "$4" "$3"\n' >"$dir/strip"
		chmod +x "$dir/strip"
		static=(LDFLAGS=-s STRIP="$PWD/$dir/strip")
	fi
	build static.log static "${static[@]}" || return
	build nohost.log static "${static[@]}" B="$dir/nohost" WITH_HOST=no || return
	size=$(wc -c <"$dir/smcroute-static") least=$(wc -c <"$dir/nohost/smcroute-static")
	if [ "$T" = - ]; then
		result="built only"
	elif [ -z "$run" ]; then
		skip "nothing here runs it: built only"
	else
		mapfile -t wanted < <(programs)
		# A static program of this machine looks up users by its modules (nsswitch.conf(5)), and some crash it.
		[ "$tool-${4%,*}" = "gcc-$(gcc -dumpmachine)" ] || linked=-static
		{ [ ${#wanted[@]} = 0 ] || build tests.log CFLAGS=-O1 LDFLAGS="$linked" "${wanted[@]}"; } && check
	fi
	echo "| $arch | $order | $tool | $size | $least | $result |" >"$dir/row"
	echo "$name: $size bytes, $least with WITH_HOST=no; passed, failed, skipped: $result; $((SECONDS - before)) s"
}

# The rows of all builds there are, in the order of the table above.
table() {
	echo '| architecture | order of bytes, word | by | bytes, static | WITH_HOST=no | passed, failed, skipped |'
	echo '|---|---|---|---|---|---|'
	while read -r arch _; do
		cat "$B/$arch-gcc/row" "$B/$arch-zig/row" 2>/dev/null
	done <<<"$archs"
	true
}

for word in ${ARCH:-}; do
	grep -q "^$word " <<<"$archs" && continue
	echo "no $word among:$(awk '{ printf " %s", $1 }' <<<"$archs")" >&2
	exit 64
done
while read -r arch rest; do
	case " ${ARCH:-$arch} " in *" $arch "*) ;; *) continue ;; esac
	[ -n "$arch" ] || continue
	for tool in $WITH; do
		# shellcheck disable=SC2086 # four words
		one "$tool" "$arch" $rest </dev/null
	done
done <<<"$archs"
echo
table
if [ "${UPDATE:-}" = 1 ]; then
	{ sed '/^| architecture/,$d' tests/cross/README.md; table; } >"$B/README.md" &&
		cp "$B/README.md" tests/cross/README.md
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
