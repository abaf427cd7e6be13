#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
# shellcheck disable=SC2154
#
# What a child of a daemon that is process 1 sees.
. /vm/lib.sh
: >$why
: >/tmp/orphans
no_zombies() { [ "$(wc -l </tmp/orphans)" = 5 ] && ! grep -q '^State:.Z' /proc/[0-9]*/status; }

link 1 2
until_ok 60 smcroutectl ping || says "no daemon"
[ "$(cat /proc/1/comm)" = smcrouted ] || says "process 1 is $(cat /proc/1/comm)"
flow h1 225.1.2.4 h2
flow h1 ff2e::42 h2
result "process 1 routes, without -n"
for i in 1 2 3 4 5; do sh -c "sh -c 'usleep 300000; echo $i >>/tmp/orphans' &"; done
until_ok 60 no_zombies || says "zombies are left: $(grep '^State:.Z' /proc/[0-9]*/status)"
result "process 1 buries orphans"
echo 'mroute from a1 group 225.1.2.5 to a2' >>$conf
kill -HUP 1
until_ok 60 sh -c 'smcroutectl -t show config | grep -q 225.1.2.5' || says "no reload"
flow h1 225.1.2.5 h2
result "process 1 reloads on SIGHUP"
stream h1 225.1.2.4 h2
smcroutectl upgrade >/tmp/out 2>&1 || says "upgrade: exit $?: $(cat /tmp/out)"
until_ok 60 smcroutectl ping || says "no answer after the upgrade"
lossless "process 1, upgrade"
[ "$(cat /proc/1/comm)" = smcrouted ] || says "process 1 is $(cat /proc/1/comm)"
result "process 1 is upgraded: 0 packets lost"
over
