#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
# shellcheck disable=SC2154
#
# That packets are forwarded within a second of an interface's being there.  A second is 50 packets of a stream whose
# sender sleeps 20 ms after each: where the machine is slow, so is he, and when more than 50 were missed, a second of
# the guest's clock is over for sure.

# paced HOST DEV GROUP, then paced_end: that stream.
paced() {
	nsenter --net="/run/netns/$1" packets send "$2" "$3" 0 20 >/tmp/paced 2>&1 &
	pacer=$!
}

paced_end() {
	kill $pacer
	wait $pacer
	[ -s /tmp/paced ] || says "the sender ended early"
}

# first_missed IFACE IN HOST GROUP COMMAND...: that COMMAND makes IFACE, while a stream comes in at IN.  $missed: how
# many packets came in from the kernel's word that it is up and running until the first one that reached HOST, $took:
# how many ms that was.
first_missed() {
	iface=$1 far_host=$3 missed='' took=''
	hears first "$3" "$4" 1 120
	: >/tmp/up
	packets link "$1" "$2" 120 >/tmp/up 2>&1 &
	watcher=$!
	until_ok 60 grep -q ready /tmp/up || says "no watcher of links: $(cat /tmp/up)"
	shift 4
	"$@" || says "$iface: $*"
	wait $watcher || says "$iface did not come up: $(cat /tmp/up)"
	heard first
	[ "$got" = 1 ] || { says "$iface: nothing reached $far_host"; return 1; }
	read -r up next <<-UP
		$(tail -n 1 /tmp/up)
	UP
	missed=$((${first#* } - next)) took=$((${first% *} - up))
}

# first_after IFACE IN HOST GROUP COMMAND...: within a second.
first_after() {
	first_missed "$@" || return
	echo "# measured: $iface up: first packet after $took ms, $missed missed"
	[ $missed -le 50 ] || says "$iface: $missed packets were missed in $took ms"
}

came_in() { cat "/sys/class/net/$1/statistics/rx_packets"; }
enough_came() { [ "$(came_in "$1")" -ge "$2" ]; }

# resume IN: has the daemon go on when 80 packets have come in since the interface is there.
resume() {
	until_ok 60 grep -q '^[0-9]' /tmp/up
	until_ok 60 enough_came "$1" $(($(came_in "$1") + 80))
	kill -CONT "$pid"
}

# late_is_seen IFACE IN ...: as first_after, with a daemon that stands still for so long that this has to show.
late_is_seen() {
	ip link del "$1"
	: >/tmp/up
	kill -STOP "$pid"
	resume "$2" &
	first_missed "$@" || return
	[ $missed -gt 50 ] || says "the daemon stood still, and $missed packets were missed in $took ms"
}
