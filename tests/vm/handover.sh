#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
# shellcheck disable=SC2154
#
# Another process goes on in the place of the daemon under a stream, and no packet is lost.

# another_than NUMBER: the PID file has another one by now, and that daemon answers.
another_than() { [ "$(cat /run/smcroute.pid)" != "$1" ] && smcroutectl ping; }

# handover_begin ARGS...: a daemon with its stream; the number of its process is in $old.
handover_begin() {
	printf '%s\n' 'mroute from a1 group 225.1.2.4 to a2' 'mroute from a1 group ff2e::44 to a2' \
		'mgroup from a1 group 225.1.2.4' >$conf
	smcrouted -l info "$@" >/tmp/log 2>&1 || says "exit $?"
	old=$(cat /run/smcroute.pid)
	stream h1 225.1.2.4 h2
	until_ok 60 sh -c 'smcroutectl -t show routes | grep -q 10.1.0.2' || says "the stream was not learned"
}

# handover_end WHAT
handover_end() {
	until_ok 60 another_than "$old" || says "$1: the same process: $old"
	lossless "$1"
	flow h1 ff2e::44 h2
	smcroutectl kill >/tmp/out 2>&1 || says "kill: $(cat /tmp/out)"
	[ "$(ip mroute show)" = '' ] || says "left: $(ip mroute show)"
	result "$1: 0 packets lost"
}

case_upgrade() {
	handover_begin
	smcroutectl upgrade >/tmp/out 2>&1 || says "upgrade: exit $?: $(cat /tmp/out)"
	handover_end "upgrade"
}

case_takeover() {
	handover_begin
	echo 'mroute from a1 group 225.1.2.9 to a3' >>$conf
	smcrouted -T >/tmp/out 2>&1 || says "takeover: exit $?: $(cat /tmp/out)"
	flow h1 225.1.2.9 h3
	handover_end "takeover"
}

case_keeper() {
	handover_begin -k
	kill -9 "$old"
	handover_end "keeper, its daemon killed"
}
