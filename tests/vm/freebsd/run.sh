#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Tests on a FreeBSD kernel, in a virtual machine without a network, whose process 1 is our test program:
#
#	make check-vm-freebsd KERNEL=boot/kernel/kernel ROOT=base SMCROUTE=build/freebsd-x86_64/smcroute
#
# Without SMCROUTE, the program built for FreeBSD, only the kernel is asked.
#
# KERNEL boots by PVH (options XENHVM) and has MROUTING, EXT2FS, TMPFS, tuntap and virtio_blk built in; ROOT is a folder
# with libexec/ld-elf.so.1 and lib/libc.so.7 of FreeBSD for amd64, as base.txz has them.  FREEBSD_CC compiles for it:
# zig is enough.  A PVH kernel of 15.0 asks the clock of Xen for early delays, which is not there without KVM: such a
# kernel ends before its first line, unless it was built with i8254_delay there.  UPDATE=1 writes README.md.
# The exit status is 77 where a tool is missing.
set -u
cd "$(dirname "$0")/../../.." || exit 1
here=tests/vm/freebsd
: "${FREEBSD_CC:=python3 -m ziglang cc -target x86_64-freebsd}" "${QEMU:=qemu-system-x86_64}" "${DEADLINE:=600}"
PATH=$PATH:/usr/sbin:/sbin

if [ ! -f "${KERNEL:-}" ] || [ ! -f "${ROOT:-}/libexec/ld-elf.so.1" ]; then
	echo 'make check-vm-freebsd: KERNEL is an image, ROOT a folder with libexec/ld-elf.so.1 and lib/libc.so.7' >&2
	exit 64
fi
for tool in "$QEMU" mke2fs timeout; do
	command -v "$tool" >/dev/null || { echo "make check-vm-freebsd: no $tool here" >&2; exit 77; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM

mkdir -p "$dir/root/dev" "$dir/root/tmp" "$dir/root/var/run" "$dir/root/lib" "$dir/root/libexec"
cp -L "$ROOT/libexec/ld-elf.so.1" "$dir/root/libexec/"
for lib in c.so.7 sys.so.7; do
	[ ! -f "$ROOT/lib/lib$lib" ] || cp -L "$ROOT/lib/lib$lib" "$dir/root/lib/"
done
# shellcheck disable=SC2086
$FREEBSD_CC -std=c11 -O1 -Wall -Wextra -Werror -o "$dir/root/init" "$here"/*.c || exit 1
if [ -n "${SMCROUTE:-}" ]; then
	mkdir "$dir/root/bin"
	cp "$SMCROUTE" "$dir/root/bin/smcroute" || exit 1
	for name in smcrouted smcroutectl smcroute-check; do ln -s smcroute "$dir/root/bin/$name"; done
fi
mke2fs -q -F -t ext2 -d "$dir/root" "$dir/disk" 64M >/dev/null || exit 1

# Of a wire that is not read at once the kernel drops none of the few thousand packets of gap.c.
env=vfs.root.mountfrom=ext2fs:/dev/vtbd0,init_path=/init,net.link.ifqmaxlen=8192
start=$(date +%s)
timeout "$DEADLINE" "$QEMU" -cpu max -m 512M -nographic -no-reboot -nic none -kernel "$KERNEL" \
	-append "$env,console=comconsole,boot_serial=YES" \
	-drive "file=$dir/disk,format=raw,if=virtio" </dev/null 2>&1 | tr -d '\r' >"$dir/log"
grep -aE '^(ok|not ok|# measured|1\.\.|panic:|vm:)' "$dir/log" >"$dir/tap"
cat "$dir/tap"
echo "# $(($(date +%s) - start)) s from start to end"
[ -z "${KEEP:-}" ] || cp "$dir/log" "$KEEP"
if ! grep -q '^vm:' "$dir/tap"; then
	tail -n 40 "$dir/log"
	echo 'not ok 0 - the machine ended before its tests'
fi
if [ -n "${UPDATE:-}" ] && grep -q '^vm: passed' "$dir/tap"; then
	sh "$here/page.sh" <"$dir/tap" >"$here/README.md"
fi
grep -q '^vm: passed' "$dir/tap"
