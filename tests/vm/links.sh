#!/bin/busybox sh
# SPDX-License-Identifier: ISC
# shellcheck shell=dash
# shellcheck disable=SC2154
#
# Kinds of interfaces, each made after the daemon, and limits.

# made NAME COMMAND...: or the case of that name is skipped, and the daemon ended.
made() {
	what=$1
	shift
	"$@" 2>/tmp/out && return
	stop
	skip "$what" "$(tr '\n' ' ' </tmp/out)"
	return 1
}

case_dummy() {
	echo 'mroute from a1 group 225.1.2.4 to late0 a2' >$conf
	daemon || { result "dummy"; return; }
	smcroutectl -t show pending >/tmp/out 2>&1
	grep -q late0 /tmp/out || says "pending: $(cat /tmp/out)"
	# It comes without MULTICAST, as a tunnel does: packets go out of it all the same.
	made "late: dummy" ip link add late0 type dummy || return
	ip link set late0 up
	vif late0
	flow h1 225.1.2.4 h2
	before=$(cat /sys/class/net/late0/statistics/tx_packets)
	flow h1 225.1.2.4 h2
	after=$(cat /sys/class/net/late0/statistics/tx_packets)
	[ $((after - before)) -ge "$PACKETS" ] || says "late0 sent $((after - before))"
	ip link del late0
	flow h1 225.1.2.4 h2
	stop
	result "late: dummy"
}

vlan_here() {
	ip link add link a1 name a1.100 type vlan id 100 || return
	ip addr add 10.101.0.1/24 dev a1.100
	! has_ipv6 || ip addr add fd00:101::1/64 dev a1.100 nodad
	ip link set a1.100 up
}

case_vlan() {
	printf '%s\n' 'mroute from a1.100 group 225.1.2.4 to a2' 'mroute from a1 group 225.1.2.5 to a2.7' \
		'mroute from a1.100 group ff2e::42 to a2' 'mroute from a1 group ff2e::43 to a2.7' \
		'mgroup from a1.100 group 225.1.2.4' >$conf
	daemon || { result "vlan"; return; }
	made "late: VLAN on a port" at h1 ip link add link eth0 name eth0.100 type vlan id 100 || return
	at h1 ip addr add 10.101.0.2/24 dev eth0.100
	! has_ipv6 || at h1 ip addr add fd00:101::2/64 dev eth0.100 nodad
	at h1 ip link set eth0.100 up
	paced h1 eth0.100 225.1.2.4
	first_after a1.100 a1 h2 225.1.2.4 vlan_here
	paced_end
	ip link add link a2 name a2.7 type vlan id 7 && ip link set a2.7 up
	at h2 ip link add link eth0 name eth0.7 type vlan id 7
	at h2 ip link set eth0.7 up
	vif a1.100
	vif a2.7
	reaches h1 10.101.0.1
	flow h1:eth0.100 225.1.2.4 h2
	flow h1 225.1.2.5 h2:eth0.7
	flow h1:eth0.100 ff2e::42 h2
	flow h1 ff2e::43 h2:eth0.7
	paced h1 eth0.100 225.1.2.4
	ip link del a1.100
	first_after a1.100 a1 h2 225.1.2.4 vlan_here
	late_is_seen a1.100 a1 h2 225.1.2.4 vlan_here
	paced_end
	flow h1:eth0.100 225.1.2.4 h2
	stop
	ip link del a1.100
	ip link del a2.7
	at h1 ip link del eth0.100
	at h2 ip link del eth0.7
	result "late: VLAN on a port, made under a stream and made again, forwarded within a second"
}

# A bridge of a3 and a4, with the address of neither.
bridge_up() {
	ip link add br0 type bridge forward_delay 0 "$@" || return
	ip link set a3 master br0
	ip link set a4 master br0
	ip addr add 10.50.0.1/24 dev br0
	! has_ipv6 || ip addr add fd00:50::1/64 dev br0 nodad
	ip link set br0 up
	until_ok 60 grep -q 3 /sys/class/net/a3/brport/state || says "a3 does not forward"
	until_ok 60 grep -q 3 /sys/class/net/a4/brport/state || says "a4 does not forward"
}

bridge_down() {
	ip link set a3 nomaster
	ip link set a4 nomaster
	ip link del br0
}

vlan_on_bridge() {
	ip link add link br0 name br0.50 type vlan id 50 || says "no VLAN on a bridge"
	ip addr add 10.51.0.1/24 dev br0.50
	ip link set br0.50 up
}

case_bridge() {
	printf '%s\n' 'mroute from a1 group 225.1.2.4 to br0' 'mroute from a1 group ff2e::42 to br0' \
		'mroute from br0 group 225.1.2.5 to a1' 'mroute from a1 group 225.1.2.6 to br0.50' \
		'mroute from br0.50 group 225.1.2.7 to a1' 'mroute from a1 group ff2e::46 to br0.50' >$conf
	daemon || { result "bridge"; return; }
	made "late: bridge" bridge_up || return
	vif br0
	flow h1 225.1.2.4 h3 h4
	flow h1 ff2e::42 h3 h4
	flow h3 225.1.2.5 h1
	result "late: bridge"
	vlan_on_bridge
	at h3 ip link add link eth0 name eth0.50 type vlan id 50
	at h3 ip addr add 10.51.0.2/24 dev eth0.50
	at h3 ip link set eth0.50 up
	vif br0.50
	reaches h3 10.51.0.1
	flow h1 225.1.2.6 h3:eth0.50
	flow h1 ff2e::46 h3:eth0.50
	flow h3:eth0.50 225.1.2.7 h1
	ip link del br0.50
	at h3 ip link del eth0.50
	bridge_down
	stop
	result "late: VLAN on a bridge; both go"
}

case_filtering() {
	printf '%s\n' 'mroute from a1 group 225.1.2.4 to br0.50' 'mroute from br0.50 group 225.1.2.5 to a1' \
		'mroute from a1 group ff2e::42 to br0.50' >$conf
	daemon || { result "filtering"; return; }
	made "bridge with vlan_filtering" bridge_up vlan_filtering 1 mcast_snooping 0 || return
	bridge vlan add dev br0 vid 50 self
	bridge vlan add dev a3 vid 50 pvid untagged
	bridge vlan add dev a4 vid 60 pvid untagged
	vlan_on_bridge
	at h3 ip addr add 10.51.0.2/24 dev eth0
	vif br0.50
	reaches h3 10.51.0.1
	hears other h4 225.1.2.4 0 600
	flow h1 225.1.2.4 h3
	eval "kill \$hears_other"
	heard other
	[ "$got" = 0 ] || says "another VLAN of the bridge got $got"
	flow h3 225.1.2.5 h1
	flow h1 ff2e::42 h3
	at h3 ip addr del 10.51.0.2/24 dev eth0
	ip link del br0.50
	bridge_down
	stop
	result "bridge with vlan_filtering"
}

# Two cables between here and h3, whose end is a bridge, so that either will do.
bond_up() {
	ip link add bo7 type bond mode active-backup miimon 100 || return
	ip link set a3 down
	ip link add a3b type veth peer name eth1 netns h3
	ip link set a3 master bo7
	ip link set a3b master bo7
	ip addr add 10.60.0.1/24 dev bo7
	! has_ipv6 || ip addr add fd00:60::1/64 dev bo7 nodad
	for i in bo7 a3 a3b; do ip link set $i up; done
	at h3 ip link add br3 type bridge forward_delay 0 mcast_snooping 0
	at h3 ip link set eth0 master br3
	at h3 ip link set eth1 up master br3
	at h3 ip addr add 10.60.0.2/24 dev br3
	at h3 ip link set br3 up
}

case_bond() {
	printf '%s\n' 'mroute from a1 group 225.1.2.4 to bo7' 'mroute from bo7 group 225.1.2.5 to a1' \
		'mroute from a1 group ff2e::42 to bo7' >$conf
	daemon || { result "bond"; return; }
	made "bond" bond_up || return
	vif bo7
	reaches h3 10.60.0.1
	flow h1 225.1.2.4 h3:br3
	flow h3:br3 225.1.2.5 h1
	flow h1 ff2e::42 h3:br3
	active=$(cat /sys/class/net/bo7/bonding/active_slave)
	ip link set "$active" down
	until_ok 60 sh -c "! grep -qx $active /sys/class/net/bo7/bonding/active_slave" || says "$active stays"
	reaches h3 10.60.0.1
	flow h1 225.1.2.4 h3:br3
	flow h3:br3 225.1.2.5 h1
	stop
	ip link del bo7
	quiet ip link del a3b
	at h3 ip link del br3
	ip link set a3 up
	reaches h3 10.3.0.1
	result "bond, and after its cable failed"
}

# Each packet comes on the lower interface first, for which there is no rule.
case_macvlan() {
	printf '%s\n' 'mroute from mv0 group 225.1.2.4 to a2' 'mroute from a1 group 225.1.2.5 to mv2' \
		'mroute from mv0 group ff2e::42 to a2' 'phyint a1 enable' >$conf
	daemon || { result "macvlan"; return; }
	made "macvlan" ip link add link a1 name mv0 type macvlan mode bridge || return
	ip addr add 10.1.0.77/24 dev mv0
	ip link set mv0 up
	ip link add link a2 name mv2 type macvlan mode bridge && ip link set mv2 up
	vif mv0
	vif mv2
	flow h1 225.1.2.4 h2
	flow h1 225.1.2.5 h2
	flow h1 ff2e::42 h2
	stop
	ip link del mv0
	ip link del mv2
	reaches h1 10.1.0.1
	result "macvlan beside its lower interface"
}

# Interfaces of a VRF have their routing in a table of its own, which -t takes.
case_vrf() {
	printf '%s\n' 'mroute from a1 group 225.1.2.4 to a2' 'mroute from a1 group ff2e::42 to a2' >$conf
	if ! ip link add red type vrf table 77 2>/tmp/out; then
		skip "VRF" "$(tr '\n' ' ' </tmp/out)"
		return
	fi
	ip link set red up
	ip link set a1 master red
	ip link set a2 master red
	! has_ipv6 || ip addr replace fd00:1::1/64 dev a1 nodad
	daemon -t 77 || { result "vrf"; return; }
	flow h1 225.1.2.4 h2
	flow h1 ff2e::42 h2
	grep 'do not get to table' /tmp/log >>$why
	judged forwarded 225.1.2.4 8
	smcroute-check -H 2>&1 | grep 'no rule leads' >>$why
	stop
	ip link del red
	! has_ipv6 || ip addr replace fd00:1::1/64 dev a1 nodad
	! has_ipv6 || ip addr replace fd00:2::1/64 dev a2 nodad
	reaches h1 10.1.0.1
	result "VRF"
}

# Both families have room for 32.
case_many() {
	: >$conf
	for i in $(seq 0 39); do
		echo "mroute from a1 group 225.2.0.$i to d$i a2" >>$conf
		echo "mroute from a1 group ff2e::2:$i to d$i a2" >>$conf
	done
	daemon || { result "many"; return; }
	for i in $(seq 0 39); do
		ip link add "d$i" type dummy && ip link set "d$i" up multicast on
	done
	until_ok 60 sh -c "smcroutectl -t show pending | grep -q d39" || says "pending: $(smcroutectl -t show pending)"
	for file in ip_mr_vif ip6_mr_vif; do
		[ -e /proc/net/$file ] || continue
		room=$(tail -n +2 /proc/net/$file | wc -l)
		[ "$room" = 32 ] || says "$room lines in $file, not 32"
	done
	smcroutectl show -j pending | json pending
	flow h1 225.2.0.39 h2
	ip link del d0
	until_ok 60 grep -q d30 /proc/net/ip_mr_vif || says "d30 did not get the place of d0"
	flow h1 225.2.0.5 h2
	smcroute-check $conf >/tmp/out 2>&1
	grep -q 32 /tmp/out || says "no warning of 32 interfaces: $(cat /tmp/out)"
	stop
	for i in $(seq 1 39); do ip link del "d$i"; done
	result "42 interfaces"
}

case_table() {
	printf '%s\n' 'mroute from a1 group 225.1.2.4 to a2' 'mroute from a1 group ff2e::42 to a2' >$conf
	smcrouted -n -l info -t 100 >/tmp/log 2>&1 &
	pid=$!
	if ! until_ok 30 smcroutectl ping; then
		wait $pid
		rc=$?
		[ $rc = 76 ] && grep -q "CONFIG_.*MULTIPLE_TABLES" /tmp/log || says "exit $rc without tables"
		result "-t where the kernel has no tables: exit 76 and the option's name"
		return
	fi
	grep -q 'ip mrule add iif a1 lookup 100' /tmp/log || says "the log does not name the rule"
	! has_ipv6 || grep -q 'ip -6 mrule add iif a1 lookup 100' /tmp/log || says "the log does not name the IPv6 rule"
	nothing h1 225.1.2.4 h2
	ip mrule add iif a1 lookup 100 || says "no ip mrule"
	flow h1 225.1.2.4 h2
	! has_ipv6 || ip -6 mrule add iif a1 lookup 100 || says "no ip -6 mrule"
	flow h1 ff2e::42 h2
	# The main table is free beside it.
	smcrouted -n -i main -f /dev/null -u /run/main.sock >/tmp/main.log 2>&1 &
	other=$!
	until_ok 60 smcroutectl -u /run/main.sock ping || says "the main table is not free: $(cat /tmp/main.log)"
	smcroutectl -u /run/main.sock kill
	wait $other
	flow h1 225.1.2.4 h2
	ip mrule del iif a1 lookup 100
	! has_ipv6 || ip -6 mrule del iif a1 lookup 100
	stop
	result "-t 100 with ip mrule"
}
