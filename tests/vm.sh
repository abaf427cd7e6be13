#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Tests on another kernel, in a virtual machine whose only disk is memory:
#
#	make vm KERNEL=boot/vmlinuz-6.1 MODULES=lib/modules/6.1 T="test_doctor_tc"
#	make vm KERNEL=bookworm T=...			that of Debian's suite, which is unpacked first
#
# The tools are those of this host, the modules are loaded as they are asked for.  RUN is another command than
# tests/run.sh with the words of T; DEADLINE is in seconds, as everything is slow where qemu has no KVM.
# Needs qemu-system-x86_64 (or QEMU), cpio, python3, ip, and kmod or busybox.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${B:=build}" "${DEADLINE:=3600}"
T=${T:-test_doctor}
: "${RUN:=sh tests/run.sh $T}" "${MEMORY:=2G}"
: "${QEMU:=qemu-system-$(uname -m)}"
PATH=$PATH:/usr/sbin:/sbin

if [ -n "${KERNEL:-}" ] && [ -z "${MODULES:-}" ]; then
	arch=$(dpkg --print-architecture)
	pair=$(python3 tests/vm/debian.py "$B/vm/debian" "$KERNEL" "$arch" "$arch") || exit 77
	KERNEL=${pair% *} MODULES=${pair#* }
fi
if [ -z "${KERNEL:-}" ] || [ ! -d "${MODULES:-}" ]; then
	echo 'make vm: KERNEL is an image, MODULES the folder with its modules (lib/modules/6.1...)' >&2
	exit 64
fi
for tool in "$QEMU" cpio python3 ip; do
	command -v "$tool" >/dev/null || { echo "make vm: no $tool here" >&2; exit 77; }
done
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 130' INT TERM
release=$(basename "$MODULES")

# put FILE AS: with the libraries that it is linked with.
put() {
	mkdir -p "$root$(dirname "$2")"
	cp -L "$1" "$root$2"
	ldd "$1" 2>/dev/null | grep -oE '/[^ ]+' | while read -r lib; do
		[ -e "$root$lib" ] || { mkdir -p "$root$(dirname "$lib")" && cp -L "$lib" "$root$lib"; }
	done
}

mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/run" "$root/etc" "$root/work/$B" "$root/lib/modules"
python=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))')
put "$python" /usr/bin/python3
for tool in sh mount mkdir mktemp rm cat cut cp date dirname basename env getconf grep head id awk sed seq setpriv \
	sleep sort tail timeout tr true unshare wc xargs ip bridge tc nft iptables wg sysctl modprobe busybox \
	iptables-nft-restore ip6tables-nft-restore iptables-legacy-restore ip6tables-legacy-restore; do
	at=$(command -v "$tool") && { [ -x "$at" ] || at=/bin/$tool; } && put "$at" "/usr/bin/$tool"
done
# What the tools and Python load by name.
xtables=$(find /usr/lib -maxdepth 2 -name xtables -type d)
library=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
for dir in $xtables "$library"; do
	mkdir -p "$root$dir"
	(cd "$dir" && tar cf - --exclude=test --exclude='__pycache__' --exclude='*-packages' --exclude=idlelib \
		--exclude='config-*' --exclude=ensurepip --exclude=tkinter .) | tar xf - -C "$root$dir"
done
find "$library/lib-dynload" -name '*.so' | while read -r so; do put "$so" "$so"; done
for dir in net lib crypto arch drivers/net; do
	[ -d "$MODULES/kernel/$dir" ] || continue
	mkdir -p "$root/lib/modules/$release/kernel/$dir"
	(cd "$MODULES/kernel/$dir" && tar cf - --exclude=ethernet --exclude=wireless --exclude=kvm .) |
		tar xf - -C "$root/lib/modules/$release/kernel/$dir"
done
cp "$MODULES"/modules.* "$root/lib/modules/$release/"
for pair in lib64:usr/lib64 bin:usr/bin sbin:usr/bin usr/sbin:bin; do
	[ -e "$root/${pair%:*}" ] || ln -s "${pair#*:}" "$root/${pair%:*}"
done
if command -v depmod >/dev/null; then depmod -b "$root" "$release"; else busybox depmod -b "$root" "$release"; fi ||
	{ echo "make vm: neither kmod nor busybox here" >&2; exit 77; }
[ -e "$root/usr/bin/modprobe" ] || ln -s busybox "$root/usr/bin/modprobe"
cp -r tests examples "$root/work/"
cp -L "$B/smcroute" "$root/work/$B/"
cat >"$root/init" <<-EOI
	#!/bin/sh
	export PATH=/usr/bin HOME=/tmp PYTHONHOME=${library%/lib/*} DEADLINE=$DEADLINE DOCTOR=${DOCTOR:-} B=$B JOBS=1
	mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
	mount -t tmpfs run /run; mount -t tmpfs tmp /tmp
	echo /usr/bin/modprobe >/proc/sys/kernel/modprobe
	modprobe tun 2>/dev/null
	cd /work; uname -r
	$RUN
	echo "make vm: exit \$?"
	echo o >/proc/sysrq-trigger
	sleep 60
EOI
chmod +x "$root/init"
[ -e "$root/usr/bin/uname" ] || put "$(command -v uname)" /usr/bin/uname
(cd "$root" && find . | cpio -o -H newc 2>/dev/null) >"$root.cpio"
rm -rf "$root"
trap 'rm -f "$root.cpio"' EXIT
# shellcheck disable=SC2086
"$QEMU" ${VM_OPTIONS:--cpu max} -m "$MEMORY" -nographic -no-reboot -kernel "$KERNEL" -initrd "$root.cpio" \
	-append "console=ttyS0 quiet panic=-1" </dev/null 2>&1 | sed -u 's|\r||g' | tee "$root.log"
grep -q '^make vm: exit 0' "$root.log"
bad=$?
rm -f "$root.log"
exit $bad
