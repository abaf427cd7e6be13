#!/bin/sh
# SPDX-License-Identifier: ISC
#
#	sh tests/init/roots.sh DIR [SUITE]
#
# Makes the roots for `make check-init ROOT="DIR DIR-openrc"`: SUITE is bookworm or a later Debian.  OpenRC has one of
# its own, as it takes the place of SysV's runlevels.  Needs root and debootstrap.
set -e
dir=$1 suite=${2:-bookworm}
common=systemd,runit,s6,busybox-static,iproute2,procps,initramfs-tools-core,dracut-core
[ "$suite" != bookworm ] || common=$common,finit
debootstrap --variant=minbase --include="sysvinit-core,sysv-rc,$common" "$suite" "$dir"
debootstrap --variant=minbase "$suite" "$dir-openrc"
# apt-get knows that openrc may stand for sysv-rc, debootstrap takes what is named first and fails.
cp /etc/resolv.conf "$dir-openrc/etc/"
chroot "$dir-openrc" sh -c 'apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
	--no-install-recommends sysvinit-core openrc iproute2 procps'
