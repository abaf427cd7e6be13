#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash disable=SC2154
#
# An initramfs that routes, as smcrouted(8) has it; the real root is another memory file system, and a daemon there
# takes over.  A stream flows all the time.
. /vm/lib.sh
prepare
: >$why
link 1 2 3
echo 'mroute from a1 group 225.1.2.4 to a2' >$conf
smcrouted -k -f /etc/smcroute.conf -P /run/smcroute.pid -u /run/smcroute.sock >/tmp/out 2>&1 ||
	says "exit $?: $(cat /tmp/out)"
flow h1 225.1.2.4 h2
result "the daemon of the initramfs routes"
stream h1 225.1.2.4 h2
mkdir /new
mount -t tmpfs new /new
cp -a /bin /sbin /lib /etc /vm /new/
for d in lib64 usr; do [ ! -e /$d ] || cp -a /$d /new/; done
echo "sender=$sender hears_stream=$hears_stream stream_to=h2 n=$n" >/run/stream
for m in run proc sys dev tmp; do mkdir /new/$m && mount --move /$m /new/$m; done
exec switch_root /new /vm/root_second.sh
