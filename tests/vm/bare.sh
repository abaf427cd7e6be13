#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
# shellcheck disable=SC2154
#
# What a small system may lack, and what the diagnosis says there.

# judged WORD GROUP TTL: the doctor says so of a stream to that group.
judged() {
	nsenter --net=/run/netns/h1 packets send eth0 "$2" 0 20 "$3" >/tmp/sent 2>&1 &
	sender=$!
	smcroute-check doctor "$2" 3 >/tmp/out 2>&1
	kill $sender
	wait $sender
	sed 's/^/# doctor: /' /tmp/out
	grep -q "$1" /tmp/out || says "doctor does not say $1"
}

case_host() {
	printf '%s\n' 'mroute from a1 source 10.1.0.2 group 225.1.2.3 to a2' \
		'mroute from a1 group ff2e::42 to nosuch0' >$conf
	daemon || { result "host"; return; }
	smcroute-check -H >/tmp/out 2>&1
	rc=$?
	sed 's/^/# -H: /' /tmp/out
	[ $rc -le 1 ] || says "smcroute-check -H: exit $rc"
	grep -q nosuch0 /tmp/out || says "-H does not tell that nosuch0 is missing"
	smcroute-check -j -H 2>/dev/null | json host
	judged forwarded 225.1.2.3 8
	judged 'TTL too small' 225.1.2.3 1
	judged 'no rule' 225.3.3.3 8
	stop
	result "smcroute-check -H and doctor"
}

# in_empty ARGS...: the program in a root where nothing else is.
in_empty() { chroot /mnt/root /bin/smcroute "$@"; }

# empty_routes NAME: there it starts, and packets flow.
empty_routes() {
	chroot /mnt/root /bin/smcroute smcrouted -n >/tmp/log 2>&1 &
	pid=$!
	until_ok 60 grep -q ' a2 ' /proc/net/ip_mr_vif || says "it does not run: $(cat /tmp/log)"
	flow h1 225.1.2.4 h2
	kill $pid
	wait $pid || says "ended with $?"
	result "$1"
}

case_bare() {
	echo 'mroute from a1 group 225.1.2.4 to a2' >$conf
	smcrouted -n -p nobody >/tmp/out 2>&1
	[ $? = 64 ] && grep -q nobody /tmp/out || says "-p nobody without users: $(cat /tmp/out)"
	daemon -p 65534:65534 && flow h1 225.1.2.4 h2
	grep -q '^Uid:.65534' "/proc/$pid/status" || says "not user 65534: $(grep Uid "/proc/$pid/status")"
	stop
	result "-p in numbers, without /etc/passwd"
	mkdir -p /mnt/root/bin /mnt/root/etc
	cp /sbin/smcrouted /mnt/root/bin/smcroute
	cp $conf /mnt/root/etc/smcroute.conf
	empty_routes "a root of the program and its file: no /dev, /proc, /run, /var"
	mkdir -p /mnt/root/run
	mount -t tmpfs -o ro ro /mnt/root/run
	empty_routes "a read-only /run"
	umount /mnt/root/run
	in_empty smcrouted -l info >/tmp/log 2>&1 || says "exit $?: $(cat /tmp/log)"
	until_ok 60 in_empty smcroutectl ping || says "no answer: $(cat /tmp/log)"
	flow h1 225.1.2.4 h2
	in_empty smcroutectl kill || says "kill: $?"
	result "in the background without /dev/null and /proc"
	mount -t tmpfs none /proc/sys
	daemon && flow h1 225.1.2.4 h2
	smcroute-check -H >/tmp/out 2>&1
	[ $? -le 1 ] || says "-H: $(cat /tmp/out)"
	stop
	umount /proc/sys
	result "without /proc/sys"
}

# What the command line of the kernel turned off is no fault of its configuration.
case_off() {
	printf '%s\n' 'mroute from a1 group 225.1.2.4 to a2' 'mroute from a1 group ff2e::42 to a2' >$conf
	daemon || { result "IPv6 off"; return; }
	flow h1 225.1.2.4 h2
	grep -q 'IPv6' /tmp/log || says "the log does not say that IPv6 is off"
	grep -q CONFIG_ /tmp/log && says "the log names an option of the kernel, which is there"
	sed 's/^/# log: /' /tmp/log
	smcroute-check -H >/tmp/out 2>&1
	grep -q 'IPv6 is off in this kernel' /tmp/out || says "-H does not say that IPv6 is off"
	grep -q 'sysctl.*ipv6' /tmp/out && says "-H has a command that cannot work: $(grep sysctl /tmp/out)"
	stop
	result "IPv6 off by the command line"
}
