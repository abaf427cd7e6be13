#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
# shellcheck disable=SC2154
#
# Process 1 of the real root: the daemon of the initramfs is still there, and the one of this root takes over from it.
. /vm/lib.sh
export PATH=/sbin:/bin:/usr/bin LC_ALL=C
. /run/stream
smcroutectl ping || says "ping after switch_root: $?"
[ "$(df / | tail -n 1 | cut -d' ' -f1)" = new ] || says "this is not the real root: $(df /)"
result "the daemon of the initramfs goes on after switch_root"
before=$(cat /run/smcroute.pid)
echo 'mroute from a1 group 225.1.2.5 to a3' >>/etc/smcroute.conf
smcrouted -T -f /etc/smcroute.conf -P /run/smcroute.pid -u /run/smcroute.sock >/tmp/out 2>&1 ||
	says "takeover: exit $?: $(cat /tmp/out)"
[ "$(cat /run/smcroute.pid)" != "$before" ] || says "it is still process $before"
flow h1 225.1.2.5 h3
lossless "from the initramfs to the real root"
result "a daemon of the real root takes over: 0 packets lost"
quiet smcroutectl add a1 225.1.2.6 a3 || says "add: $?"
flow h1 225.1.2.6 h3
smcroutectl kill || says "kill: $?"
[ "$(ls /run)" = "netns
stream" ] || says "left in /run: $(ls /run)"
until_ok 60 sh -c '! pidof smcrouted' || says "still there: $(pidof smcrouted)"
result "and ends: no file, no keeper is left"
over
