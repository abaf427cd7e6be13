#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The set-ups of the doctor, their commands run with the nft, ip, iptables and sysctl of other systems:
# make cures.  ROOTS names those systems, each a directory that debootstrap made; without it they are made
# here: Debian 11 to 13, 1 GB.  Needs root.
set -u
cd "$(dirname "$0")/.." || exit 1
: "${B:=build}" "${SUITES:=bullseye bookworm trixie}" "${MIRROR:=http://deb.debian.org/debian}"
PACKAGES=iproute2,nftables,procps,iptables

[ "$(id -u)" = 0 ] || { echo "make cures: needs root, to make a root and to change into it" >&2; exit 77; }
if [ -z "${ROOTS:-}" ]; then
	command -v debootstrap >/dev/null || { echo "make cures: neither debootstrap nor ROOTS" >&2; exit 69; }
	for suite in $SUITES; do
		root=$PWD/$B/cures/$suite
		if [ ! -x "$root/usr/sbin/nft" ]; then
			mkdir -p "$root"
			debootstrap --variant=minbase --include=$PACKAGES "$suite" "$root" "$MIRROR" >"$root.log" ||
				{ tail -n 5 "$root.log" >&2; exit 69; }
		fi
		ROOTS="${ROOTS:-} $root"
	done
fi
bad=0
for root in $ROOTS; do
	echo "== $root: $(chroot "$root" nft --version), $(chroot "$root" ip -V)"
	DOCTOR=all CURES=$root DEADLINE=${DEADLINE:-3600} sh tests/run.sh test_doctor test_host || bad=1
done
exit $bad
