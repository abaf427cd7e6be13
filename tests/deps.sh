#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Installs what `make demo` and `make check` need and this machine lacks, with
# apt-get, apk or dnf.  Does nothing, and needs no root, when all is there.
# Ends with 1 only when something they need is missing and cannot be had.
PATH=$PATH:/usr/sbin:/sbin

if command -v apt-get >/dev/null; then
	manager=apt iproute=iproute2 procps=procps headers='libc6-dev linux-libc-dev'
elif command -v apk >/dev/null; then
	manager=apk iproute=iproute2 procps=procps headers='musl-dev linux-headers'
elif command -v dnf >/dev/null; then
	manager=dnf iproute=iproute procps=procps-ng headers='glibc-devel kernel-headers'
else
	manager=none iproute=iproute2 procps=procps headers='C library and Linux headers'
fi

need='' wish=''
# lacks PROGRAM: true when it is not there
lacks() { ! command -v "$1" >/dev/null; }
lacks "${CC:-cc}" && need="$need ${CC:-gcc}"
lacks make && need="$need make"
lacks ip && need="$need $iproute"
lacks python3 && need="$need python3"
lacks unshare && need="$need util-linux"
[ -e /usr/include/linux/mroute6.h ] && [ -e /usr/include/stdio.h ] || need="$need $headers"
for p in valgrind shellcheck mandoc iptables; do
	lacks $p && wish="$wish $p"
done
lacks nft && wish="$wish nftables"
lacks sysctl && wish="$wish $procps"
[ -n "$need$wish" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
	as_root=sudo
	if lacks sudo; then
		[ -z "$need" ] || echo "deps: not root and no sudo; please install:$need" >&2
		[ -z "$wish" ] || echo "deps: not root and no sudo; some tests are skipped without:$wish" >&2
		[ -z "$need" ]
		exit
	fi
fi

install() {
	case $manager in
	apt) $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" ;;
	apk) $as_root apk add -q "$@" ;;
	dnf) $as_root dnf install -y -q "$@" ;;
	none) echo "deps: no apt-get, apk or dnf here; please install: $*" >&2; return 1 ;;
	esac
}

echo "deps: installing:$need$wish"
[ $manager != apt ] || $as_root apt-get update -q
# shellcheck disable=SC2086
[ -z "$need" ] || install $need || exit 1
# Without these some tests are skipped, and say so.
for p in $wish; do
	install "$p" || echo "deps: no $p, going on without it"
done
exit 0
