#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
# shellcheck disable=SC2154
#
# What every kernel must do: start, routes, reload, groups, discovery, JSON.

case_start() {
	printf '%s\n' 'mroute from a1 source 10.1.0.2 group 225.1.2.3 to a2 a3' \
		'mroute from a1 source fd00:1::2 group ff2e::42 to a2 a3' >$conf
	smcrouted -l info >/tmp/out 2>&1 || says "exit $?: $(cat /tmp/out)"
	[ -s /run/smcroute.pid ] || says "no PID file: $(ls -l /run)"
	smcroutectl ping >/tmp/out 2>&1 || says "ping: $(cat /tmp/out)"
	dmesg | grep -q 'smcroute\[.*started: 2 rules' ||
		says "nothing in the kernel's log: $(dmesg | grep smcroute | tail -n 3)"
	smcrouted >/tmp/out 2>&1
	[ $? = 69 ] || says "a second one was not refused with 69: $(cat /tmp/out)"
	result "start in the background, without syslog and users"
	smcroutectl kill >/tmp/out 2>&1 || says "kill: $(cat /tmp/out)"
	[ ! -e /run/smcroute.pid ] && [ ! -e /run/smcroute.sock ] || says "files are left: $(ls /run)"
	result "end"
}

case_routes() {
	cat >$conf <<-'ROUTES'
	mroute from a1 source 10.1.0.2 group 225.1.2.3 to a2 a3
	mroute from a1 group 225.1.2.4 to a2 a3
	mroute from a1 group 226.0.0.0/8 to a2
	mroute from a1 source fd00:1::2 group ff2e::42 to a2 a3
	mroute from a1 group ff2e::43 to a2 a3
	mroute from a1 group ff3e::/16 to a2
	ROUTES
	daemon || { result "routes"; return; }
	flow h1 225.1.2.3 h2 h3
	result "IPv4 (S,G)"
	flow h1 225.1.2.4 h2 h3
	flow h1 226.1.2.4 h2
	result "IPv4 (*,G) and a range"
	nothing h1 225.9.9.9 h2
	result "IPv4 without a rule"
	if has_ipv6; then
		flow h1 ff2e::42 h2 h3
		result "IPv6 (S,G)"
		flow h1 ff2e::43 h2 h3
		flow h1 ff3e::99 h2
		result "IPv6 (*,G) and a range"
	else
		skip "IPv6 (S,G), (*,G) and a range" "no IPv6"
	fi
	smcroutectl show -j 2>&1 | json routes
	smcroutectl -d show >/tmp/out 2>&1 || says "show -d: $(cat /tmp/out)"
	grep -q '225.1.2.3' /tmp/out || says "show -d: $(cat /tmp/out)"
	ip mroute show | grep -q 225.1.2.3 || says "ip mroute: $(ip mroute show)"
	result "show"
	stop
	[ "$(ip mroute show; ip -6 mroute show 2>/dev/null)" = '' ] || says "left: $(ip mroute show)"
	result "routes are given back"
}

# One entry of the kernel for all sources (MRT_ADD_MFC_PROXY).
case_kernel() {
	printf '%s\n' 'mroute from a1 group 225.1.2.5 kernel to a2 a3' \
		'mroute from a1 group ff2e::45 kernel to a2 a3' >$conf
	daemon || { result "kernel"; return; }
	flow h1 225.1.2.5 h2 h3
	flow h1 ff2e::45 h2 h3
	[ "$(ip mroute show | grep -c '225\.1\.2\.5')" = 1 ] || says "not one entry: $(ip mroute show)"
	ip mroute show | grep '225\.1\.2\.5' | grep -q '10\.1\.0\.2' && says "a source was learned: $(ip mroute show)"
	smcroutectl show -j routes 2>&1 | json kernel
	stop
	result "rule with kernel: one entry for all sources"
}

case_reload() {
	echo 'mroute from a1 group 225.1.2.4 to a2' >$conf
	daemon || { result "reload"; return; }
	stream h1 225.1.2.4 h2
	for i in 1 2 3 4 5; do
		printf '%s\n' 'mroute from a1 group 225.1.2.4 to a2 a3' \
			"mroute from a1 source 10.1.0.9 group 225.1.3.$i to a2" >$conf
		smcroutectl reload >/tmp/out 2>&1 || says "reload: $(cat /tmp/out)"
	done
	echo 'mroute frm a1' >>$conf
	smcroutectl reload >/tmp/out 2>&1
	[ $? = 78 ] || says "a reload with an error did not end with 78: $(cat /tmp/out)"
	lossless "reload"
	smcroutectl show -j routes 2>&1 | json reload
	flow h1 225.1.2.4 h2 h3
	echo 'mroute from a1 group 225.1.2.6 to a3' >$conf
	kill -HUP "$pid"
	until_ok 60 sh -c 'smcroutectl -t show config | grep -q 225.1.2.6' || says "no reload on SIGHUP"
	flow h1 225.1.2.6 h3
	stop
	result "reload under a stream, by command and signal"
}

# joined A.B.C.D: by whomever; the file has it in the order of the machine.
joined() {
	# shellcheck disable=SC2046,SC2183
	h=$(printf '%02X%02X%02X%02X' $(echo "$1" | tr . ' '))
	grep -q -e "$h " -e "$(echo "$h" | sed 's/\(..\)\(..\)\(..\)\(..\)/\4\3\2\1/') " /proc/net/igmp
}

case_groups() {
	printf '%s\n' 'mgroup from a1 group 225.1.2.9' 'mgroup from a1 group ff2e::9' \
		'mgroup from a1 group 225.4.0.0/26' 'mgroup from late0 group 225.1.2.10' \
		'mgroup from a1 source 10.1.0.2 group 232.1.1.1' 'mgroup from a1 source fd00:1::2 group ff3e::9' >$conf
	daemon || { result "groups"; return; }
	joined 225.1.2.9 || says "225.1.2.9 is not joined: $(cat /proc/net/igmp)"
	grep -q '0xe8010101 0x0a010002' /proc/net/mcfilter ||
		says "(10.1.0.2, 232.1.1.1) is not joined: $(cat /proc/net/mcfilter)"
	if has_ipv6; then
		grep -q 'ff2e0000000000000000000000000009' /proc/net/igmp6 || says "ff2e::9 is not joined"
		grep -q 'ff3e0000000000000000000000000009' /proc/net/mcfilter6 ||
			says "(fd00:1::2, ff3e::9) is not joined"
	fi
	many=$(grep -cE '0004E1 |E10400' /proc/net/igmp)
	[ "$many" = 64 ] || says "$many of 64 joined"
	smcroutectl show -j groups 2>&1 | json groups
	ip link add late0 type dummy && ip addr add 10.77.0.1/24 dev late0 && ip link set late0 up multicast on
	until_ok 60 joined 225.1.2.10 ||
		says "not joined on the late interface: $(smcroutectl -t show groups | tail -n 4)"
	stop
	joined 225.1.2.9 && says "225.1.2.9 is not left"
	quiet ip link del late0
	result "groups"
}

# mrd_begin FAMILY, then mrd_end FAMILY: an advertisement reaches h1.
mrd_begin() {
	nsenter --net=/run/netns/h1 packets mrd eth0 "$1" 120 >"/tmp/mrd$1" 2>&1 &
	eval "mrd$1=$!"
	until_ok 60 grep -q ready "/tmp/mrd$1" || says "no receiver: $(cat "/tmp/mrd$1")"
}

mrd_end() { eval "wait \$mrd$1" || says "IPv$1: $(cat "/tmp/mrd$1")"; }

case_mrdisc() {
	echo 'phyint a1 enable mrdisc' >$conf
	mrd_begin 4
	! has_ipv6 || mrd_begin 6
	daemon -m 4 || { result "mrdisc"; return; }
	mrd_end 4
	! has_ipv6 || mrd_end 6
	smcroutectl show -j interfaces 2>&1 | json interfaces
	stop
	result "router discovery"
}

case_json() {
	echo 'mroute from a1 group 225.1.2.4 to a2' >$conf
	daemon || { result "json"; return; }
	flow h1 225.1.2.4 h2
	for w in routes groups interfaces pending; do
		smcroutectl show -j $w 2>&1 | json $w
	done
	smcroutectl show metrics 2>&1 | tail -n 1 | grep -q '# EOF' || says "metrics do not end in # EOF"
	printf 'add a1 225.7.7.%s a2\n' 1 2 3 4 5 6 7 8 9 | smcroutectl -b >/tmp/out 2>&1 || says "-b: $(cat /tmp/out)"
	[ "$(smcroutectl -t show routes | grep -c '225\.7\.7\.')" = 9 ] || says "show: $(smcroutectl -t show routes)"
	stop
	result "JSON, metrics, a batch"
}
